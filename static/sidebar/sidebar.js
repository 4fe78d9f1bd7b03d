/** Where the list stands: beside the chat on a desk, to be folded away; in a drawer over it on a phone. */
import { ICONS, h, icon } from "../dom/elements.js";
import { words } from "../strings/words.js";

/** Below this there is no room beside the chat. The style sheet knows it too. */
const NARROW = "(max-width: 56rem)";

/** Holds the list and the button that shows it. */
export class Side {
  #place;
  /** @type {HTMLElement | null} */
  #list = null;
  #narrow = matchMedia(NARROW);
  #close = h("button", { type: "button", class: "tool", "aria-label": words.close, title: words.close, autofocus: true }, icon(ICONS.close));
  #heading = h("h2", { id: "drawer" }, words.conversations);
  drawer = h("dialog", { class: "drawer", "aria-labelledby": "drawer" }, h("div", { class: "top" }, this.#heading, this.#close));
  button = h("button", { type: "button", class: "tool", "aria-label": words.conversations, title: words.conversations }, icon(ICONS.list));
  #isFolded;
  #fold;

  /**
   * @param {HTMLElement} place beside the chat
   * @param {boolean} isFolded
   * @param {(isFolded: boolean) => void} fold remember it
   */
  constructor(place, isFolded, fold) {
    this.#place = place;
    this.#isFolded = isFolded;
    this.#fold = fold;
    this.button.addEventListener("click", () => this.#press());
    this.#close.addEventListener("click", () => this.close());
    this.drawer.addEventListener("click", (event) => event.target === this.drawer && this.close());
    this.drawer.addEventListener("keydown", (event) => event.key === "Escape" && event.stopPropagation());
    this.drawer.addEventListener("close", () => this.#show());
    this.#narrow.addEventListener("change", () => this.#lay());
    this.#show();
  }

  /**
   * Take the list in.
   * @param {HTMLElement} list
   */
  hold(list) {
    this.#list = list;
    this.#lay();
  }

  /** Close the drawer: something was chosen. Beside the chat the list stays. */
  close() {
    this.drawer.close();
  }

  /** Show the list, or hide it. */
  toggle() {
    this.#press();
  }

  /** Show the list, wherever it stands. */
  open() {
    if (this.#place.hidden && !this.drawer.open) this.#press();
  }

  #lay() {
    if (!this.#narrow.matches) this.drawer.close();
    if (this.#list) (this.#narrow.matches ? this.drawer : this.#place).append(this.#list);
    this.#show();
  }

  #press() {
    if (this.#narrow.matches) this.drawer.showModal();
    else {
      this.#isFolded = !this.#isFolded;
      this.#fold(this.#isFolded);
    }
    this.#show();
  }

  #show() {
    this.#place.hidden = this.#narrow.matches || this.#isFolded;
    this.button.setAttribute("aria-expanded", String(this.#narrow.matches ? this.drawer.open : !this.#isFolded));
  }
}

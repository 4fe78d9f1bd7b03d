/** The sidebar: beside the chat on wide screens, where it can be collapsed; a drawer on narrow ones. */
import { ICONS, h, icon } from "../dom/elements.js";
import { words } from "../strings/words.js";

/** Narrower screens have a drawer. The style sheet has the same breakpoint. */
const NARROW = "(max-width: 56rem)";

/** The container of the list, and the button that shows or hides it. */
export class Sidebar {
  #place;
  /** @type {HTMLElement | null} */
  #list = null;
  #narrow = matchMedia(NARROW);
  #close = h("button", { type: "button", class: "tool", "aria-label": words.close, title: words.close, autofocus: true }, icon(ICONS.close));
  #heading = h("h2", { id: "drawer" }, words.conversations);
  drawer = h("dialog", { class: "drawer", "aria-labelledby": "drawer" }, h("div", { class: "top" }, this.#heading, this.#close));
  button = h("button", { type: "button", class: "tool", "aria-label": words.conversations, title: words.conversations }, icon(ICONS.list));
  #isCollapsed;
  #saveCollapsed;

  /**
   * @param {HTMLElement} place the element beside the chat
   * @param {boolean} isCollapsed
   * @param {(isCollapsed: boolean) => void} saveCollapsed
   */
  constructor(place, isCollapsed, saveCollapsed) {
    this.#place = place;
    this.#isCollapsed = isCollapsed;
    this.#saveCollapsed = saveCollapsed;
    this.button.addEventListener("click", () => this.toggle());
    this.#close.addEventListener("click", () => this.close());
    this.drawer.addEventListener("click", (event) => event.target === this.drawer && this.close());
    this.drawer.addEventListener("keydown", (event) => event.key === "Escape" && event.stopPropagation());
    this.drawer.addEventListener("close", () => this.#update());
    this.#narrow.addEventListener("change", () => this.#placeList());
    this.#update();
  }

  /**
   * Set the list.
   * @param {HTMLElement} list
   */
  setList(list) {
    this.#list = list;
    this.#placeList();
  }

  /** Close the drawer, after a choice. Beside the chat the list stays open. */
  close() {
    this.drawer.close();
  }

  /** Show or hide the list. */
  toggle() {
    if (this.#narrow.matches) this.drawer.showModal();
    else {
      this.#isCollapsed = !this.#isCollapsed;
      this.#saveCollapsed(this.#isCollapsed);
    }
    this.#update();
  }

  /** Show the list if it is hidden. */
  open() {
    if (this.#place.hidden && !this.drawer.open) this.toggle();
  }

  #placeList() {
    if (!this.#narrow.matches) this.drawer.close();
    if (this.#list) (this.#narrow.matches ? this.drawer : this.#place).append(this.#list);
    this.#update();
  }

  #update() {
    this.#place.hidden = this.#narrow.matches || this.#isCollapsed;
    this.button.setAttribute("aria-expanded", String(this.#narrow.matches ? this.drawer.open : !this.#isCollapsed));
  }
}

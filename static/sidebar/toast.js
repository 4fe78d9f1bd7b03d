/** A quiet line at the foot of the list: what was just done, and the way back. It stays until it is answered. */
import { ICONS, h, icon, setText } from "../dom/elements.js";
import { words } from "../strings/words.js";

/** Shows one thing at a time. */
export class Undo {
  #text = h("span", { class: "what", dir: "auto" });
  #button = h("button", { type: "button", class: "undo" }, words.undo);
  #close = h("button", { type: "button", class: "small", "aria-label": words.close, title: words.close }, icon(ICONS.close));
  #box = h("div", { class: "box", hidden: true }, this.#text, this.#button, this.#close);
  element = h("div", { class: "done", role: "status" }, this.#box);
  /** @type {(() => void) | null} */
  #undo = null;

  constructor() {
    this.#button.addEventListener("click", () => this.#undo?.());
    this.#close.addEventListener("click", () => this.show(null));
  }

  /**
   * @param {{text: string, undo?: () => void} | null} what null: nothing
   */
  show(what) {
    this.#undo = what?.undo ?? null;
    setText(this.#text, what?.text ?? "");
    this.#button.hidden = this.#undo === null;
    this.#box.classList.toggle("told", this.#undo === null); // a whole sentence, which may take its lines
    this.#box.hidden = what === null;
  }

  /** Stand on the way back: what stood under the caret is gone. */
  focus() {
    this.#button.focus();
  }
}

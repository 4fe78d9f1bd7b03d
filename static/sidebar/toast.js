/** A message at the foot of the list, such as what was just done, with Undo, or what is being done, with Cancel. It stays until the user closes it. */
import { ICONS, h, icon, setText } from "../dom/elements.js";
import { words } from "../strings/words.js";

/** Shows one message at a time. */
export class Toast {
  #text = h("span", { class: "toast-text", dir: "auto" });
  #undoButton = h("button", { type: "button", class: "undo" }, words.undo);
  #close = h("button", { type: "button", class: "small", "aria-label": words.close, title: words.close }, icon(ICONS.close));
  #box = h("div", { class: "toast", hidden: true }, this.#text, this.#undoButton, this.#close);
  element = h("div", { class: "done", role: "status" }, this.#box);
  /** @type {(() => void) | null} */
  #act = null;

  constructor() {
    this.#undoButton.addEventListener("click", () => this.#act?.());
    this.#close.addEventListener("click", () => this.show(null));
  }

  /**
   * Show a message in place of the current one.
   * @param {{text: string, undo?: () => void, cancel?: () => void} | null} message null: hide
   */
  show(message) {
    const { text = "", undo, cancel } = message ?? {};
    this.#act = undo ?? cancel ?? null;
    setText(this.#text, text);
    setText(this.#undoButton, cancel ? words.cancel : words.undo);
    this.#undoButton.hidden = this.#act === null;
    this.#close.hidden = cancel !== undefined;
    this.#box.classList.toggle("full-text", undo === undefined); // a sentence may wrap; a title is cut
    this.#box.hidden = message === null;
  }

  /** Focus Undo, after the focused row was removed. */
  focus() {
    this.#undoButton.focus();
  }
}

/** The one message that waits for the answer before it: seen above the field, there to be changed or taken back. */
import { ICONS, h, icon, setText } from "../dom.js";
import { words } from "../strings/words.js";

/** Shows the waiting message; empty and hidden when there is none. */
export class Queued {
  #text = "";
  #shown = h("span", { class: "queued-text", dir: "auto" });
  #edit = h("button", { type: "button", "aria-label": words.editQueued, title: words.editQueued }, icon(ICONS.edit));
  #drop = h("button", { type: "button", "aria-label": words.dropQueued, title: words.dropQueued }, icon(ICONS.close));
  element = h("div", { class: "queued", role: "group", "aria-label": words.queued, hidden: true }, this.#shown, this.#edit, this.#drop);

  /** @param {{edit: () => void, drop: () => void}} actions */
  constructor({ edit, drop }) {
    this.#edit.addEventListener("click", edit);
    this.#drop.addEventListener("click", drop);
  }

  /** What waits; empty where nothing does. */
  get text() {
    return this.#text;
  }

  set text(text) {
    this.#text = text;
    this.element.hidden = text === "";
    setText(this.#shown, text);
  }
}

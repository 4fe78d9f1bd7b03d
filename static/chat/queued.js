/** The one message that waits for the answer before it: seen above the field, there to be changed or taken back. */
import { ICONS, h, icon, setText } from "../dom/elements.js";
import { formatCount } from "../strings/format.js";
import { words } from "../strings/words.js";

/** @typedef {import("../stream/types.js").Picture} Picture */

/** Shows the waiting message; empty and hidden when there is none. */
export class Queued {
  text = "";
  /** @type {readonly Picture[]} */
  images = [];
  #seen = h("span", { class: "queued-images" });
  #shown = h("span", { class: "queued-text", dir: "auto" });
  #edit = h("button", { type: "button", "aria-label": words.editQueued, title: words.editQueued }, icon(ICONS.edit));
  #drop = h("button", { type: "button", "aria-label": words.dropQueued, title: words.dropQueued }, icon(ICONS.close));
  element = h("div", { class: "queued", role: "group", "aria-label": words.queued, hidden: true }, this.#seen, this.#shown, this.#edit, this.#drop);

  /** @param {{edit: () => void, drop: () => void}} actions */
  constructor({ edit, drop }) {
    this.#edit.addEventListener("click", edit);
    this.#drop.addEventListener("click", drop);
  }

  /** Whether nothing waits. */
  get isEmpty() {
    return this.text === "" && this.images.length === 0;
  }

  /**
   * Let something wait; without words and images nothing does.
   * @param {string} text
   * @param {readonly Picture[]} images
   */
  hold(text, images) {
    this.text = text;
    this.images = images;
    this.element.hidden = this.isEmpty;
    setText(this.#shown, text);
    const seen = images.map(({ data = "" }, at) => h("img", { src: data, alt: words.imageNumber(formatCount(at + 1)) }));
    this.#seen.replaceChildren(...seen);
  }
}

/** The one queued message, sent when the current answer is complete: shown above the field, editable and removable. */
import { ICONS, h, icon, setText } from "../dom/elements.js";
import { formatCount } from "../strings/format.js";
import { words } from "../strings/words.js";

/** @typedef {import("../stream/types.js").Picture} Picture */

/** Shows the queued message; hidden while there is none. */
export class QueuedMessage {
  text = "";
  /** @type {readonly Picture[]} */
  images = [];
  #thumbnails = h("span", { class: "queued-images" });
  #label = h("span", { class: "queued-text", dir: "auto" });
  #title = h("span", { class: "queued-title", "aria-hidden": "true" }, words.queuedTitle);
  #edit = h("button", { type: "button", "aria-label": words.editQueued, title: words.editQueued }, icon(ICONS.edit));
  #drop = h("button", { type: "button", "aria-label": words.dropQueued, title: words.dropQueued }, icon(ICONS.close));
  element = h("div", { class: "queued", role: "group", "aria-label": words.queued, hidden: true }, this.#title, this.#thumbnails, this.#label, this.#edit, this.#drop);

  /** @param {{edit: () => void, drop: () => void}} actions */
  constructor({ edit, drop }) {
    this.#edit.addEventListener("click", edit);
    this.#drop.addEventListener("click", drop);
  }

  /** Whether no message is queued. */
  get isEmpty() {
    return this.text === "" && this.images.length === 0;
  }

  /**
   * Replace the queued message. Without text and images the queue is empty.
   * @param {string} text
   * @param {readonly Picture[]} images
   */
  set(text, images) {
    this.text = text;
    this.images = images;
    this.element.hidden = this.isEmpty;
    setText(this.#label, text);
    const thumbnails = images.map(({ data = "" }, at) => h("img", { src: data, alt: words.imageNumber(formatCount(at + 1)) }));
    this.#thumbnails.replaceChildren(...thumbnails);
  }
}

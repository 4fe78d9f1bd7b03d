/** The model that answers next, and whether it accepts images. */
import { MAX_IMAGES } from "../conversation/conversation.js";
import { words } from "../strings/words.js";

/** The selection among a chat's models. Full names are `provider/model`. */
export class SelectedModel {
  #shownName;
  #fallback;
  #textOnly;
  /** Full name of the selected model; empty: the server's default. */
  selected = "";

  /** @param {{shownName: string, fallback: string, textOnly: readonly string[]}} models `shownName`: the default's name as shown; the others are full names */
  constructor({ shownName, fallback, textOnly }) {
    this.#shownName = shownName;
    this.#fallback = fallback;
    this.#textOnly = new Set(textOnly);
  }

  /** The model's name without its provider. */
  get name() {
    return this.selected.slice(this.selected.indexOf("/") + 1) || this.#shownName;
  }

  /**
   * Return why a question with this many images can't be sent; empty: it can.
   * @param {number} images
   * @returns {string}
   */
  objection(images) {
    if (images > MAX_IMAGES) return words.tooManyImages;
    return images > 0 && this.#textOnly.has(this.selected || this.#fallback) ? words.modelWithoutVision(this.name) : "";
  }
}

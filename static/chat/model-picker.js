/** Which model answers next, and whether it sees images. */
import { MOST_IMAGES } from "../conversation/conversation.js";
import { words } from "../strings/words.js";

/** Knows the models of a chat; all are named as `provider/model`. */
export class Sight {
  #shown;
  #byDefault;
  #blind;
  /** The one that is wished for; empty: the one that answers by default. */
  wished = "";

  /** @param {{model: string, byDefault: string, blind: readonly string[]}} models `model` is shown where none is wished for */
  constructor({ model, byDefault, blind }) {
    this.#shown = model;
    this.#byDefault = byDefault;
    this.#blind = new Set(blind);
  }

  get isBlind() {
    return this.#blind.has(this.wished || this.#byDefault);
  }

  /** The model without its provider. */
  get named() {
    return this.wished.slice(this.wished.indexOf("/") + 1) || this.#shown;
  }

  /**
   * Say why a question with so many images can't be asked now.
   * @param {number} images
   * @returns {string} empty when it can
   */
  objection(images) {
    if (images > MOST_IMAGES) return words.tooManyImages;
    return images > 0 && this.isBlind ? words.blind(this.named) : "";
  }
}

/** Which model answers next, and whether it can see what goes with a question. */
import { MOST_IMAGES } from "../conversation.js";
import { words } from "../strings/words.js";

/** The choice of models as it stands. */
export class Sight {
  /** @type {ReadonlySet<string>} */
  #blind = new Set([""]);
  #default = "";
  #model = "";
  #wished = "";

  /** @param {{model: string, byDefault: string, blind: readonly string[]}} models what there is to choose from */
  set models({ model, byDefault, blind }) {
    this.#model = model;
    this.#default = byDefault;
    this.#blind = new Set(blind);
  }

  /** @param {string} wished as `provider/model`; empty: the default */
  set wished(wished) {
    this.#wished = wished;
  }

  get wished() {
    return this.#wished;
  }

  get isBlind() {
    return this.#blind.has(this.#wished || this.#default);
  }

  /** The model that answers next, without its provider. */
  get named() {
    return this.#wished.slice(this.#wished.indexOf("/") + 1) || this.#model;
  }

  /**
   * Say why a question can't be asked with its images; empty where it can.
   * @param {readonly unknown[]} images
   */
  refusal({ length }) {
    if (length > MOST_IMAGES) return words.tooManyImages;
    return length > 0 && this.isBlind ? words.blind(this.named) : "";
  }
}

/** One quiet line above the composer for what passes by itself. It floats, so nothing moves when it comes or goes. */
import { h, setText } from "../dom.js";

/** Trouble that is over sooner than this is not worth a word. */
const PATIENCE_MS = 700;

/** Shows one notice at a time. */
export class Notices {
  element = h("p", { class: "notice", hidden: true });
  #wanted = "";
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer = undefined;
  #say;

  /** @param {(text: string) => void} say tell those who don't see it */
  constructor(say) {
    this.#say = say;
  }

  /**
   * Show a notice, or take it away.
   * @param {string | null} text
   * @param {{at_once?: boolean}} [when]
   */
  show(text, { at_once = false } = {}) {
    if ((text ?? "") === this.#wanted) return;
    this.#wanted = text ?? "";
    clearTimeout(this.#timer);
    if (this.#wanted === "" || at_once || !this.element.hidden) this.#draw();
    else this.#timer = setTimeout(() => this.#draw(), PATIENCE_MS);
  }

  #draw() {
    setText(this.element, this.#wanted);
    this.element.hidden = this.#wanted === "";
    if (this.#wanted !== "") this.#say(this.#wanted);
  }
}

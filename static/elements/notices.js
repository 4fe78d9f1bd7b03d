/**
 * One quiet line above the composer for what passes by itself, or asks for one press. It floats, so nothing moves when
 * it comes or goes.
 */
import { h, setText } from "../dom.js";

/** Trouble that is over sooner than this is not worth a word. */
const PATIENCE_MS = 700;

/** @typedef {{name: string, act: () => void}} Press */

/** Shows one notice at a time. */
export class Notices {
  #text = h("span", {});
  #button = h("button", { type: "button", hidden: true });
  element = h("p", { class: "notice", hidden: true }, this.#text, this.#button);
  /** @type {Press | null} */
  #press = null;
  #wanted = "";
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer = undefined;
  #say;

  /** @param {(text: string) => void} say tell those who don't see it */
  constructor(say) {
    this.#say = say;
    this.#button.addEventListener("click", () => this.#press?.act());
  }

  /**
   * Show a notice, or take it away.
   * @param {string | null} text
   * @param {{at_once?: boolean, press?: Press | null}} [how] `press`: the button at its end
   */
  show(text, { at_once = false, press = null } = {}) {
    if ((text ?? "") === this.#wanted) return;
    this.#press = press;
    this.#wanted = text ?? "";
    clearTimeout(this.#timer);
    if (this.#wanted === "" || at_once || !this.element.hidden) this.#draw();
    else this.#timer = setTimeout(() => this.#draw(), PATIENCE_MS);
  }

  #draw() {
    setText(this.#text, this.#wanted);
    setText(this.#button, this.#press?.name ?? "");
    this.#button.hidden = this.#press === null;
    this.element.hidden = this.#wanted === "";
    if (this.#wanted !== "") this.#say(this.#wanted);
  }
}

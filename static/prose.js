/**
 * The text of one answer, from the value that grows with its frames to the stream that shows it.
 */
import { h } from "./dom.js";
import { stream } from "./render.js";
import { isOver } from "./state.js";

/** @typedef {import("./state.js").Answer} Answer */

/** Shows one answer's text inside its element. */
export class Prose {
  element;
  #text = "";
  #redraws = 0;
  #sources;
  #isEnded = false;
  /** @type {ReturnType<typeof stream> | null} */
  #stream = null;

  /** @param {string} name class of the element */
  constructor(name) {
    this.element = h("div", { class: name });
    this.#sources = /** @type {Answer["sources"]} */ ([]);
  }

  /**
   * Show what an answer says. What is there already stays untouched when the text only grew.
   * @param {Answer} answer
   */
  show(answer) {
    const { text, redraws, sources } = answer;
    const isReplaced = redraws !== this.#redraws && !text.startsWith(this.#text);
    const isOther = isReplaced || sources !== this.#sources || (this.#isEnded && text.length > this.#text.length);
    if (isOther) this.#clear();
    this.#redraws = redraws;
    this.#sources = sources;
    this.#stream ??= stream(this.element, { sources });
    if (text.length > this.#text.length) this.#stream.write(text.slice(this.#text.length));
    this.#text = text;
    if (!isOver(answer) || this.#isEnded) return;
    this.#isEnded = true;
    this.#stream.end();
  }

  #clear() {
    this.#stream?.close();
    this.#stream = null;
    this.#isEnded = false;
    this.#text = "";
    this.element.replaceChildren();
  }
}

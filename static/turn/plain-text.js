/**
 * Plain text that grows at its end, as paragraphs. Long paragraphs are split at a line end, because the layout of a text
 * node costs in proportion to its length (appending to one long node is quadratic). Only the last block changes, so a
 * selection above it survives.
 */
import { h } from "../dom/elements.js";

/** A block longer than this ends at the next line end. */
const BLOCK_CHARS = 2_000;
/** Separates paragraphs: a line end and at least one empty line. Keeps the indent of the next line. */
const PARAGRAPH_BREAK = /\r?\n(?:[^\S\n]*\n)+/;

/** A growing text in its element. */
export class PlainText {
  element;
  #shown = "";
  #redraws = 0;
  /** The node that grows. @type {Text | null} */
  #tail = null;
  /** Trailing white space; what follows decides whether it separates paragraphs. */
  #pendingSpace = "";

  /** @param {string} name class of the element */
  constructor(name) {
    this.element = h("div", { class: name });
  }

  /**
   * Show a text. If it only grew, existing nodes stay untouched.
   * @param {string} text
   * @param {number} redraws differs from the last call if the text may have been replaced
   */
  show(text, redraws) {
    if (redraws !== this.#redraws && !text.startsWith(this.#shown)) this.#clear();
    this.#redraws = redraws;
    if (text.length <= this.#shown.length) return;
    const added = this.#pendingSpace + text.slice(this.#shown.length);
    const visible = added.trimEnd();
    this.#shown = text;
    this.#pendingSpace = added.slice(visible.length);
    if (visible !== "") this.#append(visible);
  }

  #clear() {
    this.element.replaceChildren();
    this.#shown = "";
    this.#tail = null;
    this.#pendingSpace = "";
  }

  /** @param {string} text */
  #append(text) {
    const [first = "", ...paragraphs] = text.split(PARAGRAPH_BREAK);
    if (first !== "") this.#extend(this.#tail ? first : first.replace(/^\s*\n/, ""));
    for (const paragraph of paragraphs) {
      this.#openBlock("block");
      this.#extend(paragraph);
    }
  }

  /** @param {string} text */
  #extend(text) {
    let tail = this.#tail ?? this.#openBlock("block");
    let remaining = text;
    for (;;) {
      const available = BLOCK_CHARS - tail.length;
      const cut = remaining.length > available ? remaining.indexOf("\n", available) : -1;
      tail.appendData(cut < 0 ? remaining : remaining.slice(0, cut));
      if (cut < 0) return;
      remaining = remaining.slice(cut + 1);
      tail = this.#openBlock("block tight");
    }
  }

  /** @param {string} name */
  #openBlock(name) {
    const tail = document.createTextNode("");
    this.element.append(h("p", { class: name, dir: "auto" }, tail));
    this.#tail = tail;
    return tail;
  }
}

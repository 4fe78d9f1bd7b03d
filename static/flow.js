/**
 * Text that grows at its end, as blocks: a paragraph each, and long ones cut at a line end, because
 * a text node costs in layout by its length (appending to one long node is quadratic).
 * Only the last block is ever touched, so a selection above it survives.
 */
import { h } from "./dom.js";

/** A block longer than this is closed at the next line end. */
const BLOCK_CHARS = 2_000;

/** Shows one growing text inside its element. */
export class Flow {
  element;
  #shown = "";
  #redraws = 0;
  /** @type {Text | null} the node that grows */
  #tail = null;
  /** Line ends are held back until something follows, which decides whether they part paragraphs. */
  #heldLineEnds = 0;

  /** @param {string} name class of the element */
  constructor(name) {
    this.element = h("div", { class: name, dir: "auto" });
  }

  /**
   * Show a text. What is there already stays untouched when the text only grew.
   * @param {string} text
   * @param {number} redraws differs from the last call when the text may have been replaced
   */
  show(text, redraws) {
    if (redraws !== this.#redraws && !text.startsWith(this.#shown)) this.#clear();
    this.#redraws = redraws;
    if (text.length <= this.#shown.length) return;
    const added = text.slice(this.#shown.length);
    this.#shown = text;
    for (const [part] of added.matchAll(/\r?\n|[^\r\n]+|\r/g)) this.#append(part);
  }

  #clear() {
    this.element.replaceChildren();
    this.#shown = "";
    this.#tail = null;
    this.#heldLineEnds = 0;
  }

  /** @param {string} part a line end, or text without one */
  #append(part) {
    if (part === "\n" || part === "\r\n" || part === "\r") {
      this.#heldLineEnds += 1;
      return;
    }
    const held = this.#heldLineEnds;
    this.#heldLineEnds = 0;
    if (this.#tail === null || held > 1) this.#open("block", part);
    else if (held === 1 && this.#tail.length > BLOCK_CHARS) this.#open("block tight", part);
    else this.#tail.appendData((held === 1 ? "\n" : "") + part);
  }

  /**
   * @param {string} name
   * @param {string} text
   */
  #open(name, text) {
    this.#tail = document.createTextNode(text);
    this.element.append(h("p", { class: name }, this.#tail));
  }
}

/**
 * Text that grows at its end, as blocks: a paragraph each, and long ones cut at a line end, because
 * a text node costs in layout by its length (appending to one long node is quadratic).
 * Only the last block is ever touched, so a selection above it survives.
 */
import { h } from "../dom/elements.js";

/** A block longer than this is closed at the next line end. */
const BLOCK_CHARS = 2_000;
/** What parts paragraphs: a line end and at least one empty line; the indent of the next line stays. */
const GAP = /\r?\n(?:[^\S\n]*\n)+/;

/** Shows one growing text inside its element. */
export class Flow {
  element;
  #shown = "";
  #redraws = 0;
  /** @type {Text | null} the node that grows */
  #tail = null;
  /** White space at the end is held back until something follows, which decides what it means. */
  #held = "";

  /** @param {string} name class of the element */
  constructor(name) {
    this.element = h("div", { class: name });
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
    const added = this.#held + text.slice(this.#shown.length);
    const kept = added.trimEnd();
    this.#shown = text;
    this.#held = added.slice(kept.length);
    if (kept !== "") this.#append(kept);
  }

  #clear() {
    this.element.replaceChildren();
    this.#shown = "";
    this.#tail = null;
    this.#held = "";
  }

  /** @param {string} text */
  #append(text) {
    const [first = "", ...paragraphs] = text.split(GAP);
    if (first !== "") this.#extend(this.#tail ? first : first.replace(/^\s*\n/, ""));
    for (const paragraph of paragraphs) {
      this.#open("block");
      this.#extend(paragraph);
    }
  }

  /** @param {string} text */
  #extend(text) {
    let tail = this.#tail ?? this.#open("block");
    let rest = text;
    for (;;) {
      const room = BLOCK_CHARS - tail.length;
      const cut = rest.length > room ? rest.indexOf("\n", room) : -1;
      tail.appendData(cut < 0 ? rest : rest.slice(0, cut));
      if (cut < 0) return;
      rest = rest.slice(cut + 1);
      tail = this.#open("block tight");
    }
  }

  /** @param {string} name */
  #open(name) {
    const tail = document.createTextNode("");
    this.element.append(h("p", { class: name, dir: "auto" }, tail));
    this.#tail = tail;
    return tail;
  }
}

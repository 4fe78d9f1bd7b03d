/**
 * Append-only text in chunks, because a browser lays out a whole text block whenever a character is added to it.
 */
import { h } from "../dom/elements.js";

/** A chunk ends at the first line ending after so many characters. */
const CHUNK_CHARS = 2000;
/** A chunk without a line ending is cut at this length. */
const MAX_CHARS = 10_000;

/** The chunks of one text. */
export class TextChunks {
  #element;
  /** @type {Text | null} */
  #tail = null;

  /** @param {HTMLElement} element */
  constructor(element) {
    this.#element = element;
  }

  /**
   * Append text.
   * @param {string} text
   */
  add(text) {
    let rest = text;
    while (rest) {
      const tail = this.#tail ?? this.#open();
      const cut = fittingChars(rest, tail.length);
      tail.appendData(rest.slice(0, cut));
      rest = rest.slice(cut);
      if (tail.length >= MAX_CHARS || (tail.length > CHUNK_CHARS && tail.data.endsWith("\n"))) this.#tail = null;
    }
  }

  #open() {
    const tail = document.createTextNode("");
    const isFirst = this.#element.firstChild === null;
    if (isFirst) this.#element.append(tail);
    else this.#element.append(h("span", { class: "part" }, tail));
    this.#tail = tail;
    return tail;
  }
}

/**
 * @param {string} text
 * @param {number} length of the chunk so far
 * @returns {number} how many characters of the text fit into the chunk
 */
function fittingChars(text, length) {
  const left = MAX_CHARS - length;
  const end = text.indexOf("\n", Math.max(0, CHUNK_CHARS - length)) + 1;
  return Math.min(left, end || text.length);
}

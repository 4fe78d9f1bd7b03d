/**
 * Long text that only grows, in chunks: a browser lays out all of a text block whenever a character is added to it.
 */
import { h } from "../dom/elements.js";

/** A chunk ends at the first line end after so many characters. */
const CHUNK_CHARS = 2000;
/** A line that goes on for longer is cut. */
const LONGEST_CHARS = 10_000;

/** Shows one text. */
export class Chunks {
  #element;
  /** @type {Text | null} */
  #tail = null;

  /** @param {HTMLElement} element */
  constructor(element) {
    this.#element = element;
  }

  /**
   * Add text at the end.
   * @param {string} text
   */
  add(text) {
    let rest = text;
    while (rest !== "") {
      const tail = this.#tail ?? this.#open();
      const cut = roomFor(rest, tail.length);
      tail.appendData(rest.slice(0, cut));
      rest = rest.slice(cut);
      if (tail.length >= LONGEST_CHARS || (tail.length > CHUNK_CHARS && tail.data.endsWith("\n"))) this.#tail = null;
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
 * @param {number} length of the chunk it is added to
 * @returns {number} how much of it the chunk takes
 */
function roomFor(text, length) {
  const room = LONGEST_CHARS - length;
  const end = text.indexOf("\n", Math.max(0, CHUNK_CHARS - length)) + 1;
  return Math.min(room, end || text.length);
}

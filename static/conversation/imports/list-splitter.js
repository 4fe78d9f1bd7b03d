/** Cuts a JSON list that arrives in chunks into its items, without decoding them. Pure. */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
/** The byte that begins a list. */
export const LIST = 0x5b;
const OPENING = new Set([0x5b, 0x7b]);
const CLOSING = new Set([0x5d, 0x7d]);
/** Spaces, and the bytes of a byte order mark, which may only stand at the beginning. */
export const SPACES = new Set([0x20, 0x09, 0x0a, 0x0d, 0xef, 0xbb, 0xbf]);

/**
 * @typedef {object} ListItem
 * @property {Uint8Array[] | null} parts its bytes; null: there were too many
 * @property {number} size in bytes
 */

/** Splits one list. Its memory is bounded by the longest item that is allowed. */
export class ListSplitter {
  #maxBytes;
  #depth = 0;
  #isText = false;
  #isEscaped = false;
  /** @type {Uint8Array[] | null} */
  #parts = [];
  #size = 0;
  #isBlank = true;
  /** Whether the list has ended; then what follows is ignored. */
  isOver = false;
  /** Whether there was a list. */
  isList = false;

  /** @param {number} maxBytes of an item; a longer one is dropped */
  constructor(maxBytes) {
    this.#maxBytes = maxBytes;
  }

  /**
   * Return the items that end in a chunk.
   * @param {Uint8Array} chunk
   * @returns {ListItem[]}
   */
  push(chunk) {
    /** @type {ListItem[]} */
    const items = [];
    let start = 0;
    for (let at = 0; at < chunk.length && !this.isOver; at += 1) {
      const byte = /** @type {number} */ (chunk[at]);
      if (this.#isText) {
        if (this.#isEscaped) this.#isEscaped = false;
        else if (byte === BACKSLASH) this.#isEscaped = true;
        else if (byte === QUOTE) this.#isText = false;
        continue;
      }
      if (SPACES.has(byte)) continue;
      if (this.#depth === 0) {
        this.isList = byte === LIST;
        this.isOver = !this.isList;
        this.#depth = 1; // the list's own bracket
        start = at + 1;
        continue;
      }
      const isEnd = this.#depth === 1 && CLOSING.has(byte);
      if (isEnd || (this.#depth === 1 && byte === COMMA)) {
        this.#keep(chunk.subarray(start, at));
        items.push(...this.#take());
        start = at + 1;
        this.isOver = isEnd;
        continue;
      }
      this.#isBlank = false;
      if (byte === QUOTE) this.#isText = true;
      else if (OPENING.has(byte)) this.#depth += 1;
      else if (CLOSING.has(byte)) this.#depth -= 1;
    }
    if (!this.isOver && this.#depth > 0) this.#keep(chunk.subarray(start));
    return items;
  }

  /** @param {Uint8Array} part */
  #keep(part) {
    this.#size += part.length;
    if (this.#size > this.#maxBytes) this.#parts = null;
    if (part.length > 0) this.#parts?.push(part);
  }

  #take() {
    const item = { parts: this.#parts, size: this.#size };
    const isBlank = this.#isBlank;
    this.#parts = [];
    this.#size = 0;
    this.#isBlank = true;
    return isBlank ? [] : [item];
  }
}

/**
 * A decoder of server-sent events: bytes in, events out.
 * It follows https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream with one difference:
 * an event's `id` does not carry over to the next event, because a frame without an id has no cursor.
 */

/**
 * @typedef {object} SseEvent
 * @property {string} name the event's type; "message" by default
 * @property {string} data
 * @property {string | null} id null when this event has none
 */

/** @typedef {{kind: "event", event: SseEvent} | {kind: "retry", ms: number}} SseItem */

/** A line or an event exceeds the decoder's limit. */
export class SseOverflow extends Error {}

/** The decoder of one stream. After an {@link SseOverflow} it cannot be used any more: close the connection. */
export class SseDecoder {
  /** Joins characters that are split between chunks, and drops the byte order mark. */
  #utf8 = new TextDecoder("utf-8");
  /** The incomplete last line. */
  #line = "";
  /** The last chunk ended in CR: an LF at the start of the next one belongs to the same line end. */
  #afterCr = false;
  /** @type {string[]} data lines of the incomplete event */
  #data = [];
  #dataChars = 0;
  #name = "";
  /** @type {string | null} */
  #id = null;
  #maxChars;

  /** @param {{maxChars?: number}} [options] the longest line or event accepted, in UTF-16 units */
  constructor({ maxChars = 8 * 1024 * 1024 } = {}) {
    this.#maxChars = maxChars;
  }

  /**
   * Decode a chunk; return the items that it completes.
   * @param {Uint8Array} chunk
   * @returns {SseItem[]}
   */
  decode(chunk) {
    let text = this.#utf8.decode(chunk, { stream: true });
    if (text === "") return [];
    if (this.#afterCr && text.startsWith("\n")) text = text.slice(1);
    this.#afterCr = text === "" ? false : text.endsWith("\r");
    /** @type {SseItem[]} */
    const items = [];
    const lines = text.split(/\r\n|\r|\n/);
    const last = lines.length - 1;
    for (let at = 0; at < last; at++) {
      const item = this.#parseLine(this.#line + lines[at]);
      this.#line = "";
      if (item) items.push(item);
    }
    this.#line += lines[last];
    this.#checkSize();
    return items;
  }

  /** Discard the incomplete event at the end of the stream, as the specification requires. */
  flush() {
    this.#line = "";
    this.#clear();
  }

  /**
   * @param {string} line
   * @returns {SseItem | null}
   */
  #parseLine(line) {
    if (line === "") return this.#dispatch();
    const colon = line.indexOf(":");
    if (colon === 0) return null;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + (line[colon + 1] === " " ? 2 : 1));
    return this.#setField(field, value);
  }

  /**
   * @param {string} field
   * @param {string} value
   * @returns {SseItem | null}
   */
  #setField(field, value) {
    if (field === "data") {
      this.#data.push(value);
      this.#dataChars += value.length + 1;
      this.#checkSize();
    } else if (field === "event") {
      this.#name = value;
    } else if (field === "id") {
      if (!value.includes("\0")) this.#id = value;
    } else if (field === "retry" && /^[0-9]{1,9}$/.test(value)) {
      return { kind: "retry", ms: Number(value) };
    }
    return null;
  }

  /** @returns {SseItem | null} */
  #dispatch() {
    /** @type {SseItem | null} */
    let item = null;
    if (this.#data.length > 0) {
      const event = { name: this.#name || "message", data: this.#data.join("\n"), id: this.#id };
      item = { kind: "event", event };
    }
    this.#clear();
    return item;
  }

  #clear() {
    this.#data = [];
    this.#dataChars = 0;
    this.#name = "";
    this.#id = null;
  }

  #checkSize() {
    if (this.#line.length + this.#dataChars > this.#maxChars) {
      throw new SseOverflow(`more than ${this.#maxChars} characters without an end of event`);
    }
  }
}

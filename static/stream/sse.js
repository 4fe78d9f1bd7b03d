/**
 * Server-sent events: bytes in, events out. Pure; knows nothing of frames, fetch or time.
 * The rules are those of https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
 * with one difference: `id` is that of the event itself and is not carried over to the next one,
 * because a frame without an id has no place of its own.
 */

/**
 * @typedef {object} SseEvent
 * @property {string} name the event's type, "message" when the stream does not name it
 * @property {string} data
 * @property {string | null} id null when this event carries none
 */

/** @typedef {{kind: "event", event: SseEvent} | {kind: "retry", ms: number}} SseItem */

/** A line or an event longer than the decoder is willing to keep. */
export class SseOverflow extends Error {}

/** Decode one stream. After an {@link SseOverflow} the decoder is spent: drop it with its connection. */
export class SseDecoder {
  /** Joins characters that were cut between two chunks, and drops the byte order mark. */
  #utf8 = new TextDecoder("utf-8");
  /** The line that has not ended yet. */
  #rest = "";
  /** A chunk ended in CR: an LF that begins the next one belongs to the same line end. */
  #afterCr = false;
  /** @type {string[]} data lines of the event that has not ended yet */
  #data = [];
  #dataChars = 0;
  #name = "";
  /** @type {string | null} */
  #id = null;
  #maxChars;

  /** @param {{maxChars?: number}} [options] the longest line or event kept, in UTF-16 units */
  constructor({ maxChars = 8 * 1024 * 1024 } = {}) {
    this.#maxChars = maxChars;
  }

  /**
   * Take bytes, return what became complete with them.
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
      const item = this.#line(this.#rest + lines[at]);
      this.#rest = "";
      if (item) items.push(item);
    }
    this.#rest += lines[last];
    this.#bound();
    return items;
  }

  /** Forget an event that the end of the stream cut: it never happened. */
  flush() {
    this.#rest = "";
    this.#clear();
  }

  /**
   * @param {string} line
   * @returns {SseItem | null}
   */
  #line(line) {
    if (line === "") return this.#dispatch();
    const colon = line.indexOf(":");
    if (colon === 0) return null;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + (line[colon + 1] === " " ? 2 : 1));
    return this.#field(field, value);
  }

  /**
   * @param {string} field
   * @param {string} value
   * @returns {SseItem | null}
   */
  #field(field, value) {
    if (field === "data") {
      this.#data.push(value);
      this.#dataChars += value.length + 1;
      this.#bound();
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

  #bound() {
    if (this.#rest.length + this.#dataChars > this.#maxChars) {
      throw new SseOverflow(`more than ${this.#maxChars} characters without an end of event`);
    }
  }
}

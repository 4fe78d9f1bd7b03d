/**
 * Rations what is announced about an answer: the first sentence at once, then at most one batch every five seconds,
 * finally how the answer ended. Pure: time is an argument.
 */

/** @typedef {"sentences" | "status" | "off"} Mode */

/** @type {readonly Mode[]} */
export const MODES = ["sentences", "status", "off"];

const BATCH_INTERVAL_MS = 5_000;
/** About what a fast voice speaks in that time. A longer sentence is a batch of its own. */
const BATCH_CHARS = 240;

/** A queue of sentences. It holds little more than a batch; the caller reads more when `isReadyForMore`. */
export class SpeechQueue {
  /** @type {Mode} */
  #mode = "sentences";
  /** @type {string[]} */
  #sentences = [];
  /** @type {string | null} */
  #lastSentence = null;
  #isFirst = true;
  #due_ms = 0;

  /** @param {Mode} mode from now on; drops queued sentences that the mode does not announce */
  set mode(mode) {
    this.#mode = mode;
    if (mode !== "sentences") this.#sentences = [];
    if (mode === "off") this.clear();
  }

  /** @returns {Mode} */
  get mode() {
    return this.#mode;
  }

  /** Empty the queue, and announce the next sentence at once: for a new answer, or a stopped one. */
  clear() {
    this.#sentences = [];
    this.#lastSentence = null;
    this.#isFirst = true;
    this.#due_ms = 0;
  }

  /**
   * Return whether to add sentences now: they are due, and less than a batch is queued.
   * @param {number} now_ms
   */
  isReadyForMore(now_ms) {
    const isShort = this.#sentences.reduce((sum, { length }) => sum + length, 0) < BATCH_CHARS;
    return this.#mode === "sentences" && this.#lastSentence === null && now_ms >= this.#due_ms && isShort;
  }

  /** @param {readonly string[]} sentences */
  add(sentences) {
    if (this.#mode === "sentences") this.#sentences.push(...sentences);
  }

  /** @param {string} sentence announced after all others */
  end(sentence) {
    if (this.#mode !== "off") this.#lastSentence = sentence;
  }

  /**
   * Remove and return the next batch.
   * @param {number} now_ms
   * @returns {string | null} null: nothing is due
   */
  take(now_ms) {
    if (now_ms < this.#due_ms && this.#mode === "sentences") return null;
    const batch = this.#takeBatch();
    if (this.#sentences.length === 0 && this.#lastSentence !== null) {
      batch.push(this.#lastSentence);
      this.#lastSentence = null;
    }
    if (batch.length === 0) return null;
    this.#due_ms = now_ms + BATCH_INTERVAL_MS;
    return batch.join(" ");
  }

  /** Whether something is queued. */
  get isPending() {
    return this.#sentences.length > 0 || this.#lastSentence !== null;
  }

  /**
   * Return the milliseconds until the next batch is due.
   * @param {number} now_ms
   */
  delay(now_ms) {
    return Math.max(0, this.#due_ms - now_ms);
  }

  #takeBatch() {
    /** @type {string[]} */
    const batch = [];
    let chars = 0;
    for (let next = this.#sentences[0]; next !== undefined; next = this.#sentences[0]) {
      if (batch.length > 0 && (this.#isFirst || chars + next.length > BATCH_CHARS)) break;
      chars += next.length;
      batch.push(next);
      this.#sentences.shift();
    }
    if (batch.length > 0) this.#isFirst = false;
    return batch;
  }
}

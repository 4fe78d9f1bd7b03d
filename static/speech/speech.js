/**
 * What a screen reader is told of an answer, and when: the first sentence at once, then at most one batch every five
 * seconds, at last how it ended. Pure: time is an argument.
 */

/** @typedef {"sentences" | "status" | "off"} Mode */

/** @type {readonly Mode[]} */
export const MODES = ["sentences", "status", "off"];

const SPEECH_PAUSE_MS = 5_000;
/** About what a quick voice says in that time. A longer sentence is told whole. */
const BATCH_CHARS = 240;

/** A queue that is asked what to say now. It takes a batch at most beyond what it has; more stays where it is read from. */
export class Speech {
  /** @type {Mode} */
  #mode = "sentences";
  /** @type {string[]} */
  #waiting = [];
  /** @type {string | null} */
  #end = null;
  #isFirst = true;
  #due_ms = 0;

  /** @param {Mode} mode from now on; what waits is not said any more where sentences are not wanted */
  set mode(mode) {
    this.#mode = mode;
    if (mode !== "sentences") this.#waiting = [];
    if (mode === "off") this.clear();
  }

  /** @returns {Mode} */
  get mode() {
    return this.#mode;
  }

  /** A new answer begins, or this one was stopped: nothing of before is said any more. */
  clear() {
    this.#waiting = [];
    this.#end = null;
    this.#isFirst = true;
    this.#due_ms = 0;
  }

  /**
   * Tell whether sentences are to be had now: they are due, and fewer wait than are said at once.
   * @param {number} now_ms
   */
  wants(now_ms) {
    const isShort = this.#waiting.reduce((sum, { length }) => sum + length, 0) < BATCH_CHARS;
    return this.#mode === "sentences" && this.#end === null && now_ms >= this.#due_ms && isShort;
  }

  /** @param {readonly string[]} sentences the next ones */
  add(sentences) {
    if (this.#mode === "sentences") this.#waiting.push(...sentences);
  }

  /** @param {string} sentence the last thing to say */
  end(sentence) {
    if (this.#mode !== "off") this.#end = sentence;
  }

  /**
   * Say something, if it is time.
   * @param {number} now_ms
   * @returns {string | null} null: nothing now
   */
  take(now_ms) {
    if (now_ms < this.#due_ms && this.#mode === "sentences") return null;
    const said = this.#batch();
    if (this.#waiting.length === 0 && this.#end !== null) {
      said.push(this.#end);
      this.#end = null;
    }
    if (said.length === 0) return null;
    this.#due_ms = now_ms + SPEECH_PAUSE_MS;
    return said.join(" ");
  }

  /** Whether something waits. */
  get isWaiting() {
    return this.#waiting.length > 0 || this.#end !== null;
  }

  /**
   * How long until something may be said.
   * @param {number} now_ms
   */
  wait(now_ms) {
    return Math.max(0, this.#due_ms - now_ms);
  }

  #batch() {
    /** @type {string[]} */
    const said = [];
    let chars = 0;
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      if (said.length > 0 && (this.#isFirst || chars + next.length > BATCH_CHARS)) break;
      chars += next.length;
      said.push(next);
      this.#waiting.shift();
    }
    if (said.length > 0) this.#isFirst = false;
    return said;
  }
}

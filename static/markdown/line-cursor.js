/**
 * A cursor in one line. A tab reaches to the next multiple of four columns, and a container's indent may end within it.
 */
import { isBlank } from "./characters.js";

/** A line and a position in it. Read `indent`, `contentStart` and `isEmpty` only after `measure`. */
export class LineCursor {
  text;
  /** The current position; a tab that was skipped in part is still ahead. */
  at = 0;
  #column = 0;
  #isInTab = false;
  /** Columns of blanks from here to the content. */
  indent = 0;
  /** Position of the first character that is no blank. */
  contentStart = 0;
  /** Up to `at` there is no thematic break of this character; without it, a line of list markers takes quadratic time. */
  #noBreak = { code: 0, at: 0 };

  /** @param {string} text without its line ending */
  constructor(text) {
    this.text = text;
  }

  /** Measure the blanks from here to the content. */
  measure() {
    let column = this.#column;
    let at = this.at;
    for (; isBlank(this.text.charCodeAt(at)); at++) column += this.#width(at, column);
    this.indent = column - this.#column;
    this.contentStart = at;
    return this;
  }

  get isEmpty() {
    return this.contentStart === this.text.length;
  }

  /** Code of the first character that is no blank; NaN at the end of the line. */
  get code() {
    return this.text.charCodeAt(this.contentStart);
  }

  /**
   * @param {number} at
   * @param {number} column
   */
  #width(at, column) {
    return this.text.charCodeAt(at) === 9 ? 4 - (column % 4) : 1;
  }

  /**
   * Skip blanks, at most this many columns.
   * @param {number} columns
   */
  skip(columns) {
    let left = columns;
    while (left > 0 && isBlank(this.text.charCodeAt(this.at))) {
      const width = this.#width(this.at, this.#column);
      this.#isInTab = width > left;
      this.#column += Math.min(width, left);
      if (!this.#isInTab) this.at++;
      left -= width;
    }
    return this;
  }

  /**
   * Advance over characters that are no tabs.
   * @param {number} count
   */
  advance(count) {
    this.at += count;
    this.#column += count;
    return this;
  }

  /**
   * Record that a thematic break of this character is ruled out by the one at this position.
   * @param {number} code
   * @param {number} at
   * @returns {false}
   */
  excludeBreak(code, at) {
    this.#noBreak = { code, at };
    return false;
  }

  /** @param {number} code */
  isBreakExcluded(code) {
    return this.#noBreak.code === code && this.contentStart < this.#noBreak.at;
  }

  /** The text from here, a partly skipped tab as spaces. */
  get rest() {
    return this.#isInTab ? " ".repeat(4 - (this.#column % 4)) + this.text.slice(this.at + 1) : this.text.slice(this.at);
  }

  /** The text after the blanks. */
  get content() {
    return this.text.slice(this.contentStart);
  }
}

/**
 * One line and how far it has been read. A tab reaches to the next multiple of four columns, and a container may
 * take only a part of it.
 */
import { isBlank } from "./characters.js";

/** A place in a line. Read `indent`, `first` and `isEmpty` only after `measure`. */
export class Line {
  text;
  /** Where the rest begins; on a tab that was taken in part, still there. */
  at = 0;
  #column = 0;
  #isInTab = false;
  /** Columns of blanks before what follows. */
  indent = 0;
  /** Where what follows begins. */
  first = 0;
  /** A sign, and how far the line was looked through for nothing but it; else a line of markers takes squared time. */
  #broken = { sign: 0, at: 0 };

  /** @param {string} text without its end */
  constructor(text) {
    this.text = text;
  }

  /** Look how far the blanks go from here. */
  measure() {
    let column = this.#column;
    let at = this.at;
    for (; isBlank(this.text.charCodeAt(at)); at++) column += this.#width(at, column);
    this.indent = column - this.#column;
    this.first = at;
    return this;
  }

  get isEmpty() {
    return this.first === this.text.length;
  }

  /** The first character that is no blank; NaN at the end of the line. */
  get code() {
    return this.text.charCodeAt(this.first);
  }

  /**
   * @param {number} at
   * @param {number} column
   */
  #width(at, column) {
    return this.text.charCodeAt(at) === 9 ? 4 - (column % 4) : 1;
  }

  /**
   * Take blanks, at most so many columns of them.
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
   * Take characters that are no tabs.
   * @param {number} count
   */
  take(count) {
    this.at += count;
    this.#column += count;
    return this;
  }

  /**
   * Remember that something else than this sign and blanks stands here.
   * @param {number} sign
   * @param {number} at
   */
  break(sign, at) {
    this.#broken = { sign, at };
    return false;
  }

  /** @param {number} sign */
  isBroken(sign) {
    return this.#broken.sign === sign && this.first < this.#broken.at;
  }

  /** What has not been read; the rest of a tab as spaces. */
  get rest() {
    return this.#isInTab ? " ".repeat(4 - (this.#column % 4)) + this.text.slice(this.at + 1) : this.text.slice(this.at);
  }

  /** What follows after the blanks. */
  get content() {
    return this.text.slice(this.first);
  }
}

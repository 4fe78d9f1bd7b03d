/**
 * Mathematics, which is read before Markdown: `\(…\)`, `\[…\]` and `$$…$$` in a text, and blocks between lines of
 * `\[` and `\]` or of `$$`. A single `$` is money.
 */
import { trimEnd } from "./characters.js";

const CLOSERS = new Map([["\\(", "\\)"], ["\\[", "\\]"], ["$$", "$$"]]);
/** How the line of a closer may begin. */
const CLOSING = /^(?:\$\$?|\\\]?)?[ \t]*$/;

/** Finds the formulas of one text. */
export class Formulas {
  #text;
  /** For each closer, the last place that a search began and what it found; -1 when there is none behind it. */
  /** @type {Map<string, {from: number, at: number, isVain: boolean}>} */
  #known = new Map();

  /** @param {string} text */
  constructor(text) {
    this.#text = text;
  }

  /**
   * Tell what would close a formula that begins here.
   * @param {number} from
   * @returns {string} empty when none begins
   */
  closer(from) {
    if (this.#text.startsWith("$$$", from) || (this.#text.charCodeAt(from) === 36 && this.#text.charCodeAt(from - 1) === 36)) return "";
    return CLOSERS.get(this.#text.slice(from, from + 2)) ?? "";
  }

  /**
   * Read a formula. One without a letter or a digit is none.
   * @param {number} from
   * @param {string} closer
   * @returns {number} after it; 0 when there is none, -1 when nothing closes it
   */
  read(from, closer) {
    const known = this.#known.get(closer);
    if (known && known.at < 0) return -1;
    if (known?.isVain && from < known.at) return 0;
    const at = this.#find(from + 2, closer);
    const isVain = at >= 0 && !/[\p{L}\p{N}]/u.test(this.#text.slice(from + 2, at));
    this.#known.set(closer, { from, at, isVain });
    if (at < 0) return -1;
    return isVain ? 0 : at + 2;
  }

  /**
   * @param {number} from
   * @param {string} closer
   */
  #find(from, closer) {
    let at = this.#text.indexOf(closer, from);
    while (at >= 0 && closer !== "$$" && this.#isEscaped(at, from)) at = this.#text.indexOf(closer, at + 1);
    return at;
  }

  /**
   * Tell whether the backslash of a closer belongs to the one before it.
   * @param {number} at
   * @param {number} from
   */
  #isEscaped(at, from) {
    let start = at;
    while (start > from && this.#text.charCodeAt(start - 1) === 92) start--;
    return (at - start) % 2 === 1;
  }
}

/**
 * Tell what closes the block that a line opens.
 * @param {string} content of the line
 * @returns {string} empty when it opens none
 */
export function blockCloser(content) {
  const line = trimEnd(content);
  return line === "$$" || line === "\\[" ? (CLOSERS.get(line) ?? "") : "";
}

/**
 * Tell whether a line may yet be nothing but a closer.
 * @param {string} content of the line so far
 */
export function couldClose(content) {
  return CLOSING.test(content);
}

/**
 * Cut what closes a block off its text.
 * @param {string} text
 * @param {string} closer
 */
export function withoutCloser(text, closer) {
  const whole = trimEnd(text);
  return whole.endsWith(closer) ? trimEnd(whole.slice(0, -closer.length)) : text;
}

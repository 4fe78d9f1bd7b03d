/**
 * Formulas, which take precedence over Markdown: `\(…\)`, `\[…\]` and `$$…$$` in a text, and blocks between lines of
 * `\[` and `\]` or of `$$`. In chats also `$…$` by Pandoc's rule, narrowed where prices and variables of a shell would meet it;
 * elsewhere a single `$` is a dollar sign.
 */
import { isAlphanumeric, trimEnd } from "./characters.js";

const CLOSERS = new Map([["\\(", "\\)"], ["\\[", "\\]"], ["$$", "$$"]]);
/** What is between two dollar signs that are amounts: words after a number. Code is never in a formula. */
const NO_FORMULA = /^\d[^\\]*\s\(?[a-z]{2,}(?:\W|$)|`/i;
const TO_DOLLAR = /^(?:\\[^]|[^\\$])*/;
/** The longest formula between single dollar signs: the text after the price of something must not wait for another price. */
const MAX_DOLLAR_CHARS = 400;
/** The beginning of a line that closes a block. */
const CLOSING = /^(?:\$\$?|\\\]?)?[ \t]*$/;

/** Finds the formulas in one text. */
export class Formulas {
  #text;
  #isChat;
  /** By closer: where the last search started and what it found, -1 if no closer follows. */
  /** @type {Map<string, {from: number, at: number, isEmpty: boolean}>} */
  #known = new Map();

  /**
   * @param {string} text
   * @param {boolean} [isChat]
   */
  constructor(text, isChat) {
    this.#text = text;
    this.#isChat = isChat;
  }

  /**
   * Return the closer of a formula that begins here.
   * @param {number} from
   * @returns {string} empty if none begins
   */
  closer(from) {
    const text = this.#text;
    const isDollar = text.charCodeAt(from) === 36;
    if (text.startsWith("$$$", from) || (isDollar && text.charCodeAt(from - 1) === 36)) return "";
    const closer = CLOSERS.get(text.slice(from, from + 2));
    if (closer || !isDollar || !this.#isChat) return closer ?? "";
    // After a letter or a digit only what no price and no variable begins with opens a formula: `90$^\circ$`.
    const opening = isAlphanumeric(text.charCodeAt(from - 1)) ? /[\\^_]/ : /[^\s$]/;
    return opening.test(text.charAt(from + 1)) ? "$" : "";
  }

  /**
   * Read a formula; it must contain a letter or a digit.
   * @param {number} from
   * @param {string} closer
   * @returns {number} the end; 0 if it is no formula, -1 if it is not closed
   */
  read(from, closer) {
    if (closer === "$") return this.#readDollars(from);
    const known = this.#known.get(closer);
    if (known && known.at < 0) return -1;
    if (known?.isEmpty && from < known.at) return 0;
    const at = this.#find(from + 2, closer);
    const isEmpty = at >= 0 && !/[\p{L}\p{N}]/u.test(this.#text.slice(from + 2, at));
    this.#known.set(closer, { from, at, isEmpty });
    if (at < 0) return -1;
    return isEmpty ? 0 : at + 2;
  }

  /**
   * Read a formula between single dollar signs: the next one must close it.
   * @param {number} from
   */
  #readDollars(from) {
    const text = this.#text;
    const value = TO_DOLLAR.exec(text.slice(from + 1, from + MAX_DOLLAR_CHARS))?.[0] ?? "";
    const at = from + 1 + value.length;
    if (text.charAt(at) !== "$") return from + MAX_DOLLAR_CHARS > text.length ? -1 : 0;
    const after = text.charAt(at + 1);
    if (/\s$/.test(value) || /[\d$]/.test(after) || (/[-/:=,.]$/.test(value) && /[\w{]/.test(after))) return 0;
    return /[\p{L}\p{N}]/u.test(value) && !NO_FORMULA.test(value) ? at + 1 : 0;
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
   * Return whether the backslash of a closer is itself escaped.
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
 * Return the closer of the block that a line opens.
 * @param {string} content of the line
 * @returns {string} empty if it opens none
 */
export function mathBlockCloser(content) {
  const line = trimEnd(content);
  return line === "$$" || line === "\\[" ? (CLOSERS.get(line) ?? "") : "";
}

/**
 * Return whether an incomplete line may become a closer.
 * @param {string} content of the line so far
 */
export function couldCloseMath(content) {
  return CLOSING.test(content);
}

/**
 * Remove the closer at the end of a block's text.
 * @param {string} text
 * @param {string} closer
 */
export function stripMathCloser(text, closer) {
  const whole = trimEnd(text);
  return whole.endsWith(closer) ? trimEnd(whole.slice(0, -closer.length)) : text;
}

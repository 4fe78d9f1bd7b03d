/** Where a long Markdown text may be cut, so that its end is drawn as in the whole text. Pure. */

/** The widths of a table's columns depend on so many lines of it. */
const TABLE_HEAD_LINES = 42;
const MAX_DEFINITIONS = 200;
const MAX_WORD_CHARS = 100;

/** A line that begins or ends a fenced code block. */
const FENCE = /^ {0,3}(`{3,}|~{3,})/;
const FORMULA_LIMIT = /^ {0,3}\$\$\s*$/;
const TABLE_DELIMITERS = /^ {0,3}[|:-][ |:-]*-[ |:-]*$/;
const DEFINITION = /^ {0,3}\[[^\]^][^\]]*\]:/;

/** @typedef {{at: number, before: string}} Cut where the end begins, and what it needs before it */

/** Reads lines, and knows the last places where the text may be cut. */
export class CutFinder {
  /** The start of the last block. @type {Cut} */
  block = { at: 0, before: "" };
  /** The last line that begins no part of an outer block. @type {Cut} */
  line = { at: 0, before: "" };
  /** The first line of the open code block; empty: there is none. */
  #fence = "";
  #details = 0;
  #isFormula = false;
  #isAfterBlank = true;
  /** The first lines of the current block. @type {string[]} */
  #head = [];
  /** @type {string[]} */
  #definitions = [];

  /** What an end within the open code block needs before it. */
  get opening() {
    return this.#fence === "" ? "" : `${this.#fence}\n`;
  }

  /** The targets of links so far. */
  get definitions() {
    return this.#definitions.length > 0 ? `${this.#definitions.join("\n")}\n\n` : "";
  }

  /**
   * @param {string} line
   * @param {number} at its index
   */
  read(line, at) {
    const isBlank = line.trim() === "";
    const isInside = this.#details > 0 || this.#isFormula || (this.#fence === "" && /^\s/.test(line));
    if (!isBlank && !isInside) {
      const isTable = TABLE_DELIMITERS.test(this.#head[1] ?? "");
      this.line = { at, before: this.opening || (isTable ? `${this.#head.join("\n")}\n` : "") };
      if (this.#isAfterBlank) this.block = { at, before: this.opening };
    }
    if (isBlank) this.#head = [];
    else if (this.#head.length < TABLE_HEAD_LINES) this.#head.push(line);
    this.#isAfterBlank = isBlank;
    this.#follow(line);
  }

  /** @param {string} line */
  #follow(line) {
    const mark = FENCE.exec(line)?.[1] ?? "";
    if (this.#fence !== "") {
      const isClosing = mark.startsWith(FENCE.exec(this.#fence)?.[1] ?? "") && line.trim() === mark;
      if (isClosing) this.#fence = "";
    } else if (mark !== "") this.#fence = line;
    else if (FORMULA_LIMIT.test(line)) this.#isFormula = !this.#isFormula;
    else if (DEFINITION.test(line)) this.#definitions = [...this.#definitions, line].slice(-MAX_DEFINITIONS);
    else this.#details = Math.max(0, this.#details + count(line, /<details\b/gi) - count(line, /<\/details\b/gi));
  }
}

/**
 * @param {string} line
 * @param {RegExp} pattern
 */
function count(line, pattern) {
  return line.match(pattern)?.length ?? 0;
}

/**
 * Return the start of the first word at or after an index, if one is near; else an index that is not between surrogates.
 * @param {string} text
 * @param {number} at
 */
export function wordStart(text, at) {
  const blank = text.slice(at, at + MAX_WORD_CHARS).search(/\s/);
  if (blank >= 0) return at + blank + 1;
  return /[\uDC00-\uDFFF]/.test(text.charAt(at)) ? at + 1 : at;
}

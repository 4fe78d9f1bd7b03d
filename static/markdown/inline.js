/**
 * The text of a paragraph, a heading or a cell as nodes: one pass from left to right.
 */
import { Brackets } from "./brackets.js";
import { after, isBlank } from "./characters.js";
import { decodeReference, referenceAt } from "./references.js";
import { nodesOf, pair, sides } from "./emphasis.js";
import { readHtml } from "./html.js";
import { linkTo, Literals } from "./autolinks.js";
import { Formulas } from "./math.js";
import { linkTexts } from "./texts.js";

/** @typedef {import("./tree.js").Node} Node */
/** @typedef {import("./brackets.js").Place} Place */
/** @typedef {import("./emphasis.js").Item} Item */

/** A tag that more text could still end is waited for up to here. */
const LONGEST_TAG = 200;
const SPECIAL = /[\\`*_[\]!<&\n~$]/g;
const ANGLED = /<[A-Za-z][A-Za-z\d+.-]{1,31}:[^\0-\x20\x7f<>]*>/y;
const MAIL =
  /<[\w.!#$%&'*+/=?^`{|}~-]+@[A-Za-z\d](?:[A-Za-z\d-]{0,61}[A-Za-z\d])?(?:\.[A-Za-z\d](?:[A-Za-z\d-]{0,61}[A-Za-z\d])?)*>/y;
const PUNCTUATION = /[!-/:-@[-`{-~]/;

/**
 * Parse a text.
 * @param {string} text
 * @param {Place} place
 * @returns {Node[]}
 */
export function parseInline(text, place) {
  const { items, isStruckFirst } = read(text, place);
  return linkTexts(nodesOf(pair(items, isStruckFirst)));
}

/**
 * Read a text into items that nothing has paired yet.
 * @param {string} text
 * @param {Place} place
 */
export function read(text, place) {
  const reader = new Reader(text, place);
  reader.run();
  return reader;
}

/** Reads one text into items: nodes, and runs that may yet enclose some. */
export class Reader {
  text;
  at = 0;
  /** @type {Item[]} */
  items = [];
  isStruckFirst;
  brackets;
  /** Where something begins that more text could end: code, or HTML; its closing backticks, if it is code. */
  uncertain = { at: Infinity, closer: "" };
  /** Where the first of these begins, however long ago. */
  unsure = Infinity;
  #place;
  #literals;
  #hasRun = false;
  #formulas;
  /** Where the next character stands that may be more than text. */
  #special = -1;
  /** @type {Map<number, number[]> | null} where runs of backticks begin, by length, the first of them last */
  #ticks = null;
  /** @type {Map<string, {from: number, at: number}>} what was looked for, so that nothing is looked for twice */
  #found = new Map();

  /**
   * @param {string} text
   * @param {Place} place
   */
  constructor(text, place) {
    this.text = text;
    this.#place = place;
    this.isStruckFirst = place.isStruckFirst ?? false;
    this.#hasRun = place.isStruckFirst !== undefined;
    this.#literals = new Literals(text);
    this.#formulas = new Formulas(text);
    this.brackets = new Brackets(this, place);
  }

  /** Read all of it. */
  run() {
    while (this.at < this.text.length) this.#step();
  }

  /** Read what comes next. */
  #step() {
    const { text, at } = this;
    const special = this.#nextSpecial();
    const next = Math.min(special, this.#literals.next(at));
    if (next > at) this.push({ type: "text", value: text.slice(at, next) }, next);
    else if (this.#readLiteral()) return;
    else if (special === at) this.#readSpecial(text.charAt(at));
    else this.push({ type: "text", value: text.charAt(at) }, at + 1);
  }

  #nextSpecial() {
    if (this.#special < this.at) {
      SPECIAL.lastIndex = this.at;
      this.#special = SPECIAL.test(this.text) ? SPECIAL.lastIndex - 1 : this.text.length;
    }
    return this.#special;
  }

  /**
   * Add a node that reaches to here.
   * @param {Node} node
   * @param {number} to
   */
  push(node, to) {
    this.items.push({ node, run: null, from: this.at, to });
    this.at = to;
  }

  /**
   * Add signs as text.
   * @param {number} count
   */
  pushText(count) {
    this.push({ type: "text", value: this.text.slice(this.at, this.at + count) }, this.at + count);
  }

  /**
   * Find a mark; a search further on never looks at the same text again.
   * @param {string} mark
   * @param {number} from
   */
  find = (mark, from) => {
    const known = this.#found.get(mark);
    if (known && from >= known.from && (known.at < 0 || from <= known.at)) return known.at;
    const at = this.text.indexOf(mark, from);
    this.#found.set(mark, { from, at });
    return at;
  };

  #readLiteral() {
    const literal = this.brackets.isOpen ? null : this.#literals.read(this.at);
    if (literal) this.push(literal.node, literal.end);
    return literal !== null;
  }

  /** @param {string} sign */
  #readSpecial(sign) {
    if ((sign === "\\" || sign === "$") && this.#readFormula()) return;
    if (sign === "\\") this.#readBackslash();
    else if (sign === "`") this.#readCode();
    else if (sign === "\n") this.#readLineEnd();
    else if (sign === "<") this.#readAngle();
    else if (sign === "&") this.#readReference();
    else if (sign === "[") this.brackets.open(1);
    else if (sign === "]") this.brackets.close();
    else if (sign === "$") this.pushText(this.text.startsWith("$$$", this.at) ? 3 : 1);
    else if (sign !== "!") this.#readRun(sign);
    else if (this.text.charAt(this.at + 1) === "[") this.brackets.open(2);
    else this.pushText(1);
  }

  #readFormula() {
    const { text, at } = this;
    const closer = this.#formulas.closer(at);
    const end = closer ? this.#formulas.read(at, closer) : 0;
    if (end < 0) this.#doubt(at, closer);
    if (end <= 0) return false;
    const value = text.slice(at + 2, end - 2).trim();
    /** @type {Node} */
    const node = { type: "inlineMath", value: this.#place.isCell ? value.replaceAll("\\|", "|") : value };
    if (closer !== "\\)") node.display = true;
    if (end > (this.#place.size ?? text.length)) node.isOpen = true;
    this.push(node, end);
    return true;
  }

  #readBackslash() {
    const next = this.text.charAt(this.at + 1);
    if (next === "\n") this.push({ type: "break" }, this.at + 2);
    else if (PUNCTUATION.test(next)) this.push({ type: "text", value: next }, this.at + 2);
    else this.pushText(1);
  }

  #readLineEnd() {
    const { text, at, items } = this;
    let start = at;
    while (isBlank(text.charCodeAt(start - 1))) start--;
    const last = items.at(-1);
    if (last && start < at) last.node.value = last.node.value?.slice(0, start - at);
    const isBreak = at - start > 1 && !text.slice(start, at).includes("\t");
    this.push(isBreak ? { type: "break" } : { type: "text", value: "\n" }, at + 1);
  }

  #readReference() {
    const found = referenceAt(this.text, this.at);
    if (found) this.push({ type: "text", value: decodeReference(found) }, this.at + found.length);
    else this.pushText(1);
  }

  #readAngle() {
    const { text, at } = this;
    for (const [pattern, prefix] of /** @type {[RegExp, string][]} */ ([[ANGLED, ""], [MAIL, "mailto:"]])) {
      const end = after(pattern, text, at);
      if (end > at) {
        const value = text.slice(at + 1, end - 1);
        this.push(linkTo(prefix + value, value), end);
        return;
      }
    }
    const end = readHtml(text, at, this.find);
    if (end > 0) this.push({ type: "html", value: text.slice(at, end) }, end);
    else {
      if (end < -1) this.unsure = Math.min(this.unsure, at);
      if (end < -1 && text.length - at < LONGEST_TAG) this.#doubt(at, "");
      this.pushText(1);
    }
  }

  /** @param {string} mark */
  #readRun(mark) {
    const { text, at } = this;
    let end = at;
    while (text.charAt(end) === mark) end++;
    if (mark === "~" && end - at > 2) {
      this.pushText(end - at);
      return;
    }
    if (!this.#hasRun) this.isStruckFirst = mark === "~";
    this.#hasRun = true;
    const node = { type: "text", value: "" };
    this.items.push({ node, run: { mark, size: end - at, ...sides(text, at, end, mark) }, from: at, to: end });
    this.at = end;
  }

  #readCode() {
    const { text, at } = this;
    let start = at;
    while (text.charCodeAt(start) === 96) start++;
    const end = this.#tickAfter(start, start - at);
    if (end < 0) {
      this.#doubt(at, text.slice(at, start));
      this.pushText(start - at);
      return;
    }
    const value = codeText(text.slice(start, end));
    const node = { type: "inlineCode", value: this.#place.isCell ? value.replace(/(\\\\)|\\(?=\|)/g, "$1") : value };
    this.push(node, end + start - at);
  }

  /**
   * @param {number} at
   * @param {string} closer
   */
  #doubt(at, closer) {
    if (at < this.uncertain.at) this.uncertain = { at, closer };
  }

  /** Whether any run came, here or before: then it is decided which signs are paired first. */
  get hasRun() {
    return this.#hasRun;
  }

  /**
   * Find the next run of so many backticks.
   * @param {number} from
   * @param {number} length
   */
  #tickAfter(from, length) {
    this.#ticks ??= ticksOf(this.text);
    const starts = this.#ticks.get(length) ?? [];
    while ((starts.at(-1) ?? from) < from) starts.pop();
    return starts.at(-1) ?? -1;
  }
}

/**
 * @param {string} text
 * @returns {Map<number, number[]>}
 */
function ticksOf(text) {
  /** @type {Map<number, number[]>} */
  const starts = new Map();
  for (const { 0: run, index } of text.matchAll(/`+/g)) {
    const all = starts.get(run.length) ?? [];
    all.push(index);
    starts.set(run.length, all);
  }
  for (const all of starts.values()) all.reverse();
  return starts;
}

/** @param {string} text between the backticks */
function codeText(text) {
  const isPadded = /^[ \n]/.test(text) && /[ \n]$/.test(text) && /[^ \n]/.test(text);
  return isPadded ? text.slice(1, -1) : text;
}

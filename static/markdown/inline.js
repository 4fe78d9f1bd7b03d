/**
 * The inline parser: the text of a paragraph, heading or table cell to nodes, in one pass from left to right.
 */
import { BacktickRuns } from "./backticks.js";
import { Brackets } from "./brackets.js";
import { matchEnd, isBlank } from "./characters.js";
import { decodeReference, referenceAt } from "./character-references.js";
import { toNodes, pairDelimiters, flanking } from "./emphasis.js";
import { readInlineHtml } from "./html-syntax.js";
import { autolinkNode, AutolinkFinder } from "./autolinks.js";
import { Formulas } from "./math-syntax.js";
import { linkifyTexts } from "./text-nodes.js";

/** @typedef {import("./tree.js").Node} Node */
/** @typedef {import("./brackets.js").InlineContext} InlineContext */
/** @typedef {import("./emphasis.js").Item} Item */

/** While more text may follow, an unclosed HTML tag up to this length is not shown. */
const MAX_OPEN_TAG_CHARS = 200;
const SPECIAL = /[\\`*_[\]!<&\n~$]/g;
const URI_AUTOLINK = /<[A-Za-z][A-Za-z\d+.-]{1,31}:[^\0-\x20\x7f<>]*>/y;
const EMAIL_AUTOLINK =
  /<[\w.!#$%&'*+/=?^`{|}~-]+@[A-Za-z\d](?:[A-Za-z\d-]{0,61}[A-Za-z\d])?(?:\.[A-Za-z\d](?:[A-Za-z\d-]{0,61}[A-Za-z\d])?)*>/y;
const ASCII_PUNCTUATION = /[!-/:-@[-`{-~]/;

/**
 * Parse a text into inline nodes.
 * @param {string} text
 * @param {InlineContext} context
 * @returns {Node[]}
 */
export function parseInline(text, context) {
  return finishInline(readInline(text, context), context);
}

/**
 * Return the nodes of a text that was read.
 * @param {InlineReader} reader its items change
 * @param {InlineContext} context
 * @param {Item[]} [paired] the items, if they are paired already
 */
export function finishInline(reader, context, paired = pairDelimiters(reader.items, reader.isStrikethroughFirst)) {
  return linkifyTexts(toNodes(paired), context.isChat);
}

/**
 * Read a text into items; its delimiter runs are not paired yet.
 * @param {string} text
 * @param {InlineContext} context
 */
export function readInline(text, context) {
  const reader = new InlineReader(text, context);
  reader.readAll();
  return reader;
}

/** Reads one text into items: nodes and delimiter runs. */
export class InlineReader {
  text;
  at = 0;
  /** @type {Item[]} */
  items = [];
  isStrikethroughFirst;
  brackets;
  /** The first code span, formula or HTML tag that has no end, and its closer (empty for HTML). */
  unclosed = { at: Infinity, closer: "" };
  /** Position of the first unclosed HTML tag, of any length. */
  undecided = Infinity;
  #context;
  #autolinks;
  #hasDelimiters = false;
  #formulas;
  /** Position of the next character that may be more than text. */
  #nextSpecialAt = -1;
  /** @type {BacktickRuns | null} */
  #backticks = null;
  /** @type {Map<string, {from: number, at: number}>} the last search for each mark, so that no text is searched twice */
  #searches = new Map();

  /**
   * @param {string} text
   * @param {InlineContext} context
   */
  constructor(text, context) {
    this.text = text;
    this.#context = context;
    this.isStrikethroughFirst = context.isStrikethroughFirst ?? false;
    this.#hasDelimiters = context.isStrikethroughFirst !== undefined;
    this.#autolinks = new AutolinkFinder(text, context.isChat);
    this.#formulas = new Formulas(text, context.isChat);
    this.brackets = new Brackets(this, context);
  }

  /** Read the whole text. */
  readAll() {
    while (this.at < this.text.length) this.#step();
  }

  /** Read the next item. */
  #step() {
    const { text, at } = this;
    const special = this.#nextSpecial();
    const next = Math.min(special, this.#autolinks.next(at));
    if (next > at) this.push({ type: "text", value: text.slice(at, next) }, next);
    else if (!this.#readAutolink()) {
      if (special === at) this.#readSpecial(text.charAt(at));
      else this.push({ type: "text", value: text.charAt(at) }, at + 1);
    }
  }

  #nextSpecial() {
    if (this.#nextSpecialAt < this.at) {
      SPECIAL.lastIndex = this.at;
      this.#nextSpecialAt = SPECIAL.test(this.text) ? SPECIAL.lastIndex - 1 : this.text.length;
    }
    return this.#nextSpecialAt;
  }

  /**
   * Add a node that ends at this position.
   * @param {Node} node
   * @param {number} to
   */
  push(node, to) {
    this.items.push({ node, run: null, from: this.at, to });
    this.at = to;
  }

  /**
   * Add characters as text.
   * @param {number} count
   */
  pushText(count) {
    this.push({ type: "text", value: this.text.slice(this.at, this.at + count) }, this.at + count);
  }

  /**
   * Find a mark. A later search does not scan the same text again.
   * @param {string} mark
   * @param {number} from
   */
  find = (mark, from) => {
    const known = this.#searches.get(mark);
    if (known && from >= known.from && (known.at < 0 || from <= known.at)) return known.at;
    const at = this.text.indexOf(mark, from);
    this.#searches.set(mark, { from, at });
    return at;
  };

  #readAutolink() {
    const autolink = this.brackets.isOpen ? null : this.#autolinks.read(this.at);
    if (autolink) this.push(autolink.node, autolink.end);
    return autolink !== null;
  }

  /** @param {string} char */
  #readSpecial(char) {
    if ((char === "\\" || char === "$") && this.#readFormula()) return;
    if (char === "\\") this.#readBackslash();
    else if (char === "`") this.#readCode();
    else if (char === "\n") this.#readLineEnding();
    else if (char === "<") this.#readAngle();
    else if (char === "&") this.#readReference();
    else if (char === "[") this.brackets.open(1);
    else if (char === "]") this.brackets.close();
    else if (char === "$") this.pushText(this.text.startsWith("$$$", this.at) ? 3 : 1);
    else if (char !== "!") this.#readDelimiters(char);
    else if (this.text.charAt(this.at + 1) === "[") this.brackets.open(2);
    else this.pushText(1);
  }

  #readFormula() {
    const { text, at } = this;
    const closer = this.#formulas.closer(at);
    const end = closer ? this.#formulas.read(at, closer) : 0;
    // A dollar sign without another is money until then, not an open formula.
    if (end < 0 && closer === "$") this.undecided = Math.min(this.undecided, at);
    else if (end < 0) this.#recordUnclosed(at, closer);
    if (end <= 0) return false;
    const value = text.slice(at + closer.length, end - closer.length).trim();
    /** @type {Node} */
    const node = { type: "inlineMath", value: this.#context.isCell ? value.replaceAll("\\|", "|") : value };
    if (closer !== "\\)" && closer !== "$") node.display = true;
    if (end > (this.#context.length ?? text.length)) node.isOpen = true;
    this.push(node, end);
    return true;
  }

  #readBackslash() {
    const next = this.text.charAt(this.at + 1);
    if (next === "\n") this.push({ type: "break" }, this.at + 2);
    else if (ASCII_PUNCTUATION.test(next)) this.push({ type: "text", value: next }, this.at + 2);
    else this.pushText(1);
  }

  #readLineEnding() {
    const { text, at, items } = this;
    let start = at;
    while (isBlank(text.charCodeAt(start - 1))) start--;
    const last = items.at(-1);
    if (last && start < at) last.node.value = last.node.value?.slice(0, start - at);
    const isBreak = at - start > 1 && !text.slice(start, at).includes("\t");
    const node = isBreak ? { type: "break" } : { type: this.#isLineBreak() ? "break" : "text", value: "\n" };
    this.push(node, at + 1);
  }

  /** Return whether a single line ending is a line break: in chats, but not after something that breaks the line itself. */
  #isLineBreak() {
    const node = this.items.at(-1)?.node;
    return this.#context.isChat && !node?.display && !(node?.type === "html" && /^<br\b/i.test(node.value ?? ""));
  }

  #readReference() {
    const found = referenceAt(this.text, this.at);
    if (found) this.push({ type: "text", value: decodeReference(found) }, this.at + found.length);
    else this.pushText(1);
  }

  #readAngle() {
    const { text, at } = this;
    for (const [pattern, prefix] of /** @type {[RegExp, string][]} */ ([[URI_AUTOLINK, ""], [EMAIL_AUTOLINK, "mailto:"]])) {
      const end = matchEnd(pattern, text, at);
      if (end > at) {
        const value = text.slice(at + 1, end - 1);
        this.push(autolinkNode(prefix + value, value), end);
        return;
      }
    }
    const end = readInlineHtml(text, at, this.find);
    if (end > 0) this.push({ type: "html", value: text.slice(at, end) }, end);
    else {
      if (end < -1) this.undecided = Math.min(this.undecided, at);
      if (end < -1 && text.length - at < MAX_OPEN_TAG_CHARS) this.#recordUnclosed(at, "");
      this.pushText(1);
    }
  }

  /** @param {string} mark */
  #readDelimiters(mark) {
    const { text, at } = this;
    let end = at;
    while (text.charAt(end) === mark) end++;
    if (mark === "~" && (end - at > 2 || (this.#context.isChat && end - at === 1))) {
      this.pushText(end - at);
      return;
    }
    if (!this.#hasDelimiters) this.isStrikethroughFirst = mark === "~";
    this.#hasDelimiters = true;
    const node = { type: "text", value: "" };
    this.items.push({ node, run: { mark, size: end - at, ...flanking(text, at, end, mark, this.#context.isChat) }, from: at, to: end });
    this.at = end;
  }

  #readCode() {
    const { text, at } = this;
    let start = at;
    while (text.charCodeAt(start) === 96) start++;
    this.#backticks ??= new BacktickRuns(text);
    const end = this.#backticks.find(start, start - at);
    if (end < 0) {
      this.#recordUnclosed(at, text.slice(at, start));
      this.pushText(start - at);
      return;
    }
    const value = codeText(text.slice(start, end));
    const node = { type: "inlineCode", value: this.#context.isCell ? value.replace(/(\\\\)|\\(?=\|)/g, "$1") : value };
    this.push(node, end + start - at);
  }

  /**
   * @param {number} at
   * @param {string} closer
   */
  #recordUnclosed(at, closer) {
    if (at < this.unclosed.at) this.unclosed = { at, closer };
  }

  /** Whether a delimiter run was read, here or earlier: the first one decides whether strikethrough is paired first. */
  get hasDelimiters() {
    return this.#hasDelimiters;
  }
}

/** @param {string} text between the backticks */
function codeText(text) {
  const isPadded = /^[ \n]/.test(text) && /[ \n]$/.test(text) && /[^ \n]/.test(text);
  return isPadded ? text.slice(1, -1) : text;
}

/**
 * Square brackets: links, images and footnote references, recognized when a bracket closes.
 */
import { normalizeLabel } from "./characters.js";
import { unescapeText } from "./character-references.js";
import { toNodes, pairDelimiters } from "./emphasis.js";
import { MAX_LABEL_CHARS, INCOMPLETE, readFootnoteLabel, readLabel, readResource, readTitle } from "./link-syntax.js";
import { plainText } from "./text-nodes.js";

/** @typedef {import("./tree.js").Node} Node */
/** @typedef {import("./tree.js").Labels} Labels */
/** @typedef {import("./emphasis.js").Item} Item */

/**
 * @typedef {object} InlineContext what the inline parser knows of its text
 * @property {Labels} labels
 * @property {boolean} [isChat] whether the extensions for chats are on
 * @property {boolean} [isCell] whether it is a table cell, where `\|` is a bar in code too
 * @property {boolean} [isStrikethroughFirst] whether strikethrough is paired before emphasis, if an earlier part of the text decides it
 * @property {boolean} [canDefineLater] whether undefined labels become pending links, because a definition may follow
 * @property {number} [length] how much of the text was received; the rest only closes what is open
 * @property {(identifier: string) => void} [onUndefined] called with each undefined label
 */

/** @typedef {import("./inline.js").InlineReader} InlineReader */

/**
 * @typedef {object} Bracket an open bracket
 * @property {number} index of its item
 * @property {number} start position after it
 * @property {boolean} isImage
 * @property {boolean} isInactive whether it contains a link, so that it cannot be one
 */

/** @typedef {{end: number, fields: Partial<Node>}} Target the destination or the label after the brackets */

/** The stack of open brackets of one text. */
export class Brackets {
  /** @type {Bracket[]} */
  #open = [];
  /** Where a link is cut off by the end of the text: at its `(`, or after a `]` at the very end; -1 if none is. */
  unfinished = -1;
  /** Position of the first link with unclosed parentheses. */
  undecided = Infinity;
  /** Ranges of closed brackets that are no link; only the outermost, in order. */
  /** @type {{from: number, to: number}[]} */
  unmatched = [];
  /** How many open brackets have been deactivated. */
  #inactiveCount = 0;
  #reader;
  #context;
  /** By title mark: the position from which no closing mark follows. */
  #unclosedTitles = new Map();

  /**
   * @param {InlineReader} reader
   * @param {InlineContext} context
   */
  constructor(reader, context) {
    this.#reader = reader;
    this.#context = context;
  }

  get isOpen() {
    return this.#open.length > 0;
  }

  /** Positions of the outermost open bracket, and of the innermost if it can become a link. */
  get ends() {
    const { items } = this.#reader;
    const first = this.#open[0];
    const last = this.#open.at(-1);
    const from = (/** @type {Bracket | undefined} */ bracket) => (bracket ? (items[bracket.index]?.from ?? 0) : Infinity);
    return { first: from(first), last: last?.isInactive ? Infinity : from(last) };
  }

  /**
   * Open a bracket, or add a footnote reference.
   * @param {number} length 1, or 2 for an image
   */
  open(length) {
    const reader = this.#reader;
    if (length === 1 && this.#readFootnote()) return;
    this.#open.push({ index: reader.items.length, start: reader.at + length, isImage: length === 2, isInactive: false });
    reader.pushText(length);
  }

  #readFootnote() {
    const { text, at } = this.#reader;
    const end = readFootnoteLabel(text, at + 1);
    const node = end > 0 ? this.#footnote(text.slice(at + 2, end - 1)) : null;
    if (node) this.#reader.push(node, end);
    return node !== null;
  }

  /**
   * @param {string} label
   * @returns {Node | null} null if it is undefined
   */
  #footnote(label) {
    const identifier = normalizeLabel(label);
    if (this.#context.labels.footnotes.has(identifier)) return { type: "footnoteReference", identifier, label: unescapeText(label) };
    this.#context.onUndefined?.(`^${identifier}`);
    return null;
  }

  /** Close the innermost open bracket. */
  close() {
    const reader = this.#reader;
    const bracket = this.#open.pop();
    this.#inactiveCount = Math.min(this.#inactiveCount, this.#open.length);
    const before = this.unfinished;
    const target = bracket && !bracket.isInactive ? this.#target(bracket) : null;
    if (bracket && this.unfinished !== before) this.undecided = Math.min(this.undecided, reader.items[bracket.index]?.from ?? 0);
    if (bracket && !bracket.isInactive && !target && reader.at + 1 === reader.text.length) this.unfinished = reader.at + 1;
    if (bracket && !target) this.#recordUnmatched(bracket);
    if (bracket && target) this.#enclose(bracket, target);
    else if (bracket && this.#canBecomeLink(bracket)) this.#pushPending(bracket);
    else if (!bracket?.isImage || bracket.isInactive || !this.#closeFootnote(bracket)) reader.pushText(1);
  }

  /**
   * Return whether a later definition could turn these brackets, and nothing around them, into a link.
   * @param {Bracket} bracket
   */
  #canBecomeLink({ index, start, isInactive }) {
    if (!this.#context.canDefineLater || isInactive) return false;
    const { items, text, at } = this.#reader;
    if (text.charAt(start) === "^" || at - start > MAX_LABEL_CHARS || text.slice(start, at).trim() === "") return false;
    return items.slice(index + 1).every(({ run, node }) => !run && !node.children);
  }

  /**
   * Add the brackets as one node, so that a later definition changes nothing around them.
   * @param {Bracket} bracket
   */
  #pushPending({ index, start }) {
    const reader = this.#reader;
    this.#context.onUndefined?.(normalizeLabel(reader.text.slice(start, reader.at)));
    const from = reader.items[index]?.from ?? 0;
    reader.pushText(1);
    const children = toNodes(reader.items.splice(index));
    reader.items.push({ node: { type: "pendingLink", children }, run: null, from, to: reader.at });
  }

  /** @param {Bracket} bracket */
  #recordUnmatched({ index }) {
    const { items, at } = this.#reader;
    const from = items[index]?.from ?? 0;
    while ((this.unmatched.at(-1)?.from ?? -1) >= from) this.unmatched.pop();
    this.unmatched.push({ from, to: at + 1 });
  }

  /**
   * Read `![^label]`: an exclamation mark, and a footnote reference.
   * @param {Bracket} bracket
   */
  #closeFootnote({ index, start }) {
    const reader = this.#reader;
    const label = reader.text.slice(start, reader.at);
    if (!label.startsWith("^") || label.includes("[")) return false;
    const node = this.#footnote(label.slice(1));
    if (!node) return false;
    reader.items.length = index;
    reader.push({ type: "text", value: "!" }, reader.at);
    reader.push(node, reader.at + 1);
    return true;
  }

  /**
   * @param {Bracket} bracket
   * @returns {Target | null}
   */
  #target({ start }) {
    const { text, at } = this.#reader;
    const after = text.charAt(at + 1);
    const resource = after === "(" ? this.#resource(at + 2) : null;
    if (resource) return resource;
    const own = text.slice(start, at);
    if (after === "[") {
      const end = readLabel(text, at + 2);
      const full = end > 0 ? this.#reference(text.slice(at + 2, end - 1), "full", end) : null;
      if (full) return full;
      return text.charAt(at + 2) === "]" ? this.#reference(own, "collapsed", at + 3) : null;
    }
    return this.#reference(own, "shortcut", at + 1);
  }

  /**
   * @param {number} from after `(`
   * @returns {Target | null}
   */
  #resource(from) {
    const resource = readResource(this.#reader.text, from, this.#titleAt);
    if (resource === INCOMPLETE) this.unfinished = from - 1;
    if (typeof resource === "number") return null;
    const { end, destination, title } = resource;
    return { end, fields: { title: title === null ? null : unescapeText(title), url: unescapeText(destination) } };
  }

  /** @param {number} from */
  #titleAt = (from) => {
    const { text } = this.#reader;
    const mark = text.charAt(from);
    if (from > (this.#unclosedTitles.get(mark) ?? Infinity)) return -1;
    const end = readTitle(text, from);
    if (end === INCOMPLETE) this.#unclosedTitles.set(mark, from);
    return end;
  };

  /**
   * @param {string} label
   * @param {string} referenceType
   * @param {number} end
   * @returns {Target | null}
   */
  #reference(label, referenceType, end) {
    if (label.length > MAX_LABEL_CHARS) return null;
    const identifier = normalizeLabel(label);
    if (!this.#context.labels.definitions.has(identifier)) {
      this.#context.onUndefined?.(identifier);
      return null;
    }
    return { end, fields: { label: unescapeText(label), identifier, referenceType } };
  }

  /**
   * Make a link or an image of the items in the brackets.
   * @param {Bracket} bracket
   * @param {Target} target
   */
  #enclose({ index, isImage }, { end, fields }) {
    const reader = this.#reader;
    const from = reader.items[index]?.from ?? 0;
    const children = toNodes(pairDelimiters(reader.items.splice(index).slice(1), false));
    const suffix = fields.referenceType ? "Reference" : "";
    const type = isImage ? `image${suffix}` : `link${suffix}`;
    const own = isImage ? { alt: plainText(children) } : { children };
    reader.items.push({ node: { type, ...fields, ...own }, run: null, from, to: end });
    reader.at = end;
    if (!isImage) this.#deactivate();
  }

  /** Deactivate the open brackets around a link: links cannot contain links. */
  #deactivate() {
    for (const bracket of this.#open.slice(this.#inactiveCount)) if (!bracket.isImage) bracket.isInactive = true;
    this.#inactiveCount = this.#open.length;
  }
}

/**
 * Square brackets: links, images, references and footnotes, found when a bracket closes.
 */
import { identify } from "./characters.js";
import { unescapeText } from "./references.js";
import { nodesOf, pair } from "./emphasis.js";
import { LONGEST_LABEL, MORE, readFootnoteLabel, readLabel, readResource, readTitle } from "./links.js";
import { plainText } from "./texts.js";

/** @typedef {import("./tree.js").Node} Node */
/** @typedef {import("./tree.js").Labels} Labels */
/** @typedef {import("./emphasis.js").Item} Item */

/**
 * @typedef {object} Place what a text stands in
 * @property {Labels} labels
 * @property {boolean} [isCell] whether it is a table's cell, where `\|` is a bar in code too
 * @property {boolean} [isStruckFirst] what an earlier part of the same text has decided
 * @property {boolean} [isWaiting] whether brackets that nothing defines are kept for a definition that may come
 * @property {number} [size] how much of the text came; what stands behind it only closes what is open
 * @property {(identifier: string) => void} [missed] is told the labels that nothing defines yet
 */

/**
 * @typedef {object} Reader what reads the text that the brackets stand in
 * @property {string} text
 * @property {number} at
 * @property {Item[]} items
 * @property {(node: Node, to: number) => void} push
 * @property {(count: number) => void} pushText
 */

/**
 * @typedef {object} Bracket an opening one that nothing has closed yet
 * @property {number} index of its item
 * @property {number} start after it in the text
 * @property {boolean} isImage
 * @property {boolean} isInert whether it stands around a link, so that it can be none itself
 */

/** @typedef {{end: number, fields: Partial<Node>}} Target what the brackets point at: an address or a label */

/** The brackets of one text. */
export class Brackets {
  /** @type {Bracket[]} */
  #open = [];
  /** Where a link's parentheses begin that the end of the text cuts off; -1 when there are none. */
  unfinished = -1;
  /** Where the first of these links begins. */
  unsure = Infinity;
  /** From where to where closed ones reach that made nothing; only the outermost, in order. */
  /** @type {{from: number, to: number}[]} */
  vain = [];
  /** So many of them stand around a link already. */
  #quieted = 0;
  #reader;
  #place;
  /** Where a search for the end of a title was in vain, by its mark: behind it there is no end either. */
  #endless = new Map();

  /**
   * @param {Reader} reader
   * @param {Place} place
   */
  constructor(reader, place) {
    this.#reader = reader;
    this.#place = place;
  }

  get isOpen() {
    return this.#open.length > 0;
  }

  /** Where the outermost open one stands, and the innermost that could yet be a link. */
  get ends() {
    const { items } = this.#reader;
    const first = this.#open[0];
    const last = this.#open.at(-1);
    const from = (/** @type {Bracket | undefined} */ bracket) => (bracket ? (items[bracket.index]?.from ?? 0) : Infinity);
    return { first: from(first), last: last?.isInert ? Infinity : from(last), isImage: last?.isImage ?? false };
  }

  /**
   * Open one, or a footnote's reference.
   * @param {number} length 1, or 2 for an image
   */
  open(length) {
    const reader = this.#reader;
    if (length === 1 && this.#readFootnote()) return;
    this.#open.push({ index: reader.items.length, start: reader.at + length, isImage: length === 2, isInert: false });
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
   * @returns {Node | null} null when nothing defines it
   */
  #footnote(label) {
    const identifier = identify(label);
    if (this.#place.labels.footnotes.has(identifier)) return { type: "footnoteReference", identifier, label: unescapeText(label) };
    this.#place.missed?.(`^${identifier}`);
    return null;
  }

  /** Close the last one. */
  close() {
    const reader = this.#reader;
    const bracket = this.#open.pop();
    this.#quieted = Math.min(this.#quieted, this.#open.length);
    const before = this.unfinished;
    const target = bracket && !bracket.isInert ? this.#target(bracket) : null;
    if (bracket && this.unfinished !== before) this.unsure = Math.min(this.unsure, reader.items[bracket.index]?.from ?? 0);
    if (bracket && !bracket.isInert && !target && reader.at + 1 === reader.text.length) this.unfinished = reader.at + 1;
    if (bracket && !target) this.#note(bracket);
    if (bracket && target) this.#enclose(bracket, target);
    else if (bracket && this.#isWaiting(bracket)) this.#keep(bracket);
    else if (!bracket?.isImage || bracket.isInert || !this.#closeFootnote(bracket)) reader.pushText(1);
  }

  /**
   * Tell whether a definition could make a link of these brackets, and of nothing else.
   * @param {Bracket} bracket
   */
  #isWaiting({ index, start, isInert }) {
    if (!this.#place.isWaiting || isInert) return false;
    const { items, text, at } = this.#reader;
    if (text.charAt(start) === "^" || at - start > LONGEST_LABEL || text.slice(start, at).trim() === "") return false;
    return items.slice(index + 1).every(({ run, node }) => !run && !node.children);
  }

  /**
   * Keep brackets as one node, so that what becomes of them changes nothing around them.
   * @param {Bracket} bracket
   */
  #keep({ index, start }) {
    const reader = this.#reader;
    this.#place.missed?.(identify(reader.text.slice(start, reader.at)));
    const from = reader.items[index]?.from ?? 0;
    reader.pushText(1);
    const children = nodesOf(reader.items.splice(index));
    reader.items.push({ node: { type: "waiting", children }, run: null, from, to: reader.at });
  }

  /** @param {Bracket} bracket */
  #note({ index }) {
    const { items, at } = this.#reader;
    const from = items[index]?.from ?? 0;
    while ((this.vain.at(-1)?.from ?? -1) >= from) this.vain.pop();
    this.vain.push({ from, to: at + 1 });
  }

  /**
   * An exclamation mark before a footnote's reference makes no image of it.
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
    if (resource === MORE) this.unfinished = from - 1;
    if (typeof resource === "number") return null;
    const { end, address, title } = resource;
    return { end, fields: { title: title === null ? null : unescapeText(title), url: unescapeText(address) } };
  }

  /** @param {number} from */
  #titleAt = (from) => {
    const { text } = this.#reader;
    const mark = text.charAt(from);
    if (from > (this.#endless.get(mark) ?? Infinity)) return -1;
    const end = readTitle(text, from);
    if (end === MORE) this.#endless.set(mark, from);
    return end;
  };

  /**
   * @param {string} label
   * @param {string} referenceType
   * @param {number} end
   * @returns {Target | null}
   */
  #reference(label, referenceType, end) {
    if (label.length > LONGEST_LABEL) return null;
    const identifier = identify(label);
    if (!this.#place.labels.definitions.has(identifier)) {
      this.#place.missed?.(identifier);
      return null;
    }
    return { end, fields: { label: unescapeText(label), identifier, referenceType } };
  }

  /**
   * Make a link or an image of what stands in the brackets.
   * @param {Bracket} bracket
   * @param {Target} target
   */
  #enclose({ index, isImage }, { end, fields }) {
    const reader = this.#reader;
    const from = reader.items[index]?.from ?? 0;
    const children = nodesOf(pair(reader.items.splice(index).slice(1), false));
    const suffix = fields.referenceType ? "Reference" : "";
    const type = isImage ? `image${suffix}` : `link${suffix}`;
    const own = isImage ? { alt: plainText(children) } : { children };
    reader.items.push({ node: { type, ...fields, ...own }, run: null, from, to: end });
    reader.at = end;
    if (!isImage) this.#quiet();
  }

  /** A link stands in no other link. */
  #quiet() {
    for (const bracket of this.#open.slice(this.#quieted)) if (!bracket.isImage) bracket.isInert = true;
    this.#quieted = this.#open.length;
  }
}

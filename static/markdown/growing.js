/**
 * The nodes of a text that grows: what nothing behind it can change any more is settled and never read again.
 */
import { complete } from "./becoming.js";
import { isWhite, trimEnd } from "./characters.js";
import { pair } from "./emphasis.js";
import { parseInline, Reader } from "./inline.js";

/** @typedef {import("./brackets.js").Place} Place */
/** @typedef {import("./emphasis.js").Item} Item */
/** @typedef {import("./tree.js").Node} Node */

/** So often, in characters, what is settled is looked for; always at the same places, however the text comes. */
const STEP = 512;
/** Beyond this much unsettled text, steps grow with it and only they are shown parsed. */
const MOST_OPEN = 4096;

/** A text that is still being written. */
export class Growing {
  /** @type {Node[]} settled nodes, then those that may still change */
  nodes = [];
  #settled = 0;
  /** Text that ends what is settled: the next text goes on with it. */
  #carry = "";
  #tail = "";
  /** The next length of the tail to look at. */
  #next = STEP;
  /** The last long tail that was looked at, and its nodes. */
  #seen = { length: 0, nodes: /** @type {Node[]} */ ([]) };
  #place;

  /** @param {Place} place */
  constructor(place) {
    this.#place = { ...place };
  }

  /**
   * Take more text.
   * @param {string} text
   */
  grow(text) {
    let from = 0;
    while (this.#tail.length + text.length - from >= this.#next) {
      const to = from + this.#next - this.#tail.length;
      this.#tail += text.slice(from, to);
      from = to;
      this.#settle();
    }
    this.#tail += text.slice(from);
  }

  /** Bring `nodes` up to date: what is open is shown as what it is becoming. */
  show() {
    if (this.#tail.length < MOST_OPEN) this.#put(this.#parse(complete(this.#tail, this.#place), this.#quiet));
    else this.#put([...this.#seen.nodes, { type: "text", value: trimEnd(this.#tail.slice(this.#seen.length)) }]);
  }

  /** The text is whole. */
  finish() {
    this.#put(this.#parse(trimEnd(this.#tail), this.#place));
  }

  /** A place that notes no labels: what is only shown is read again. */
  get #quiet() {
    return { ...this.#place, missed: undefined };
  }

  /**
   * @param {string} text
   * @param {Place} place
   * @returns {Node[]}
   */
  #parse(text, place) {
    return parseInline(text, place);
  }

  /** @param {Node[]} nodes in place of all that is not settled */
  #put(nodes) {
    const [first, ...rest] = nodes.filter(({ type, value }) => type !== "text" || value);
    const isText = first?.type === "text";
    const value = this.#carry + (isText ? (first.value ?? "") : "");
    this.nodes.length = this.#settled;
    if (value) this.nodes.push({ type: "text", value });
    if (first && !isText) this.nodes.push(first);
    this.nodes.push(...rest);
  }

  /** Settle what can be, at one of the steps. */
  #settle() {
    const reader = new Reader(this.#tail, this.#quiet);
    reader.run();
    const cut = cutOf(reader);
    if (cut > 0) {
      this.#put(this.#parse(this.#tail.slice(0, cut), this.#place));
      const last = this.nodes[this.nodes.length - 1];
      this.#carry = last?.type === "text" ? (last.value ?? "") : "";
      if (this.#carry) this.nodes.pop();
      this.#settled = this.nodes.length;
      this.#decideOrder(this.#tail.slice(0, cut));
      this.#tail = this.#tail.slice(cut);
    }
    this.#next = this.#tail.length + Math.max(STEP, Math.floor(this.#tail.length / 4));
    if (this.#tail.length >= MOST_OPEN) {
      this.#seen = { length: this.#tail.length, nodes: this.#parse(complete(this.#tail, this.#place), this.#quiet) };
    }
  }

  /** @param {string} settled */
  #decideOrder(settled) {
    if (this.#place.isStruckFirst !== undefined) return;
    const reader = new Reader(settled, this.#quiet);
    reader.run();
    if (reader.hasRun) this.#place.isStruckFirst = reader.isStruckFirst;
  }
}

/**
 * Find the last place that nothing behind it can reach across.
 * @param {Reader} reader
 * @returns {number} 0 when there is none
 */
function cutOf(reader) {
  const { text } = reader;
  const limit = Math.min(reader.uncertain.at, reader.brackets.ends.first, text.length - 1);
  /** @type {Item[]} */
  const safe = [];
  for (const item of pair(reader.items, reader.isStruckFirst)) {
    if (item.run?.canOpen || item.to > limit) break;
    safe.push(item);
  }
  for (let item = safe.pop(); item; item = safe.pop()) {
    if (item.run || item.node.type !== "text" || item.node.value?.length !== item.to - item.from) continue;
    for (let at = item.to; at > item.from; at--) {
      if (isWhite(text.charCodeAt(at - 1)) && !isWhite(text.charCodeAt(at))) return at;
    }
  }
  return 0;
}

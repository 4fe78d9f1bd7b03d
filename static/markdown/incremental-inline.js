/**
 * The nodes of a text that grows: what nothing behind it can change any more is settled and never read again.
 */
import { parseOpen } from "./unclosed.js";
import { isWhite, trimEnd } from "./characters.js";
import { pairSoFar } from "./emphasis.js";
import { parseInline, read } from "./inline.js";

/** @typedef {import("./brackets.js").Place} Place */
/** @typedef {import("./emphasis.js").Item} Item */
/** @typedef {import("./tree.js").Node} Node */

/** So often, in characters, what is settled is looked for; always at the same places, however the text comes. */
const STEP = 512;
/** Beyond this much unsettled text, steps grow with it and only they are shown parsed. */
const MOST_OPEN = 4096;

/** A text that is still being written. */
export class Growing {
  /** @type {Node[]} settled nodes, then those that may still change; a text goes on in the next node where it was settled */
  nodes = [];
  /** How much text came. */
  size = 0;
  #settled = 0;
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
    this.size += text.length;
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
    if (this.#tail.length < MOST_OPEN) this.#put(parseOpen(this.#tail, this.#quiet));
    else {
      const value = trimEnd(this.#tail.slice(this.#seen.length));
      this.#put(value ? [...this.#seen.nodes, { type: "text", value }] : this.#seen.nodes);
    }
  }

  /** The text is whole: what was settled stays as it is. */
  finish() {
    this.#put(parseInline(trimEnd(this.#tail), this.#place));
  }

  /** A place that notes no labels: what is only shown is read again. */
  get #quiet() {
    return { ...this.#place, missed: undefined };
  }

  /** @param {Node[]} nodes in place of all that is not settled */
  #put(nodes) {
    this.nodes.length = this.#settled;
    this.nodes.push(...nodes);
  }

  /** Settle what can be, at one of the steps. */
  #settle() {
    const reader = read(this.#tail, this.#quiet);
    const cut = cutOf(reader);
    if (cut > 0) {
      this.#put(parseInline(this.#tail.slice(0, cut), this.#place));
      this.#settled = this.nodes.length;
      this.#decideOrder(this.#tail.slice(0, cut));
      this.#tail = this.#tail.slice(cut);
    }
    this.#next = this.#tail.length + Math.max(STEP, Math.floor(this.#tail.length / 4));
    if (this.#tail.length >= MOST_OPEN) {
      this.#seen = { length: this.#tail.length, nodes: parseOpen(this.#tail, this.#quiet) };
    }
  }

  /** @param {string} settled */
  #decideOrder(settled) {
    if (this.#place.isStruckFirst !== undefined) return;
    const reader = read(settled, this.#quiet);
    if (reader.hasRun) this.#place.isStruckFirst = reader.isStruckFirst;
  }
}

/**
 * Find the last place that nothing behind it can reach across.
 * @param {import("./inline.js").Reader} reader
 * @returns {number} 0 when there is none
 */
function cutOf(reader) {
  const { text } = reader;
  const { items, open } = pairSoFar(reader.items, reader.isStruckFirst);
  const doubtful = Math.min(reader.uncertain.at, reader.unsure, reader.brackets.unsure, reader.brackets.ends.first);
  const limit = Math.min(doubtful, text.length - 1);
  /** @type {Item[]} */
  const safe = [];
  for (const item of items) {
    if (item.from >= open || item.to > limit) break;
    safe.push(item);
  }
  const { vain } = reader.brackets;
  let span = vain.length - 1;
  for (let item = safe.pop(); item; item = safe.pop()) {
    while ((vain[span]?.from ?? -1) > item.from) span--;
    // Within brackets addresses are read in another way.
    if (item.from < (vain[span]?.to ?? 0)) continue;
    if (item.run || item.node.type !== "text" || item.node.value?.length !== item.to - item.from) continue;
    for (let at = item.to; at > item.from; at--) {
      if (isWhite(text.charCodeAt(at - 1)) && !isWhite(text.charCodeAt(at))) return at;
    }
  }
  return 0;
}

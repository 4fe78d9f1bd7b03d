/**
 * The incremental inline parser: the nodes of a stable prefix, which later text cannot change, are never parsed again.
 */
import { parseUnclosed } from "./unclosed.js";
import { isWhite, trimEnd } from "./characters.js";
import { pairPartial } from "./emphasis.js";
import { finishInline, parseInline, readInline } from "./inline.js";

/** @typedef {import("./brackets.js").InlineContext} InlineContext */
/** @typedef {import("./emphasis.js").Item} Item */
/** @typedef {import("./tree.js").Node} Node */

/** The stable prefix is extended every so many characters, at the same positions however the text arrives. */
const STEP_CHARS = 64;
/** A text that goes on at the end of the stable prefix stays one node up to this length. */
const MAX_LEAD_CHARS = 1024;
/** A longer unstable tail is parsed only at steps; what follows the last step is shown as plain text. */
const MAX_TAIL_CHARS = 4096;

/** The inline parser of a text that still grows. */
export class IncrementalInline {
  /** @type {Node[]} the nodes of the stable prefix, then those of the tail; a long text may be split between them */
  nodes = [];
  /** How much text was received. */
  size = 0;
  /** How many nodes belong to the stable prefix. */
  #stable = 0;
  /** The text at the end of the stable prefix that the next text continues. */
  #lead = "";
  #tail = "";
  /** The length of the tail at the next step. */
  #nextLength = STEP_CHARS;
  /** The last long tail that was parsed: its length and its nodes. */
  #parsed = { length: 0, nodes: /** @type {Node[]} */ ([]) };
  #context;

  /** @param {InlineContext} context */
  constructor(context) {
    this.#context = { ...context };
  }

  /**
   * Append text.
   * @param {string} text
   */
  append(text) {
    this.size += text.length;
    let from = 0;
    while (this.#tail.length + text.length - from >= this.#nextLength) {
      const to = from + this.#nextLength - this.#tail.length;
      this.#tail += text.slice(from, to);
      from = to;
      this.#extendPrefix();
    }
    this.#tail += text.slice(from);
  }

  /** Update `nodes`, closing what is open. */
  update() {
    if (this.#tail.length < MAX_TAIL_CHARS) this.#replaceTail(parseUnclosed(this.#tail, this.#previewContext));
    else {
      const value = trimEnd(this.#tail.slice(this.#parsed.length));
      this.#replaceTail(value ? [...this.#parsed.nodes, { type: "text", value }] : this.#parsed.nodes);
    }
  }

  /** End the text: parse the tail as it is. */
  finish() {
    this.#replaceTail(parseInline(trimEnd(this.#tail), this.#context));
  }

  /** The context without `onUndefined`: a preview is parsed again later. */
  get #previewContext() {
    return { ...this.#context, onUndefined: undefined };
  }

  /** @param {Node[]} nodes replace those of the tail */
  #replaceTail(nodes) {
    const [first, ...others] = nodes;
    const lead = { type: "text", value: this.#lead };
    this.nodes.length = this.#stable;
    if (!this.#lead) this.nodes.push(...nodes);
    else if (first?.type === "text") this.nodes.push({ ...lead, value: `${this.#lead}${first.value}` }, ...others);
    else this.nodes.push(lead, ...nodes);
  }

  /** Extend the stable prefix. */
  #extendPrefix() {
    const cut = stableEnd(readInline(this.#tail, this.#previewContext));
    if (cut > 0) {
      const reader = readInline(this.#tail.slice(0, cut), this.#context);
      this.#replaceTail(finishInline(reader, this.#context));
      const last = this.nodes.at(-1);
      this.#lead = last?.type === "text" && (last.value ?? "").length < MAX_LEAD_CHARS ? (last.value ?? "") : "";
      this.#stable = this.nodes.length - (this.#lead ? 1 : 0);
      // Once the stable prefix contains a delimiter run, whether strikethrough is paired first is fixed.
      if (reader.hasDelimiters) this.#context.isStrikethroughFirst = reader.isStrikethroughFirst;
      this.#tail = this.#tail.slice(cut);
    }
    this.#nextLength = this.#tail.length + Math.max(STEP_CHARS, Math.floor(this.#tail.length / 4));
    if (this.#tail.length >= MAX_TAIL_CHARS) {
      this.#parsed = { length: this.#tail.length, nodes: parseUnclosed(this.#tail, this.#previewContext) };
    }
  }
}

/**
 * Find the end of the stable prefix: after the last white space that no construct spans.
 * @param {import("./inline.js").InlineReader} reader
 * @returns {number} 0 if there is none
 */
function stableEnd(reader) {
  const { text } = reader;
  const { items, open } = pairPartial(reader.items, reader.isStrikethroughFirst);
  const undecided = Math.min(reader.unclosed.at, reader.undecided, reader.brackets.undecided, reader.brackets.ends.first);
  const limit = Math.min(undecided, text.length - 1);
  /** @type {Item[]} */
  const safe = [];
  for (const item of items) {
    if (item.from >= open || item.to > limit) break;
    safe.push(item);
  }
  const { unmatched } = reader.brackets;
  let span = unmatched.length - 1;
  for (let item = safe.pop(); item; item = safe.pop()) {
    while ((unmatched[span]?.from ?? -1) > item.from) span--;
    // Addresses within brackets are recognized differently.
    if (item.from < (unmatched[span]?.to ?? 0)) continue;
    if (item.run || !/^(?:text|break)$/.test(item.node.type) || item.node.value?.length !== item.to - item.from) continue;
    for (let at = item.to; at > item.from; at--) {
      if (isWhite(text.charCodeAt(at - 1)) && !isWhite(text.charCodeAt(at))) return at;
    }
  }
  return 0;
}

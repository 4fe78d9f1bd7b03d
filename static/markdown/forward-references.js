/**
 * Labels that are used before they are defined, and the leaf blocks that are parsed again when they are.
 */

import { toNodes } from "./emphasis.js";
import { bracketsMayTouchAddress } from "./text-nodes.js";

/** @typedef {import("./open-block.js").Block} Block */
/** @typedef {import("./tree.js").Node} Node */
/** @typedef {{block: Block, parent: Block, labels: Set<string>, times: number}} Leaf a leaf block, its undefined labels, and how often it was parsed again */

/** After so many times, a leaf is parsed again only at the end of the text. */
const MAX_REPARSES = 3;

/** The leaves that wait for a definition, by label. */
export class ForwardReferences {
  /** @type {Map<string, Set<Leaf>>} */
  #waiting = new Map();
  /** Leaves to parse again at the end of the write. */
  /** @type {Set<Leaf>} */
  #due = new Set();
  #parse;

  /** @param {(leaf: Leaf) => void} parse parses a leaf again, and calls `wait` for the labels that are still undefined */
  constructor(parse) {
    this.#parse = parse;
  }

  /** @param {Leaf} leaf */
  wait(leaf) {
    for (const label of leaf.labels) {
      const waiting = this.#waiting.get(label) ?? new Set();
      waiting.add(leaf);
      this.#waiting.set(label, waiting);
    }
  }

  /**
   * Schedule the leaves that use this label. A leaf is parsed once a write, but the last time immediately: it must not
   * see labels that are defined later, or the tree would depend on where the text was cut.
   * @param {string} identifier
   */
  define(identifier) {
    const waiting = this.#waiting.get(identifier);
    if (!waiting) return;
    for (const leaf of waiting) {
      if (leaf.times >= MAX_REPARSES) continue;
      leaf.times++;
      waiting.delete(leaf);
      this.#due.add(leaf);
      if (leaf.times === MAX_REPARSES) this.#parseNow(leaf);
    }
    if (waiting.size === 0) this.#waiting.delete(identifier);
  }

  /** Parse the scheduled leaves again. */
  parseDue() {
    for (const leaf of this.#due) this.#parseNow(leaf);
  }

  /**
   * End the text: parse the leaves again that waited for it, and turn pending links back into text.
   * @param {number} maxChars a longer leaf is always parsed again
   */
  finish(maxChars) {
    const left = new Set([...this.#due, ...[...this.#waiting.values()].flatMap((leaves) => [...leaves])]);
    for (const leaf of left) {
      const { node, text } = leaf.block;
      const hasPending = hasPendingLink(node);
      const isSimple = text.length <= maxChars && !bracketsMayTouchAddress(text);
      if (leaf.times >= MAX_REPARSES || this.#due.has(leaf) || (hasPending && !isSimple)) this.#parseNow(leaf);
      else if (hasPending) node.children = unwrapPending(node.children ?? []);
    }
    this.#waiting.clear();
  }

  /** @param {Leaf} leaf */
  #parseNow(leaf) {
    this.#due.delete(leaf);
    this.#parse(leaf);
  }
}

/**
 * Return whether a node is or contains a pending link.
 * @param {Node} node
 * @returns {boolean}
 */
function hasPendingLink({ type, children }) {
  return type === "pendingLink" || (children?.some(hasPendingLink) ?? false);
}

/**
 * Turn pending links back into text. They contain nothing that could pair with what is around them.
 * @param {Node[]} nodes
 * @returns {Node[]}
 */
function unwrapPending(nodes) {
  const all = nodes.flatMap((node) => (node.type === "pendingLink" ? (node.children ?? []) : [node]));
  return toNodes(all.map((node) => ({ node: hasPendingLink(node) ? { ...node, children: unwrapPending(node.children ?? []) } : node, run: null, from: 0, to: 0 })));
}

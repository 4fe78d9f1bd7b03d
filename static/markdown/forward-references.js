/**
 * Labels that are used before they are defined, and the leaves that wait for them.
 */

import { nodesOf } from "./emphasis.js";
import { mayTouchAddress } from "./texts.js";

/** @typedef {import("./block.js").Block} Block */
/** @typedef {import("./tree.js").Node} Node */
/** @typedef {{block: Block, parent: Block, labels: Set<string>, times: number}} Leaf and its labels that nothing defines yet */

/** So often a leaf is read again for a label; then it waits for the end. */
const MOST_TIMES = 3;

/** Knows who waits for which label. */
export class LateLabels {
  /** @type {Map<string, Set<Leaf>>} */
  #waiting = new Map();
  /** What is read again at the end of a write. */
  /** @type {Set<Leaf>} */
  #due = new Set();
  #read;

  /** @param {(leaf: Leaf) => void} read reads a leaf again, and tells by `wait` what it still misses */
  constructor(read) {
    this.#read = read;
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
   * A leaf is read again once a write, but at once for its last label: it must not know those that come after it.
   * @param {string} identifier
   */
  define(identifier) {
    const waiting = this.#waiting.get(identifier);
    if (!waiting) return;
    for (const leaf of waiting) {
      if (leaf.times >= MOST_TIMES) continue;
      leaf.times++;
      waiting.delete(leaf);
      this.#due.add(leaf);
      if (leaf.times === MOST_TIMES) this.#take(leaf);
    }
    if (waiting.size === 0) this.#waiting.delete(identifier);
  }

  /** Read again what is due. */
  settle() {
    for (const leaf of this.#due) this.#take(leaf);
  }

  /**
   * Nothing more comes: read again what has waited for the end, and give back what is kept in vain.
   * @param {number} mostChars a longer leaf is read again in any case
   */
  finish(mostChars) {
    const left = new Set([...this.#due, ...[...this.#waiting.values()].flatMap((leaves) => [...leaves])]);
    for (const leaf of left) {
      const { node, text } = leaf.block;
      const isKeeping = keeps(node);
      const isSimple = text.length <= mostChars && !mayTouchAddress(text);
      if (leaf.times >= MOST_TIMES || this.#due.has(leaf) || (isKeeping && !isSimple)) this.#take(leaf);
      else if (isKeeping) node.children = free(node.children ?? []);
    }
    this.#waiting.clear();
  }

  /** @param {Leaf} leaf */
  #take(leaf) {
    this.#due.delete(leaf);
    this.#read(leaf);
  }
}

/**
 * Tell whether brackets in it are kept for a definition that never came.
 * @param {Node} node
 * @returns {boolean}
 */
function keeps({ type, children }) {
  return type === "waiting" || (children?.some(keeps) ?? false);
}

/**
 * Give kept brackets back to the text they stand in. They hold nothing that could pair with what is around them.
 * @param {Node[]} nodes
 * @returns {Node[]}
 */
function free(nodes) {
  const all = nodes.flatMap((node) => (node.type === "waiting" ? (node.children ?? []) : [node]));
  return nodesOf(all.map((node) => ({ node: keeps(node) ? { ...node, children: free(node.children ?? []) } : node, run: null, from: 0, to: 0 })));
}

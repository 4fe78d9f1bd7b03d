/**
 * A whole answer as elements, for whoever has one: the same as those of `stream` when it has ended.
 */
import { listen } from "./clicks.js";
import { blocksIn, sceneOf } from "./context.js";
import { Settling } from "./settled.js";

/** @typedef {import("../markdown/tree.js").Node} Node */
/** @typedef {import("../markdown/tree.js").Parent} Parent */
/** @typedef {import("./context.js").Options} Options */

/**
 * Show a whole tree.
 * @param {HTMLElement} root empty
 * @param {Parent} tree
 * @param {Options} [options]
 */
export function draw(root, tree, options = {}) {
  /** @type {{definition: Map<string, Node>, footnoteDefinition: Map<string, Node>}} */
  const known = { definition: new Map(), footnoteDefinition: new Map() };
  /** @type {Node[]} */
  const left = [tree];
  for (let node = left.pop(); node; node = left.pop()) {
    const { type, identifier, children } = node;
    const all = type === "definition" || type === "footnoteDefinition" ? known[type] : null;
    if (all && identifier !== undefined && !all.has(identifier)) all.set(identifier, node);
    if (children) left.push(...[...children].reverse());
  }
  const settling = new Settling();
  const scene = sceneOf(options, { definition: (identifier) => known.definition.get(identifier) }, known.footnoteDefinition, settling);
  blocksIn(root, scene, settling).show(tree.children);
  settling.end();
  listen(root);
}

/**
 * Renders a complete tree, into the same elements that `stream` creates by its end.
 */
import { addListeners } from "./listeners.js";
import { createBlocksView, createContext } from "./context.js";
import { SettledGroups } from "./settled-groups.js";

/** @typedef {import("../markdown/tree.js").Node} Node */
/** @typedef {import("../markdown/tree.js").Parent} Parent */
/** @typedef {import("./context.js").Options} Options */

/**
 * Render a complete tree.
 * @param {HTMLElement} root empty
 * @param {Parent} tree
 * @param {Options} [options]
 */
export function draw(root, tree, options = {}) {
  /** @type {{definition: Map<string, Node>, footnoteDefinition: Map<string, Node>}} */
  const known = { definition: new Map(), footnoteDefinition: new Map() };
  /** @type {Node[]} */
  const stack = [tree];
  for (let node = stack.pop(); node; node = stack.pop()) {
    const { type, identifier, children } = node;
    const all = type === "definition" || type === "footnoteDefinition" ? known[type] : null;
    if (all && identifier !== undefined && !all.has(identifier)) all.set(identifier, node);
    if (children) stack.push(...[...children].reverse());
  }
  const groups = new SettledGroups();
  const context = createContext(options, { definition: (identifier) => known.definition.get(identifier) }, known.footnoteDefinition, groups);
  createBlocksView(root, context, groups).show(tree.children);
  groups.end();
  addListeners(root);
}

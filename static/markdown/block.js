/**
 * What is known of an open block, and the nodes that blocks begin as.
 */
import { identify } from "./characters.js";
import { unescapeText } from "./references.js";

/** @typedef {import("./tree.js").Node} Node */
/** @typedef {import("./tree.js").Parent} Parent */

/** Kinds that an empty line belongs to. */
export const GOING = new Set(["blockquote", "fenced", "html", "math"]);
/** Kinds that hold text and no blocks. */
export const LEAVES = new Set(["paragraph", "heading", "setext", "fenced", "indented", "html", "math", "tableRow"]);

/**
 * @typedef {object} Block one open block
 * @property {string} kind the type of its node; code is `fenced` or `indented`, a row under way is `tableRow`
 * @property {Node} node
 * @property {number} last the last line that belongs to it
 * @property {boolean} isFilled whether anything has begun within it
 * @property {boolean} isPlaced whether its node stands in the tree
 * @property {string} text of a leaf: what it holds so far
 * @property {string} line of HTML, a formula and a paragraph: the line under way; of indented code, empty lines that belong to it
 *   only if it goes on
 * @property {boolean} isHead of a paragraph: whether its last line could be the head of a table
 * @property {boolean} isFirst of a paragraph: whether it is the first of an item; of a fence: whether it is empty
 * @property {string} marker of a list: sign of its items; of a fence, its character; of a formula, what closes it
 * @property {number} width of a container: how far its lines are indented; of a fence, its length; of HTML, its kind
 * @property {number} indent of a fence
 */

/**
 * @typedef {object} Sink what is told about leaves
 * @property {(block: Block) => void} opened a leaf or a row began
 * @property {(block: Block, added: string) => void} grew text was added to it
 * @property {(block: Block, parent: Block) => void} closed it is whole
 * @property {(identifier: string) => void} defined a label or, after `^`, a footnote was defined for the first time
 */

/**
 * Open a block.
 * @param {string} kind
 * @param {Node} node
 * @param {Partial<Block>} [rest]
 * @returns {Block}
 */
export function newBlock(kind, node, rest) {
  return {
    kind,
    node,
    last: 0,
    isFilled: false,
    isPlaced: false,
    text: "",
    line: "",
    isHead: false,
    isFirst: false,
    marker: "",
    width: 0,
    indent: 0,
    ...rest,
  };
}

/**
 * @param {string} info what follows the fence
 * @returns {Node}
 */
export function codeNode(info) {
  const [lang = ""] = info.split(/[ \t]/, 1);
  const meta = info.slice(lang.length).trim();
  return { type: "code", lang: unescapeText(lang) || null, meta: unescapeText(meta) || null, value: "" };
}

/**
 * @param {string} label
 * @returns {Parent}
 */
export function footnoteNode(label) {
  return { type: "footnoteDefinition", identifier: identify(label), label: unescapeText(label), children: [] };
}

/** @param {import("./links.js").Definition} found */
export function definitionNode({ label, address, title }) {
  return {
    type: "definition",
    identifier: identify(label),
    label: unescapeText(label),
    title: title === null ? null : unescapeText(title),
    url: unescapeText(address),
  };
}

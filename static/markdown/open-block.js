/**
 * The state of an open block, and the nodes that blocks start with.
 */
import { normalizeLabel } from "./characters.js";
import { unescapeText } from "./character-references.js";

/** @typedef {import("./tree.js").Node} Node */
/** @typedef {import("./tree.js").Parent} Parent */

/** Kinds of blocks that a blank line belongs to. */
export const KEEPS_BLANK_LINES = new Set(["blockquote", "fenced", "html", "math"]);
/** Kinds of leaf blocks, and the rows of tables. */
export const LEAVES = new Set(["paragraph", "heading", "setext", "fenced", "indented", "html", "math", "tableRow"]);

/**
 * @typedef {object} Block one open block
 * @property {string} kind the type of its node; `fenced` or `indented` for code, `setext` for such a heading, `tableRow` for the open row
 * @property {Node} node
 * @property {number} lastLine the number of the last line that belongs to it
 * @property {boolean} hasChildren whether it contains a block
 * @property {boolean} isInTree whether its node is in the tree
 * @property {string} text of a leaf: its text so far
 * @property {string} line of HTML, a fence, a formula and a paragraph: the current line; of indented code: blank lines that belong to it
 *   only if it continues
 * @property {boolean} mayBeTableHead of a paragraph: whether its last line could be the head of a table
 * @property {boolean} isFirstInItem of a paragraph: whether it is the first block of a list item
 * @property {boolean} isEmpty of fenced code and formulas: whether no line has been added
 * @property {string} marker of a list: the bullet or delimiter of its items; of a fence: its character; of a formula: its closer
 * @property {number} width of a container: the indent of its lines in columns; of a fence: its length; of HTML: its kind
 * @property {number} indent of a fence: the columns before it
 * @property {boolean} hasFences of a fence: whether there may be fences within it, because it contains Markdown
 * @property {number[]} inner of a fence: the lengths of the fences that are open within it
 */

/**
 * @typedef {object} BlockListener callbacks for leaf blocks
 * @property {(block: Block) => void} opened a leaf or a row started
 * @property {(block: Block, added: string) => void} extended text was added to it
 * @property {(block: Block, parent: Block) => void} closed it is complete
 * @property {(identifier: string) => void} defined a label or, after `^`, a footnote was defined for the first time
 */

/**
 * Return the state of a new block.
 * @param {string} kind
 * @param {Node} node
 * @param {Partial<Block>} [fields]
 * @returns {Block}
 */
export function newBlock(kind, node, fields) {
  return {
    kind,
    node,
    lastLine: 0,
    hasChildren: false,
    isInTree: false,
    text: "",
    line: "",
    mayBeTableHead: false,
    isFirstInItem: false,
    isEmpty: false,
    marker: "",
    width: 0,
    indent: 0,
    hasFences: false,
    inner: [],
    ...fields,
  };
}

/**
 * Return a code block's node.
 * @param {string} info the info string
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
  return { type: "footnoteDefinition", identifier: normalizeLabel(label), label: unescapeText(label), children: [] };
}

/** @param {import("./link-syntax.js").Definition} definition */
export function definitionNode({ label, destination, title }) {
  return {
    type: "definition",
    identifier: normalizeLabel(label),
    label: unescapeText(label),
    title: title === null ? null : unescapeText(title),
    url: unescapeText(destination),
  };
}

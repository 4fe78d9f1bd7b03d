/**
 * The content of leaf blocks: inline nodes or a value, from their text.
 */
import { trimEnd } from "./characters.js";
import { parseInline } from "./inline.js";
import { stripMathCloser } from "./math-syntax.js";
import { splitRow } from "./table-syntax.js";

/** @typedef {import("./brackets.js").InlineContext} InlineContext */
/** @typedef {import("./tree.js").Node} Node */
/** @typedef {import("./open-block.js").Block} Block */

/** A task's checkbox at the beginning of a list item. */
export const TASK = /^\[([ \t\nxX])\](?=\n|[ \t]+[^ \t])/;

/**
 * Parse a complete leaf's text into its node.
 * @param {Block} block
 * @param {Block} parent
 * @param {InlineContext} context
 */
export function fillLeaf({ kind, node, text, isFirstInItem, marker }, parent, context) {
  if (kind === "math") node.value = stripMathCloser(text, marker);
  else if (kind === "fenced" || kind === "indented" || kind === "html") node.value = text;
  else if (kind === "tableRow") node.children = splitRow(text, context.isChat).map((cell) => parseCell(cell, context));
  else if (kind === "paragraph" && isFirstInItem) node.children = parseTask(trimEnd(text), parent.node, context);
  else node.children = parseInline(trimEnd(text), context);
}

/**
 * @param {string} text
 * @param {InlineContext} context
 * @returns {Node}
 */
function parseCell(text, context) {
  return { type: "tableCell", children: parseInline(text, { ...context, isCell: true }) };
}

/**
 * Parse the first paragraph of a list item, which may begin with a checkbox.
 * @param {string} text
 * @param {Node} item
 * @param {InlineContext} context
 */
function parseTask(text, item, context) {
  const checkbox = TASK.exec(text);
  if (!checkbox) return parseInline(text, context);
  item.checked = checkbox[1] === "x" || checkbox[1] === "X";
  return parseInline(text.slice(checkbox[0].length + 1), context);
}

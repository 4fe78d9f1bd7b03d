/**
 * From a leaf's lines to what its node holds.
 */
import { trimEnd } from "./characters.js";
import { parseInline } from "./inline.js";
import { readRow } from "./table.js";

/** @typedef {import("./tree.js").Labels} Labels */
/** @typedef {import("./tree.js").Node} Node */
/** @typedef {import("./block.js").Block} Block */

const TASK = /^\[([ \t\nxX])\](?=\n|[ \t]+[^ \t])/;

/**
 * Give a whole leaf's node what it holds.
 * @param {Block} block
 * @param {Block} parent
 * @param {Labels} labels
 */
export function fill(block, parent, labels) {
  const { kind, node, text } = block;
  if (kind === "fenced" || kind === "indented" || kind === "html") node.value = text;
  else if (kind === "tableRow") node.children = readRow(text).map((cell) => cellOf(cell, labels));
  else if (kind === "paragraph" && block.isFirst) node.children = taskOf(trimEnd(text), parent.node, labels);
  else node.children = parseInline(trimEnd(text), { labels });
}

/**
 * @param {string} text
 * @param {Labels} labels
 * @returns {Node}
 */
function cellOf(text, labels) {
  return { type: "tableCell", children: parseInline(text, { labels, isCell: true }) };
}

/**
 * Read the first paragraph of an item, and its box.
 * @param {string} text
 * @param {Node} item
 * @param {Labels} labels
 */
function taskOf(text, item, labels) {
  const box = TASK.exec(text);
  if (!box) return parseInline(text, { labels });
  item.checked = box[1] === "x" || box[1] === "X";
  const [head, ...others] = parseInline(text.slice(box[0].length), { labels });
  if (head?.type !== "text") return head ? [head, ...others] : [];
  const value = head.value?.slice(1);
  return value ? [{ ...head, value }, ...others] : others;
}

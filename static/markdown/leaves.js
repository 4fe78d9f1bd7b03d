/**
 * From a leaf's lines to what its node holds.
 */
import { trimEnd } from "./characters.js";
import { parseInline } from "./inline.js";
import { withoutCloser } from "./math.js";
import { readRow } from "./table.js";

/** @typedef {import("./brackets.js").Place} Place */
/** @typedef {import("./tree.js").Node} Node */
/** @typedef {import("./block.js").Block} Block */

export const TASK = /^\[([ \t\nxX])\](?=\n|[ \t]+[^ \t])/;

/**
 * Give a whole leaf's node what it holds.
 * @param {Block} block
 * @param {Block} parent
 * @param {Place} place
 */
export function fill({ kind, node, text, isFirst, marker }, parent, place) {
  if (kind === "math") node.value = withoutCloser(text, marker);
  else if (kind === "fenced" || kind === "indented" || kind === "html") node.value = text;
  else if (kind === "tableRow") node.children = readRow(text).map((cell) => cellOf(cell, place));
  else if (kind === "paragraph" && isFirst) node.children = taskOf(trimEnd(text), parent.node, place);
  else node.children = parseInline(trimEnd(text), place);
}

/**
 * @param {string} text
 * @param {Place} place
 * @returns {Node}
 */
function cellOf(text, place) {
  return { type: "tableCell", children: parseInline(text, { ...place, isCell: true }) };
}

/**
 * Read the first paragraph of an item, and its box.
 * @param {string} text
 * @param {Node} item
 * @param {Place} place
 */
function taskOf(text, item, place) {
  const box = TASK.exec(text);
  if (!box) return parseInline(text, place);
  item.checked = box[1] === "x" || box[1] === "X";
  const [head, ...others] = parseInline(text.slice(box[0].length), place);
  if (head?.type !== "text") return head ? [head, ...others] : [];
  const value = head.value?.slice(1);
  return value ? [{ ...head, value }, ...others] : others;
}

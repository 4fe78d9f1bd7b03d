/**
 * Whether the beginning of a line already determines its block. Until then the line is not shown, because it could turn
 * into another kind of block.
 */
import { ANY_TAG, htmlBlockKind, readTag } from "./html-syntax.js";
import { INCOMPLETE, readFootnoteLabel } from "./link-syntax.js";
import { couldCloseMath } from "./math-syntax.js";

/** @typedef {import("./open-block.js").Block} Block */
/** @typedef {import("./line-plan.js").LinePlan} LinePlan */

/** A line of nothing but the markers of lists, thematic breaks, underlines, tables, headings or fences. */
const ONLY_MARKERS = /^(?:[*+_=|:\- \t]+|(?:\d{1,9}[.)]?|#{1,6}|`+|~+|\$\$?|\\\[?)[ \t]*)$/;

/**
 * Return whether the plan of a line stays the same whatever follows in the line.
 * @param {LinePlan} plan
 * @param {Block} tip the innermost open block before the line
 * @param {number} size how many blocks are open before the line
 */
export function isLineDecided(plan, tip, size) {
  const { line, leaf, depth } = plan;
  if (line.isEmpty) return false;
  const isVerbatim = depth === size && typeof tip.node.value === "string";
  if (isVerbatim && tip.kind === "math") return !couldCloseMath(line.content);
  if (isVerbatim) return tip.kind !== "fenced" || !couldCloseFence(line.content, tip.marker);
  if (/^[-*+_=|:> \t]*$/.test(line.text)) return false;
  if (!leaf) return isSurelyText(line.content);
  if (leaf.kind === "heading") return /[^#\s]/.test(leaf.text);
  if (leaf.kind === "html") return leaf.htmlKind < ANY_TAG && htmlBlockKind(`${line.content}x`) === leaf.htmlKind;
  return leaf.kind === "indented";
}

/**
 * @param {string} content
 * @param {string} mark
 */
function couldCloseFence(content, mark) {
  return content.replaceAll(mark, "").trim() === "";
}

/** @param {string} content of a line that is a paragraph's so far */
function isSurelyText(content) {
  if (ONLY_MARKERS.test(content)) return false;
  if (content.startsWith("<")) return isSurelyNoTag(content);
  if (!content.startsWith("[^")) return content !== "[";
  const end = readFootnoteLabel(content, 1);
  return end !== INCOMPLETE && end !== content.length;
}

/** @param {string} content from `<` */
function isSurelyNoTag(content) {
  if (/^<(?:!-?|!\[[A-Z]{0,5})?$/.test(content)) return false;
  return readTag(content, 0, (mark, from) => content.indexOf(mark, from)) !== INCOMPLETE;
}

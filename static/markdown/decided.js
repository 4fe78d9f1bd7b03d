/**
 * Whether the beginning of a line already says what the line is. Until then it is held back, so that nothing is
 * shown as one thing and turns out to be another.
 */
import { htmlStart, readTag } from "./html.js";
import { MORE, readFootnoteLabel } from "./links.js";
import { couldClose } from "./math.js";

/** @typedef {import("./block.js").Block} Block */
/** @typedef {import("./plan.js").Plan} Plan */

/** Signs of lists, of rules, of underlines, of tables and of fences, as long as there is nothing else. */
const MARKERS = /^(?:[*+_=|:\- \t]+|(?:\d{1,9}[.)]?|#{1,6}|`+|~+|\$\$?|\\\[?)[ \t]*)$/;

/**
 * Tell whether what a line does can't change any more, whatever follows in it.
 * @param {Plan} planned
 * @param {Block} tip the innermost open block before it
 * @param {number} size how many blocks are open before it
 */
export function isDecided(planned, tip, size) {
  const { line, leaf, depth } = planned;
  if (line.isEmpty) return false;
  const isVerbatim = depth === size && typeof tip.node.value === "string";
  if (isVerbatim && tip.kind === "math") return !couldClose(line.content);
  if (isVerbatim) return tip.kind !== "fenced" || !couldEnd(line.content, tip.marker);
  if (/^[-*+_=|:> \t]*$/.test(line.text)) return false;
  if (!leaf) return isText(line.content);
  if (leaf.kind === "heading") return /[^#\s]/.test(leaf.text);
  if (leaf.kind === "html") return leaf.depth < 6 && htmlStart(`${line.content}x`) === leaf.depth;
  return leaf.kind === "indented";
}

/**
 * @param {string} content
 * @param {string} mark
 */
function couldEnd(content, mark) {
  return content.replaceAll(mark, "").trim() === "";
}

/** @param {string} content of a line that as yet is a paragraph's */
function isText(content) {
  if (MARKERS.test(content)) return false;
  if (content.startsWith("<")) return isNoTag(content);
  if (!content.startsWith("[^")) return content !== "[";
  const end = readFootnoteLabel(content, 1);
  return end !== MORE && end !== content.length;
}

/** @param {string} content from `<` */
function isNoTag(content) {
  if (/^<(?:!-?|!\[[A-Z]{0,5})?$/.test(content)) return false;
  return readTag(content, 0, (mark, from) => content.indexOf(mark, from)) !== -2;
}

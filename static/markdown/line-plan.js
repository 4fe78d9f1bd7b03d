/**
 * The effect of a line on the open blocks, determined without changing them.
 */
import { BLOCK_TAG } from "./html-syntax.js";
import { NO_MATCH, readDefinition } from "./link-syntax.js";
import { isFenceEnd, isUnderline, readContainer, readQuote, readStart } from "./block-starts.js";
import { isTableHead, readDelimiterRow } from "./table-syntax.js";

/** @typedef {import("./open-block.js").Block} Block */
/** @typedef {import("./line-cursor.js").LineCursor} LineCursor */
/** @typedef {import("./block-starts.js").Container} Container */
/** @typedef {import("./block-starts.js").Start} Start */

/**
 * @typedef {object} LinePlan the effect of a line
 * @property {LineCursor} line advanced to the innermost block's content
 * @property {number} depth how many of the open blocks stay open
 * @property {Container[]} containers the container blocks that it opens within them
 * @property {Start | null} leaf the leaf block that it then starts; null for text
 * @property {(string | null)[] | null} alignment of the columns, if it is a table's delimiter row below a head
 * @property {boolean} isFenceEnd whether it closes the open fence, or the innermost one within it
 */

/**
 * Return what a line does to the open blocks.
 * @param {Block[]} stack open blocks, the document first
 * @param {LineCursor} line
 * @param {boolean} isChat
 * @returns {LinePlan}
 */
export function planLine(stack, line, isChat) {
  const matched = countMatched(stack, line);
  const tip = /** @type {Block} */ (stack.at(-1));
  const isAllMatched = matched === stack.length;
  const base = { line, depth: matched, containers: [], leaf: null, alignment: null, isFenceEnd: false };
  if (isAllMatched && tip.kind === "fenced") return { ...base, isFenceEnd: isFenceEnd(line, tip) };
  if (isAllMatched && (tip.kind === "html" || tip.kind === "indented" || tip.kind === "math")) return base;
  const { containers, leaf } = readStarts(line, tip, isAllMatched);
  const isText = containers.length === 0 && leaf === null && !line.isEmpty;
  // A lazy continuation line.
  if (isText && !isAllMatched && tip.kind === "paragraph") return { ...base, depth: stack.length };
  const alignment = isText && isAllMatched ? alignmentUnder(tip, line, isChat) : null;
  const endsTip = isAllMatched && (tip.kind === "paragraph" || tip.kind === "table") && !isText && leaf?.kind !== "setext";
  const depth = endsTip ? matched - 1 : matched;
  return { ...base, containers, leaf, alignment, depth: canContain(stack, depth, containers, line) ? depth : depth - 1 };
}

/**
 * Count the open blocks that a line continues, and advance it to the content of the last of them.
 * @param {Block[]} stack
 * @param {LineCursor} line
 */
function countMatched(stack, line) {
  let depth = 1;
  line.measure();
  while (depth < stack.length && continues(/** @type {Block} */ (stack[depth]), line)) {
    line.measure();
    depth++;
  }
  return depth;
}

/**
 * @param {Block} block
 * @param {LineCursor} line
 * @returns {boolean} whether the line continues the block
 */
function continues(block, line) {
  switch (block.kind) {
    case "blockquote":
      if (line.indent > 3 || line.code !== 62) return false;
      readQuote(line);
      return true;
    case "listItem":
      if (!line.isEmpty) return skipIndent(line, block.width);
      line.skip(block.hasChildren ? block.width : 0);
      return block.hasChildren;
    case "footnoteDefinition":
      return line.isEmpty || skipIndent(line, block.width);
    case "indented":
      return line.isEmpty || line.indent > 3;
    case "html":
      return block.width < BLOCK_TAG || !line.isEmpty;
    case "paragraph":
    case "table":
      return !line.isEmpty;
    default:
      return block.kind === "list" || block.kind === "fenced" || block.kind === "math";
  }
}

/**
 * @param {LineCursor} line
 * @param {number} width
 */
function skipIndent(line, width) {
  if (line.indent < width) return false;
  line.skip(width);
  return true;
}

/**
 * Read the containers that a line opens, and the start of the leaf block within them.
 * @param {LineCursor} line
 * @param {Block} tip
 * @param {boolean} isAllMatched whether the line continues all open blocks
 * @returns {{containers: Container[], leaf: Start | null}}
 */
function readStarts(line, tip, isAllMatched) {
  /** @type {Container[]} */
  const containers = [];
  const isParagraph = tip.kind === "paragraph";
  for (;;) {
    const isFirst = containers.length === 0;
    if (line.isEmpty) return { containers, leaf: null };
    if (line.indent > 3) return { containers, leaf: isFirst && isParagraph ? null : indented };
    const container = readContainer(line, isParagraph && isAllMatched);
    if (container === null) {
      const canUnderline = isFirst && isParagraph && isAllMatched && isUnderline(line.content) && !hasOnlyDefinitions(tip.text);
      return { containers, leaf: readStart(line, isFirst && isParagraph, canUnderline) };
    }
    containers.push(container);
    line.measure();
  }
}

/** @type {Start} */
const indented = { kind: "indented", depth: 0, length: 0, htmlKind: 0, text: "", marker: "", indent: 4 };

/**
 * Return whether a text consists of reference definitions only: no setext heading can be made of them.
 * @param {string} text
 */
function hasOnlyDefinitions(text) {
  let at = 0;
  while (at < text.length) {
    const definition = readDefinition(text, at, false);
    if (definition === NO_MATCH || typeof definition === "number") return false;
    at = definition.end;
  }
  return true;
}

/**
 * @param {Block} tip
 * @param {LineCursor} line
 * @param {boolean} isChat
 */
function alignmentUnder(tip, line, isChat) {
  if (tip.kind !== "paragraph" || !tip.mayBeTableHead || !/[-:|]/.test(line.text.charAt(line.contentStart))) return null;
  const alignment = line.indent < 4 ? readDelimiterRow(line.content) : null;
  return alignment && isTableHead(tip.line, alignment.length, isChat) ? alignment : null;
}

/**
 * Return whether the innermost block that stays open can contain the line's blocks: a list contains only items of its own marker.
 * @param {Block[]} stack
 * @param {number} depth
 * @param {Container[]} containers
 * @param {LineCursor} line
 */
function canContain(stack, depth, containers, line) {
  const last = /** @type {Block} */ (stack[depth - 1]);
  if (last.kind !== "list" || (line.isEmpty && containers.length === 0)) return true;
  return containers[0]?.kind === "listItem" && containers[0].marker === last.marker;
}

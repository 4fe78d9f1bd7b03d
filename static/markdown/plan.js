/**
 * What a line would do to the open blocks, found out without changing them.
 */
import { TAG } from "./html.js";
import { NONE, readDefinition } from "./links.js";
import { isFenceEnd, isUnderline, readContainer, readQuote, readStart } from "./starts.js";
import { isHead, readAlignment } from "./table.js";

/** @typedef {import("./block.js").Block} Block */
/** @typedef {import("./line.js").Line} Line */
/** @typedef {import("./starts.js").Container} Container */
/** @typedef {import("./starts.js").Start} Start */

/**
 * @typedef {object} Plan what a line does
 * @property {Line} line read up to what the innermost block takes
 * @property {number} depth how many open blocks it leaves open
 * @property {Container[]} containers what it opens within them
 * @property {Start | null} leaf the block it then begins, if it is not plain text
 * @property {(string | null)[] | null} alignment set when it makes the line before it the head of a table
 * @property {boolean} isFenceEnd
 * @property {boolean} isLazy whether it goes on with a paragraph whose containers it does not name
 */

/**
 * Look what a line would do.
 * @param {Block[]} stack open blocks, the document first
 * @param {Line} line
 * @returns {Plan}
 */
export function plan(stack, line) {
  const matched = match(stack, line);
  const tip = /** @type {Block} */ (stack.at(-1));
  const isWhole = matched === stack.length;
  const bare = { line, depth: matched, containers: [], leaf: null, alignment: null, isFenceEnd: false, isLazy: false };
  if (isWhole && tip.kind === "fenced") return { ...bare, isFenceEnd: isFenceEnd(line, tip.marker, tip.width) };
  if (isWhole && (tip.kind === "html" || tip.kind === "indented" || tip.kind === "math")) return bare;
  const { containers, leaf } = opened(line, tip, isWhole);
  const isPlain = containers.length === 0 && leaf === null && !line.isEmpty;
  if (isPlain && !isWhole && tip.kind === "paragraph") return { ...bare, depth: stack.length, isLazy: true };
  const alignment = isPlain && isWhole ? alignmentUnder(tip, line) : null;
  const isOver = isWhole && (tip.kind === "paragraph" || tip.kind === "table") && !isPlain && leaf?.kind !== "setext";
  const depth = isOver ? matched - 1 : matched;
  return { ...bare, containers, leaf, alignment, depth: isInList(stack, depth, containers, line) ? depth : depth - 1 };
}

/**
 * Count the open blocks that a line names, and read it up to what the last of them holds.
 * @param {Block[]} stack
 * @param {Line} line
 */
function match(stack, line) {
  let depth = 1;
  line.measure();
  while (depth < stack.length && goesOn(/** @type {Block} */ (stack[depth]), line)) {
    line.measure();
    depth++;
  }
  return depth;
}

/**
 * @param {Block} block
 * @param {Line} line
 * @returns {boolean} whether the block goes on with this line
 */
function goesOn(block, line) {
  switch (block.kind) {
    case "blockquote":
      if (line.indent > 3 || line.code !== 62) return false;
      readQuote(line);
      return true;
    case "listItem":
      if (!line.isEmpty) return takeIndent(line, block.width);
      line.skip(block.isFilled ? block.width : 0);
      return block.isFilled;
    case "footnoteDefinition":
      return line.isEmpty || takeIndent(line, block.width);
    case "indented":
      return line.isEmpty || line.indent > 3;
    case "html":
      return block.width < TAG || !line.isEmpty;
    case "paragraph":
    case "table":
      return !line.isEmpty;
    default:
      return block.kind === "list" || block.kind === "fenced" || block.kind === "math";
  }
}

/**
 * @param {Line} line
 * @param {number} width
 */
function takeIndent(line, width) {
  if (line.indent < width) return false;
  line.skip(width);
  return true;
}

/**
 * Read the containers that a line opens, and the block within them.
 * @param {Line} line
 * @param {Block} tip
 * @param {boolean} isWhole whether the line belongs to all that is open
 * @returns {{containers: Container[], leaf: Start | null}}
 */
function opened(line, tip, isWhole) {
  /** @type {Container[]} */
  const containers = [];
  const isText = tip.kind === "paragraph";
  for (;;) {
    const isFirst = containers.length === 0;
    if (line.isEmpty) return { containers, leaf: null };
    if (line.indent > 3) return { containers, leaf: isFirst && isText ? null : indented };
    const container = readContainer(line, isText && isWhole);
    if (container === null) {
      const canUnderline = isFirst && isText && isWhole && isUnderline(line.content) && !isDefinitions(tip.text);
      return { containers, leaf: readStart(line, isFirst && isText, canUnderline) };
    }
    containers.push(container);
    line.measure();
  }
}

/** @type {Start} */
const indented = { kind: "indented", depth: 0, text: "", mark: "", indent: 4 };

/**
 * Tell whether an underline would have nothing to underline but definitions.
 * @param {string} text
 */
function isDefinitions(text) {
  let at = 0;
  while (at < text.length) {
    const definition = readDefinition(text, at, false);
    if (definition === NONE || typeof definition === "number") return false;
    at = definition.end;
  }
  return true;
}

/**
 * @param {Block} tip
 * @param {Line} line
 */
function alignmentUnder(tip, line) {
  if (tip.kind !== "paragraph" || !tip.isHead || !/[-:|]/.test(line.text.charAt(line.first))) return null;
  const alignment = line.indent < 4 ? readAlignment(line.content) : null;
  return alignment && isHead(tip.line, alignment.length) ? alignment : null;
}

/**
 * Tell whether the innermost block that stays open can hold what comes: a list holds only its items.
 * @param {Block[]} stack
 * @param {number} depth
 * @param {Container[]} containers
 * @param {Line} line
 */
function isInList(stack, depth, containers, line) {
  const last = /** @type {Block} */ (stack[depth - 1]);
  if (last.kind !== "list" || (line.isEmpty && containers.length === 0)) return true;
  return containers[0]?.kind === "listItem" && containers[0].marker === last.marker;
}

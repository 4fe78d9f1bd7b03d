/**
 * The starts of container and leaf blocks. Each function reads a measured line and returns the block that starts at its content;
 * those for containers also advance the line past the marker.
 */
import { isBlank, skipBlanks, trimEnd } from "./characters.js";
import { ANY_TAG, htmlBlockKind } from "./html-syntax.js";
import { readFootnoteLabel } from "./link-syntax.js";
import { mathBlockCloser } from "./math-syntax.js";

/** @typedef {import("./line-cursor.js").LineCursor} LineCursor */

/**
 * @typedef {object} Container a container block that starts here
 * @property {"blockquote" | "listItem" | "footnoteDefinition"} kind
 * @property {string} marker of an item: its bullet, or the delimiter after its number
 * @property {number} [start] of an ordered item
 * @property {number} width the indent of its lines, in columns
 * @property {string} [label] of a footnote
 */

/**
 * @typedef {object} Start a leaf block that starts here
 * @property {"heading" | "fenced" | "math" | "html" | "setext" | "thematicBreak" | "indented"} kind
 * @property {number} depth of a heading: its level
 * @property {number} length of a fence
 * @property {number} htmlKind of HTML: its kind
 * @property {string} text of a heading: its content; of a fence: its info string
 * @property {string} marker of a fence: its character; of a formula: its closer
 * @property {number} indent of a fence: the columns before it
 */

const BULLET = /^[*+-](?=[ \t]|$)/;
const NUMBER = /^(\d{1,9})([.)])(?=[ \t]|$)/;
const HEADING = /^#{1,6}(?=[ \t]|$)/;
const FENCE = /^(?:`{3,}(?=[^`]*$)|~{3,})/;

/**
 * Return whether the rest of a line is a thematic break: three or more of one character, and blanks.
 * @param {LineCursor} line measured
 */
function isThematicBreak(line) {
  const { text, contentStart, code } = line;
  if ((code !== 42 && code !== 45 && code !== 95) || line.isBreakExcluded(code)) return false;
  let count = 0;
  for (let at = contentStart; at < text.length; at++) {
    if (text.charCodeAt(at) === code) count++;
    else if (!isBlank(text.charCodeAt(at))) return line.excludeBreak(code, at);
  }
  return count > 2;
}

/**
 * Read the marker of a container block.
 * @param {LineCursor} line measured, indented by less than four columns
 * @param {boolean} isInterrupting whether it would interrupt a paragraph
 * @returns {Container | null}
 */
export function readContainer(line, isInterrupting) {
  const { code } = line;
  if (code === 62) return readQuote(line);
  if (code === 91) return readFootnote(line);
  if (code === 42 || code === 43 || code === 45 || (code > 47 && code < 58)) return readItem(line, isInterrupting);
  return null;
}

/**
 * Read the marker of a block quote, and advance past it.
 * @param {LineCursor} line measured
 * @returns {Container}
 */
export function readQuote(line) {
  line.skip(line.indent).advance(1).skip(1);
  return { kind: "blockquote", marker: ">", width: 0 };
}

/**
 * @param {LineCursor} line
 * @returns {Container | null}
 */
function readFootnote(line) {
  const end = readFootnoteLabel(line.text, line.contentStart + 1);
  if (end < 0 || line.text.charCodeAt(end) !== 58) return null;
  const label = line.text.slice(line.contentStart + 2, end - 1);
  line.skip(line.indent).advance(end + 1 - line.contentStart);
  line.measure().skip(line.indent);
  return { kind: "footnoteDefinition", marker: "", width: 4, label };
}

/**
 * @param {LineCursor} line
 * @param {boolean} isInterrupting
 * @returns {Container | null}
 */
function readItem(line, isInterrupting) {
  const text = line.content;
  const number = NUMBER.exec(text);
  const marker = number?.[0] ?? BULLET.exec(text)?.[0];
  if (!marker || (!number && isThematicBreak(line))) return null;
  const isEmpty = skipBlanks(text, marker.length) === text.length;
  if (isInterrupting && (isEmpty || (number && number[1] !== "1"))) return null;
  const before = line.indent;
  line.skip(before).advance(marker.length).measure();
  const after = isEmpty || line.indent > 4 ? 1 : line.indent;
  line.skip(after);
  const width = before + marker.length + after;
  if (!number) return { kind: "listItem", marker, width };
  return { kind: "listItem", marker: number[2] ?? "", start: Number(number[1]), width };
}

/**
 * Return the leaf block that starts here.
 * @param {LineCursor} line measured, indented by less than four columns
 * @param {boolean} isAfterText whether the line could continue a paragraph, also as a lazy continuation line
 * @param {boolean} canUnderline whether it is a setext underline below a paragraph with text
 * @returns {Start | null}
 */
export function readStart(line, isAfterText, canUnderline) {
  const { code } = line;
  const text = line.content;
  if (code === 35) return readHeading(text);
  if (code === 96 || code === 126) return readFence(line);
  if (code === 36 || code === 92) {
    const marker = mathBlockCloser(text);
    return marker ? start("math", { marker, indent: line.indent }) : null;
  }
  if (code === 60) {
    const kind = htmlBlockKind(text);
    return kind < 0 || (kind === ANY_TAG && isAfterText) ? null : start("html", { htmlKind: kind });
  }
  if (canUnderline) return start("setext", { depth: code === 61 ? 1 : 2 });
  return isThematicBreak(line) ? start("thematicBreak", {}) : null;
}

/**
 * @param {Start["kind"]} kind
 * @param {Partial<Start>} fields
 * @returns {Start}
 */
function start(kind, { depth = 0, length = 0, htmlKind = 0, text = "", marker = "", indent = 0 }) {
  return { kind, depth, length, htmlKind, text, marker, indent };
}

/**
 * Return whether a line is a setext heading underline.
 * @param {string} text
 */
export function isUnderline(text) {
  return /^(?:=+|-+)[ \t]*$/.test(text);
}

/** @param {string} text */
function readHeading(text) {
  const marker = HEADING.exec(text)?.[0];
  return marker ? start("heading", { depth: marker.length, text: text.slice(marker.length) }) : null;
}

/** @param {LineCursor} line */
function readFence(line) {
  const fence = FENCE.exec(line.content)?.[0];
  if (!fence) return null;
  const text = line.content.slice(fence.length);
  return start("fenced", { length: fence.length, text, marker: fence.charAt(0), indent: line.indent });
}

/**
 * Return the length of a fence with an info string: one that can only open a block.
 * @param {string} text a line
 * @param {string} marker
 * @returns {number} 0 if the line is none
 */
export function openingFence(text, marker) {
  const content = text.trim();
  const fence = content.startsWith(marker) ? (FENCE.exec(content)?.[0] ?? "") : "";
  return fence.length < content.length ? fence.length : 0;
}

/**
 * Return whether a line is the closing fence, or closes the innermost one within it.
 * @param {LineCursor} line measured
 * @param {import("./open-block.js").Block} fence
 */
export function isFenceEnd(line, { marker, width, inner }) {
  const length = inner.at(-1) ?? width;
  let at = line.contentStart;
  while (line.text.charAt(at) === marker) at++;
  return line.indent < 4 && at - line.contentStart >= length && skipBlanks(line.text, at) === line.text.length;
}

/**
 * Return the content of an ATX heading, without the closing sequence.
 * @param {string} text after the opening sequence
 */
export function headingText(text) {
  const content = trimEnd(text.slice(skipBlanks(text, 0)));
  let end = content.length;
  while (content.charCodeAt(end - 1) === 35) end--;
  if (end === 0) return "";
  return isBlank(content.charCodeAt(end - 1)) ? trimEnd(content.slice(0, end)) : content;
}

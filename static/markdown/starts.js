/**
 * How containers and blocks begin. Each function looks at a line from where it is measured and says what begins
 * there; a container also takes its marker from the line.
 */
import { isBlank, skipBlanks, trimEnd } from "./characters.js";
import { ANY, htmlStart } from "./html.js";
import { readFootnoteLabel } from "./links.js";
import { blockCloser } from "./math.js";

/** @typedef {import("./line.js").Line} Line */

/**
 * @typedef {object} Container what one marker opens
 * @property {"blockquote" | "listItem" | "footnoteDefinition"} kind
 * @property {string} marker of an item: its sign, or what follows its number
 * @property {number} [start] of an ordered item
 * @property {number} width columns that its lines must be indented by
 * @property {string} [label] of a footnote
 */

/**
 * @typedef {object} Start what a block begins with
 * @property {"heading" | "fenced" | "math" | "html" | "setext" | "thematicBreak" | "indented"} kind
 * @property {number} depth of a heading; of a fence, its length; of HTML, its kind
 * @property {string} text of a heading, its content; of a fence, its info
 * @property {string} mark of a fence, its character; of a formula, what closes it
 * @property {number} indent of a fence, the columns before it
 */

const BULLET = /^[*+-](?=[ \t]|$)/;
const NUMBER = /^(\d{1,9})([.)])(?=[ \t]|$)/;
const HEADING = /^#{1,6}(?=[ \t]|$)/;
const FENCE = /^(?:`{3,}(?=[^`]*$)|~{3,})/;

/**
 * Tell whether the rest of a line is three or more of one sign and blanks.
 * @param {Line} line measured
 */
function isThematic(line) {
  const { text, first, code } = line;
  if ((code !== 42 && code !== 45 && code !== 95) || line.isBroken(code)) return false;
  let count = 0;
  for (let at = first; at < text.length; at++) {
    if (text.charCodeAt(at) === code) count++;
    else if (!isBlank(text.charCodeAt(at))) return line.break(code, at);
  }
  return count > 2;
}

/**
 * Read the marker of a container.
 * @param {Line} line measured, indented by less than four columns
 * @param {boolean} isInterrupting whether a paragraph would end here
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
 * Take the marker of a quote.
 * @param {Line} line measured
 * @returns {Container}
 */
export function readQuote(line) {
  line.skip(line.indent).take(1).skip(1);
  return { kind: "blockquote", marker: ">", width: 0 };
}

/**
 * @param {Line} line
 * @returns {Container | null}
 */
function readFootnote(line) {
  const end = readFootnoteLabel(line.text, line.first + 1);
  if (end < 0 || line.text.charCodeAt(end) !== 58) return null;
  const label = line.text.slice(line.first + 2, end - 1);
  line.skip(line.indent).take(end + 1 - line.first);
  line.measure().skip(line.indent);
  return { kind: "footnoteDefinition", marker: "", width: 4, label };
}

/**
 * @param {Line} line
 * @param {boolean} isInterrupting
 * @returns {Container | null}
 */
function readItem(line, isInterrupting) {
  const text = line.content;
  const number = NUMBER.exec(text);
  const marker = number?.[0] ?? BULLET.exec(text)?.[0];
  if (!marker || (!number && isThematic(line))) return null;
  const isEmpty = skipBlanks(text, marker.length) === text.length;
  if (isInterrupting && (isEmpty || (number && number[1] !== "1"))) return null;
  const before = line.indent;
  line.skip(before).take(marker.length).measure();
  const after = isEmpty || line.indent > 4 ? 1 : line.indent;
  line.skip(after);
  const width = before + marker.length + after;
  if (!number) return { kind: "listItem", marker, width };
  return { kind: "listItem", marker: number[2] ?? "", start: Number(number[1]), width };
}

/**
 * Tell which block begins here.
 * @param {Line} line measured, indented by less than four columns
 * @param {boolean} isAfterText whether the line could go on with a paragraph, be it one it does not name
 * @param {boolean} canUnderline whether it is an underline below a paragraph that holds a text
 * @returns {Start | null}
 */
export function readStart(line, isAfterText, canUnderline) {
  const { code } = line;
  const text = line.content;
  if (code === 35) return readHeading(text);
  if (code === 96 || code === 126) return readFence(line);
  if (code === 36 || code === 92) {
    const mark = blockCloser(text);
    return mark ? start("math", { mark, indent: line.indent }) : null;
  }
  if (code === 60) {
    const kind = htmlStart(text);
    return kind < 0 || (kind === ANY && isAfterText) ? null : start("html", { depth: kind });
  }
  if (canUnderline) return start("setext", { depth: code === 61 ? 1 : 2 });
  return isThematic(line) ? start("thematicBreak", {}) : null;
}

/**
 * @param {Start["kind"]} kind
 * @param {Partial<Start>} rest
 * @returns {Start}
 */
function start(kind, { depth = 0, text = "", mark = "", indent = 0 }) {
  return { kind, depth, text, mark, indent };
}

/**
 * Tell whether a line can make a heading of the paragraph before it.
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

/** @param {Line} line */
function readFence(line) {
  const fence = FENCE.exec(line.content)?.[0];
  if (!fence) return null;
  const text = line.content.slice(fence.length);
  return start("fenced", { depth: fence.length, text, mark: fence.charAt(0), indent: line.indent });
}

/**
 * Tell whether a line closes a fence.
 * @param {Line} line measured
 * @param {string} mark
 * @param {number} length
 */
export function isFenceEnd(line, mark, length) {
  let at = line.first;
  while (line.text.charAt(at) === mark) at++;
  return line.indent < 4 && at - line.first >= length && skipBlanks(line.text, at) === line.text.length;
}

/**
 * Cut a heading's content out of its line.
 * @param {string} text after the opening marks
 */
export function headingText(text) {
  const content = trimEnd(text.slice(skipBlanks(text, 0)));
  let end = content.length;
  while (content.charCodeAt(end - 1) === 35) end--;
  if (end === 0) return "";
  return isBlank(content.charCodeAt(end - 1)) ? trimEnd(content.slice(0, end)) : content;
}

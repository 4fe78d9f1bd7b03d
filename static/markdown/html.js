/**
 * Where HTML begins and ends, as a block of lines and within a text.
 */
import { after } from "./characters.js";

const BLOCKS =
  "address|article|aside|base|basefont|blockquote|body|caption|center|col|colgroup|dd|details|dialog|dir|div|dl|dt|fieldset|" +
  "figcaption|figure|footer|form|frame|frameset|h[1-6]|head|header|hr|html|iframe|legend|li|link|main|menu|menuitem|nav|noframes|" +
  "ol|optgroup|option|p|param|search|section|summary|table|tbody|td|tfoot|th|thead|title|tr|track|ul";

/** How each kind of block begins; the last is any whole tag alone on its line. */
const BEGINS = [
  /^<(?:script|pre|style|textarea)(?:[ \t>]|$)/i,
  /^<!--/,
  /^<\?/,
  /^<![a-z]/i,
  /^<!\[CDATA\[/,
  new RegExp(`^</?(?:${BLOCKS})(?:[ \\t>]|/>|$)`, "i"),
];
/** What a line must hold to be the last of its block; the other kinds end before a blank line. */
const ENDS = [/<\/(?:script|pre|style|textarea)>/i, /-->/, /\?>/, />/, /\]\]>/];

const NAME = /[a-z][a-z\d-]*/iy;
const ATTRIBUTE = /[a-z_:][\w.:-]*/iy;
const PLAIN = /[^\s"'=<>`]+/y;
const SPACES = /[ \t\n]*/y;

/** Kind of the blocks that end before a blank line and may begin in place of a paragraph. */
export const TAG = 5;
/** Kind of the blocks that begin with any whole tag. */
export const ANY = 6;

/**
 * Tell which kind of block a line begins.
 * @param {string} text the line from its `<`
 * @returns {number} -1 when none
 */
export function htmlStart(text) {
  const kind = BEGINS.findIndex((begin) => begin.test(text));
  if (kind >= 0) return kind;
  const end = readTag(text, 0, (mark, from) => text.indexOf(mark, from));
  return end > 0 && text.slice(end).trim() === "" ? ANY : -1;
}

/**
 * Tell whether a line is the last of its block.
 * @param {number} kind
 * @param {string} text
 */
export function isHtmlEnd(kind, text) {
  return ENDS[kind]?.test(text) ?? false;
}

/** @typedef {(mark: string, from: number) => number} Find where a mark is next, or -1 */

/**
 * Read a whole tag.
 * @param {string} text
 * @param {number} from at `<`
 * @param {Find} find
 * @returns {number} after `>`; -1 when there is none, -2 when the text ends too early to say
 */
export function readTag(text, from, find) {
  const isClosing = text.charAt(from + 1) === "/";
  const start = from + (isClosing ? 2 : 1);
  const name = after(NAME, text, start);
  if (name === start) return start < text.length ? -1 : -2;
  let at = isClosing ? after(SPACES, text, name) : readAttributes(text, name, find);
  if (at < 0) return at;
  if (!isClosing && text.charAt(at) === "/") at++;
  if (at >= text.length) return -2;
  return text.charAt(at) === ">" ? at + 1 : -1;
}

/**
 * @param {string} text
 * @param {number} from
 * @param {Find} find
 * @returns {number} after the last attribute and the spaces behind it
 */
function readAttributes(text, from, find) {
  for (let at = from; ; ) {
    const start = after(SPACES, text, at);
    if (start === at) return at;
    const name = after(ATTRIBUTE, text, start);
    if (name === start) return start;
    at = readValue(text, name, find);
    if (at < 0) return at;
  }
}

/**
 * @param {string} text
 * @param {number} from after the attribute's name
 * @param {Find} find
 * @returns {number} after its value; `from` when it has none
 */
function readValue(text, from, find) {
  const sign = after(SPACES, text, from);
  if (text.charAt(sign) !== "=") return from;
  const start = after(SPACES, text, sign + 1);
  const mark = text.charAt(start);
  if (mark === "") return -2;
  if (mark === '"' || mark === "'") {
    const end = find(mark, start + 1);
    return end < 0 ? -2 : end + 1;
  }
  const end = after(PLAIN, text, start);
  return end === start ? -1 : end;
}

/**
 * Read HTML within a text: a tag, a comment, an instruction, a declaration or CDATA.
 * @param {string} text
 * @param {number} from at `<`
 * @param {Find} find
 * @returns {number} after it; -1 when there is none, -2 when the text ends too early to say
 */
export function readHtml(text, from, find) {
  const second = text.charAt(from + 1);
  if (second === "?") return until("?>", from + 2, find);
  if (second !== "!") return readTag(text, from, find);
  if (text.startsWith("--", from + 2)) return readComment(text, from + 4, find);
  const rest = text.slice(from + 2, from + 9);
  if (rest === "[CDATA[") return until("]]>", from + 9, find);
  if (/^[a-z]/i.test(rest)) return until(">", from + 3, find);
  return from + 2 + rest.length === text.length && ("--".startsWith(rest) || "[CDATA[".startsWith(rest)) ? -2 : -1;
}

/**
 * @param {string} text
 * @param {number} from after `<!--`
 * @param {Find} find
 */
function readComment(text, from, find) {
  if (text.charAt(from) === ">") return from + 1;
  if (text.startsWith("->", from)) return from + 2;
  return until("-->", from, find);
}

/**
 * @param {string} mark
 * @param {number} from
 * @param {Find} find
 */
function until(mark, from, find) {
  const at = find(mark, from);
  return at < 0 ? -2 : at + mark.length;
}

/**
 * The syntax of raw HTML, as a block and inline.
 */
import { matchEnd } from "./characters.js";

const BLOCK_TAGS =
  "address|article|aside|base|basefont|blockquote|body|caption|center|col|colgroup|dd|details|dialog|dir|div|dl|dt|fieldset|" +
  "figcaption|figure|footer|form|frame|frameset|h[1-6]|head|header|hr|html|iframe|legend|li|link|main|menu|menuitem|nav|noframes|" +
  "ol|optgroup|option|p|param|search|section|summary|table|tbody|td|tfoot|th|thead|title|tr|track|ul";

/** The start conditions of HTML blocks by kind (https://spec.commonmark.org/0.31.2/#html-blocks); kind 6 is any complete tag. */
const BLOCK_STARTS = [
  /^<(?:script|pre|style|textarea)(?:[ \t>]|$)/i,
  /^<!--/,
  /^<\?/,
  /^<![a-z]/i,
  /^<!\[CDATA\[/,
  new RegExp(`^</?(?:${BLOCK_TAGS})(?:[ \\t>]|/>|$)`, "i"),
];
/** The end conditions by kind; the other kinds end before a blank line. */
const BLOCK_ENDS = [/<\/(?:script|pre|style|textarea)>/i, /-->/, /\?>/, />/, /\]\]>/];

const NAME = /[a-z][a-z\d-]*/iy;
const ATTRIBUTE = /[a-z_:][\w.:-]*/iy;
const UNQUOTED = /[^\s"'=<>`]+/y;
const SPACES = /[ \t\n]*/y;

/** The kind of blocks that begin with a block-level tag: they end before a blank line and may interrupt a paragraph. */
export const BLOCK_TAG = 5;
/** The kind of blocks that begin with any complete tag alone on its line. */
export const ANY_TAG = 6;

/**
 * Return the kind of HTML block that a line begins.
 * @param {string} text the line from its `<`
 * @returns {number} -1 if it begins none
 */
export function htmlBlockKind(text) {
  const kind = BLOCK_STARTS.findIndex((start) => start.test(text));
  if (kind >= 0) return kind;
  const end = readTag(text, 0, (mark, from) => text.indexOf(mark, from));
  return end > 0 && text.slice(end).trim() === "" ? ANY_TAG : -1;
}

/**
 * Return whether a line fulfils the end condition of its block.
 * @param {number} kind
 * @param {string} text
 */
export function isHtmlBlockEnd(kind, text) {
  return BLOCK_ENDS[kind]?.test(text) ?? false;
}

/** @typedef {(mark: string, from: number) => number} Find returns the next position of a mark, or -1 */

/**
 * Read a complete tag.
 * @param {string} text
 * @param {number} from at `<`
 * @param {Find} find
 * @returns {number} after `>`; -1 if there is no tag, -2 if the text ends before this is decided
 */
export function readTag(text, from, find) {
  const isClosing = text.charAt(from + 1) === "/";
  const start = from + (isClosing ? 2 : 1);
  const name = matchEnd(NAME, text, start);
  if (name === start) return start < text.length ? -1 : -2;
  let at = isClosing ? matchEnd(SPACES, text, name) : readAttributes(text, name, find);
  if (at < 0) return at;
  if (!isClosing && text.charAt(at) === "/") at++;
  if (at >= text.length) return -2;
  return text.charAt(at) === ">" ? at + 1 : -1;
}

/**
 * @param {string} text
 * @param {number} from
 * @param {Find} find
 * @returns {number} after the last attribute and the spaces that follow it
 */
function readAttributes(text, from, find) {
  for (let at = from; ; ) {
    const start = matchEnd(SPACES, text, at);
    if (start === at) return at;
    const name = matchEnd(ATTRIBUTE, text, start);
    if (name === start) return start;
    at = readValue(text, name, find);
    if (at < 0) return at;
  }
}

/**
 * @param {string} text
 * @param {number} from after the attribute's name
 * @param {Find} find
 * @returns {number} after its value; `from` if it has none
 */
function readValue(text, from, find) {
  const equals = matchEnd(SPACES, text, from);
  if (text.charAt(equals) !== "=") return from;
  const start = matchEnd(SPACES, text, equals + 1);
  const mark = text.charAt(start);
  if (mark === "") return -2;
  if (mark === '"' || mark === "'") {
    const end = find(mark, start + 1);
    return end < 0 ? -2 : end + 1;
  }
  const end = matchEnd(UNQUOTED, text, start);
  return end === start ? -1 : end;
}

/**
 * Read inline HTML: a tag, a comment, a processing instruction, a declaration or CDATA.
 * @param {string} text
 * @param {number} from at `<`
 * @param {Find} find
 * @returns {number} after it; -1 if there is none, -2 if the text ends before this is decided
 */
export function readInlineHtml(text, from, find) {
  const second = text.charAt(from + 1);
  if (second === "?") return endAfter("?>", from + 2, find);
  if (second !== "!") return readTag(text, from, find);
  if (text.startsWith("--", from + 2)) return readComment(text, from + 4, find);
  const rest = text.slice(from + 2, from + 9);
  if (rest === "[CDATA[") return endAfter("]]>", from + 9, find);
  if (/^[a-z]/i.test(rest)) return endAfter(">", from + 3, find);
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
  return endAfter("-->", from, find);
}

/**
 * @param {string} mark
 * @param {number} from
 * @param {Find} find
 */
function endAfter(mark, from, find) {
  const at = find(mark, from);
  return at < 0 ? -2 : at + mark.length;
}

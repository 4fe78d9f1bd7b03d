/**
 * Addresses, titles and labels: the parts that links in a text and definitions share. Every reader takes where to
 * begin and returns where it ended, `NONE` where there is no such thing, or `MORE` where the text ends too early to say.
 */
import { isBlank, isWhite, skipBlanks, skipWhite } from "./characters.js";

export const NONE = -1;
/** Only while the end of the text is not the end of the paragraph; otherwise it counts as `NONE`. */
export const MORE = -2;

/** Longer labels are defined by nothing. */
export const LONGEST_LABEL = 999;

/**
 * Read a label's text and its closing bracket.
 * @param {string} text
 * @param {number} from after `[`
 * @returns {number} after `]`
 */
export function readLabel(text, from) {
  let isEmpty = true;
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 93) return isEmpty ? NONE : at + 1;
    if (code === 91 || at - from >= LONGEST_LABEL) return NONE;
    if (code === 92 && /[\[\\\]]/.test(text.charAt(at + 1))) at++;
    if (!isWhite(code)) isEmpty = false;
  }
  return MORE;
}

/**
 * Read an address.
 * @param {string} text
 * @param {number} from
 * @param {number} deepest how many parentheses may be open at once
 * @returns {number} after it, its angle brackets included
 */
export function readAddress(text, from, deepest) {
  if (text.charCodeAt(from) === 60) return readAngled(text, from + 1);
  let open = 0;
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (isWhite(code) || (code === 41 && open === 0)) return open === 0 && at > from ? at : NONE;
    if (code === 40 && ++open > deepest) return NONE;
    if (code === 41) open--;
    if (code < 32 || code === 127) return NONE;
    if (code === 92 && /[()\\]/.test(text.charAt(at + 1))) at++;
  }
  return MORE;
}

/**
 * @param {string} text
 * @param {number} from after `<`
 */
function readAngled(text, from) {
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 62) return at + 1;
    if (code === 60 || code === 10) return NONE;
    if (code === 92 && /[<>\\]/.test(text.charAt(at + 1))) at++;
  }
  return MORE;
}

/**
 * Read a title.
 * @param {string} text
 * @param {number} from at its opening mark
 * @returns {number} after its closing mark
 */
export function readTitle(text, from) {
  const open = text.charCodeAt(from);
  if (open !== 34 && open !== 39 && open !== 40) return from < text.length ? NONE : MORE;
  const close = open === 40 ? 41 : open;
  for (let at = from + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === close) return at + 1;
    if (code === 92 && (text.charCodeAt(at + 1) === close || text.charCodeAt(at + 1) === 92)) at++;
  }
  return MORE;
}

/**
 * Cut the text of an address out of its marks.
 * @param {string} text
 * @param {number} from
 * @param {number} to
 */
export function addressBetween(text, from, to) {
  return text.charCodeAt(from) === 60 ? text.slice(from + 1, to - 1) : text.slice(from, to);
}

/**
 * @typedef {object} Definition one link reference definition, its parts as written
 * @property {number} end after it, its line's end included
 * @property {string} label
 * @property {string} address
 * @property {string | null} title
 */

/**
 * Read the definition that begins here.
 * @param {string} text lines of a paragraph without the blanks they begin with
 * @param {number} from
 * @param {boolean} isOpen whether the paragraph may go on after the text
 * @returns {Definition | typeof NONE | typeof MORE}
 */
export function readDefinition(text, from, isOpen) {
  const unknown = isOpen ? MORE : NONE;
  if (text.charCodeAt(from) !== 91) return from < text.length ? NONE : unknown;
  const label = readLabel(text, from + 1);
  if (label < 0) return label === NONE ? NONE : unknown;
  if (text.charCodeAt(label) !== 58) return label < text.length ? NONE : unknown;
  const start = skipWhite(text, label + 1);
  if (start === text.length) return unknown;
  const read = readAddress(text, start, Infinity);
  if (read === NONE || (read === MORE && isOpen)) return read;
  const end = read === MORE ? wholeAddress(text, start) : read;
  if (end === NONE) return NONE;
  return finish(text, { label: text.slice(from + 1, label - 1), address: addressBetween(text, start, end), at: end }, isOpen);
}

/**
 * An address that the end of the text ends.
 * @param {string} text
 * @param {number} start
 */
function wholeAddress(text, start) {
  return readAddress(`${text}\n`, start, Infinity) === text.length ? text.length : NONE;
}

/**
 * @param {string} text
 * @param {{label: string, address: string, at: number}} begun
 * @param {boolean} isOpen
 * @returns {Definition | typeof NONE | typeof MORE}
 */
function finish(text, { label, address, at }, isOpen) {
  const line = skipBlanks(text, at);
  const endsHere = line === text.length || text.charCodeAt(line) === 10;
  const next = skipWhite(text, at);
  if (next > at) {
    const title = readTitle(text, next);
    if (title === MORE && isOpen) return MORE;
    const after = title > 0 ? skipBlanks(text, title) : NONE;
    if (after === text.length && isOpen) return MORE;
    if (title > 0 && (after === text.length || text.charCodeAt(after) === 10)) {
      return { end: after + 1, label, address, title: text.slice(next + 1, title - 1) };
    }
  }
  if (line === text.length && isOpen) return MORE;
  return endsHere ? { end: line + 1, label, address, title: null } : NONE;
}

/**
 * @typedef {object} Resource what stands in the parentheses of a link
 * @property {number} end after `)`
 * @property {string} address
 * @property {string | null} title
 */

/**
 * Read what stands in the parentheses of a link.
 * @param {string} text
 * @param {number} from after `(`
 * @param {(from: number) => number} titleAt `readTitle`, remembered
 * @returns {Resource | typeof NONE | typeof MORE}
 */
export function readResource(text, from, titleAt) {
  const start = skipWhite(text, from);
  if (text.charCodeAt(start) === 41) return { end: start + 1, address: "", title: null };
  const end = readAddress(text, start, 32);
  if (end < 0) return end === MORE ? MORE : NONE;
  const address = addressBetween(text, start, end);
  let at = skipWhite(text, end);
  let title = null;
  if (at > end && text.charCodeAt(at) !== 41) {
    const close = titleAt(at);
    if (close < 0) return close === MORE ? MORE : NONE;
    title = text.slice(at + 1, close - 1);
    at = skipWhite(text, close);
  }
  if (at === text.length) return MORE;
  return text.charCodeAt(at) === 41 ? { end: at + 1, address, title } : NONE;
}

/**
 * Read the label of a footnote.
 * @param {string} text
 * @param {number} from after `[`
 * @returns {number} after `]`
 */
export function readFootnoteLabel(text, from) {
  if (text.charCodeAt(from) !== 94) return from < text.length ? NONE : MORE;
  const end = readLabel(text, from + 1);
  if (end === NONE) return NONE;
  for (let at = from + 1; at < (end === MORE ? text.length : end); at++) {
    if (isBlank(text.charCodeAt(at)) || text.charCodeAt(at) === 10) return NONE;
  }
  return end;
}

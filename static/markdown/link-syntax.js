/**
 * Destinations, titles and labels of links and of reference definitions. Each reader takes a start position and returns the
 * end, `NO_MATCH`, or `INCOMPLETE` if the text ends before this is decided.
 */
import { isBlank, isWhite, skipBlanks, skipWhite } from "./characters.js";

export const NO_MATCH = -1;
/** Counts as `NO_MATCH` once the paragraph is complete. */
export const INCOMPLETE = -2;

/** The longest label that CommonMark allows. */
export const MAX_LABEL_CHARS = 999;

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
    if (code === 93) return isEmpty ? NO_MATCH : at + 1;
    if (code === 91 || at - from >= MAX_LABEL_CHARS) return NO_MATCH;
    if (code === 92 && /[[\\\]]/.test(text.charAt(at + 1))) at++;
    if (!isWhite(code)) isEmpty = false;
  }
  return INCOMPLETE;
}

/**
 * Read a link destination.
 * @param {string} text
 * @param {number} from
 * @param {number} maxOpen how many parentheses may be open at once
 * @returns {number} after it, its angle brackets included
 */
export function readDestination(text, from, maxOpen) {
  if (text.charCodeAt(from) === 60) return readAngledDestination(text, from + 1);
  let open = 0;
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (isWhite(code) || (code === 41 && open === 0)) return open === 0 && at > from ? at : NO_MATCH;
    if (code === 40 && ++open > maxOpen) return NO_MATCH;
    if (code === 41) open--;
    if (code < 32 || code === 127) return NO_MATCH;
    if (code === 92 && /[()\\]/.test(text.charAt(at + 1))) at++;
  }
  return INCOMPLETE;
}

/**
 * @param {string} text
 * @param {number} from after `<`
 */
function readAngledDestination(text, from) {
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 62) return at + 1;
    if (code === 60 || code === 10) return NO_MATCH;
    if (code === 92 && /[<>\\]/.test(text.charAt(at + 1))) at++;
  }
  return INCOMPLETE;
}

/**
 * Read a title.
 * @param {string} text
 * @param {number} from at its opening mark
 * @returns {number} after its closing mark
 */
export function readTitle(text, from) {
  const open = text.charCodeAt(from);
  if (open !== 34 && open !== 39 && open !== 40) return from < text.length ? NO_MATCH : INCOMPLETE;
  const close = open === 40 ? 41 : open;
  for (let at = from + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === close) return at + 1;
    if (code === 92 && (text.charCodeAt(at + 1) === close || text.charCodeAt(at + 1) === 92)) at++;
  }
  return INCOMPLETE;
}

/**
 * Return a link destination without its angle brackets.
 * @param {string} text
 * @param {number} from
 * @param {number} to
 */
export function destinationText(text, from, to) {
  return text.charCodeAt(from) === 60 ? text.slice(from + 1, to - 1) : text.slice(from, to);
}

/**
 * @typedef {object} Definition a link reference definition, its parts as written
 * @property {number} end position after its line ending
 * @property {string} label
 * @property {string} destination
 * @property {string | null} title
 */

/**
 * Read the reference definition that begins here.
 * @param {string} text lines of a paragraph without leading blanks
 * @param {number} from
 * @param {boolean} isOpen whether the paragraph may continue after the text
 * @returns {Definition | typeof NO_MATCH | typeof INCOMPLETE}
 */
export function readDefinition(text, from, isOpen) {
  const unknown = isOpen ? INCOMPLETE : NO_MATCH;
  if (text.charCodeAt(from) !== 91) return from < text.length ? NO_MATCH : unknown;
  const label = readLabel(text, from + 1);
  if (label < 0) return label === NO_MATCH ? NO_MATCH : unknown;
  if (text.charCodeAt(label) !== 58) return label < text.length ? NO_MATCH : unknown;
  const start = skipWhite(text, label + 1);
  if (start === text.length) return unknown;
  const read = readDestination(text, start, Infinity);
  if (read === NO_MATCH || (read === INCOMPLETE && isOpen)) return read;
  const end = read === INCOMPLETE ? readFinalDestination(text, start) : read;
  if (end === NO_MATCH) return NO_MATCH;
  return readDefinitionEnd(text, { label: text.slice(from + 1, label - 1), destination: destinationText(text, start, end), at: end }, isOpen);
}

/**
 * Read a destination that ends with the text.
 * @param {string} text
 * @param {number} start
 */
function readFinalDestination(text, start) {
  return readDestination(`${text}\n`, start, Infinity) === text.length ? text.length : NO_MATCH;
}

/**
 * Read a definition's title, if it has one.
 * @param {string} text
 * @param {{label: string, destination: string, at: number}} begin
 * @param {boolean} isOpen
 * @returns {Definition | typeof NO_MATCH | typeof INCOMPLETE}
 */
function readDefinitionEnd(text, { label, destination, at }, isOpen) {
  const line = skipBlanks(text, at);
  const endsHere = line === text.length || text.charCodeAt(line) === 10;
  const next = skipWhite(text, at);
  if (next > at) {
    const title = readTitle(text, next);
    if (title === INCOMPLETE && isOpen) return INCOMPLETE;
    const after = title > 0 ? skipBlanks(text, title) : NO_MATCH;
    if (after === text.length && isOpen) return INCOMPLETE;
    if (title > 0 && (after === text.length || text.charCodeAt(after) === 10)) {
      return { end: after + 1, label, destination, title: text.slice(next + 1, title - 1) };
    }
  }
  if (line === text.length && isOpen) return INCOMPLETE;
  return endsHere ? { end: line + 1, label, destination, title: null } : NO_MATCH;
}

/**
 * @typedef {object} Resource the parentheses of an inline link
 * @property {number} end position after `)`
 * @property {string} destination
 * @property {string | null} title
 */

/**
 * Read the parentheses of an inline link.
 * @param {string} text
 * @param {number} from after `(`
 * @param {(from: number) => number} titleAt a `readTitle` that remembers failed searches
 * @returns {Resource | typeof NO_MATCH | typeof INCOMPLETE}
 */
export function readResource(text, from, titleAt) {
  const start = skipWhite(text, from);
  if (text.charCodeAt(start) === 41) return { end: start + 1, destination: "", title: null };
  const end = readDestination(text, start, 32);
  if (end < 0) return end === INCOMPLETE ? INCOMPLETE : NO_MATCH;
  const destination = destinationText(text, start, end);
  let at = skipWhite(text, end);
  let title = null;
  if (at > end && text.charCodeAt(at) !== 41) {
    const close = titleAt(at);
    if (close < 0) return close === INCOMPLETE ? INCOMPLETE : NO_MATCH;
    title = text.slice(at + 1, close - 1);
    at = skipWhite(text, close);
  }
  if (at === text.length) return INCOMPLETE;
  return text.charCodeAt(at) === 41 ? { end: at + 1, destination, title } : NO_MATCH;
}

/**
 * Read a footnote label: one without white space.
 * @param {string} text
 * @param {number} from after `[`
 * @returns {number} after `]`
 */
export function readFootnoteLabel(text, from) {
  if (text.charCodeAt(from) !== 94) return from < text.length ? NO_MATCH : INCOMPLETE;
  const end = readLabel(text, from + 1);
  if (end === NO_MATCH) return NO_MATCH;
  for (let at = from + 1; at < (end === INCOMPLETE ? text.length : end); at++) {
    if (isBlank(text.charCodeAt(at)) || text.charCodeAt(at) === 10) return NO_MATCH;
  }
  return end;
}

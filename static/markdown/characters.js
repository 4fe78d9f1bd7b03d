/**
 * Character classes, and functions on characters of a text.
 */

export const LETTER = 0;
export const WHITESPACE = 1;
export const PUNCTUATION = 2;

const MARKS = /[\p{P}\p{S}]/u;
const WHITE = /\s/;
/** Scripts that are written without spaces between words, Hangul, and their punctuation and fullwidth forms. */
const CJK = /[\u1100-\u11ff\u2e80-\ua4cf\uac00-\ud7ff\uf900-\ufaff\ufe30-\ufe6f\uff01-\uffee\u{20000}-\u{3ffff}]/u;

/**
 * @param {number} code
 * @returns {boolean} space or tab
 */
export function isBlank(code) {
  return code === 32 || code === 9;
}

/**
 * @param {number} code
 * @returns {boolean} space, tab or line ending
 */
export function isWhite(code) {
  return code === 32 || code === 9 || code === 10;
}

/** @param {number} code */
export function isAlpha(code) {
  return (code | 32) > 96 && (code | 32) < 123;
}

/** @param {number} code */
export function isAlphanumeric(code) {
  return isAlpha(code) || (code > 47 && code < 58);
}

/**
 * Return the class of a character beside a delimiter run.
 * @param {string} character one code point; empty at the start or end of the text
 */
export function characterClass(character) {
  const code = character.charCodeAt(0);
  if (isAlphanumeric(code)) return LETTER;
  if (code > 32 && code < 127) return PUNCTUATION;
  if (character === "" || WHITE.test(character)) return WHITESPACE;
  return MARKS.test(character) ? PUNCTUATION : LETTER;
}

/**
 * Return whether a character is Chinese, Japanese or Korean, or punctuation of these.
 * @param {string} character one code point, or empty
 */
export function isCjk(character) {
  return character > "\u10ff" && CJK.test(character);
}

/**
 * @param {string} text
 * @param {number} at
 * @returns {string} the code point that begins at this position
 */
export function characterAt(text, at) {
  const code = text.codePointAt(at);
  return code === undefined ? "" : String.fromCodePoint(code);
}

/**
 * @param {string} text
 * @param {number} at
 * @returns {string} the code point that ends before this position
 */
export function characterBefore(text, at) {
  const low = text.charCodeAt(at - 1);
  return low > 0xdbff && low < 0xe000 ? characterAt(text, at - 2) : text.charAt(at - 1);
}

/**
 * Return the end of a match.
 * @param {RegExp} pattern sticky
 * @param {string} text
 * @param {number} from
 * @returns {number} `from` if there is none
 */
export function matchEnd(pattern, text, from) {
  pattern.lastIndex = from;
  return pattern.test(text) ? pattern.lastIndex : from;
}

/**
 * Return the end of the blanks.
 * @param {string} text
 * @param {number} from
 */
export function skipBlanks(text, from) {
  let at = from;
  while (isBlank(text.charCodeAt(at))) at++;
  return at;
}

/**
 * Return the end of the blanks and line endings.
 * @param {string} text
 * @param {number} from
 */
export function skipWhite(text, from) {
  let at = from;
  while (isWhite(text.charCodeAt(at))) at++;
  return at;
}

/**
 * @param {string} text
 * @returns {string} the text without trailing blanks and line endings
 */
export function trimEnd(text) {
  let end = text.length;
  while (end > 0 && isWhite(text.charCodeAt(end - 1))) end--;
  return text.slice(0, end);
}

/**
 * Normalize a label, so that definitions and references can be matched.
 * @param {string} label
 */
export function normalizeLabel(label) {
  const plain = label.replace(/[\t\n ]+/g, " ").replace(/^ | $/g, "");
  return plain.toLowerCase().toUpperCase().toLowerCase();
}

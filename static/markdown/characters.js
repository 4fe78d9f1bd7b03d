/**
 * Classes of characters that both parsers ask for, and the one form in which labels are compared.
 */

export const LETTER = 0;
export const GAP = 1;
export const SIGN = 2;

const SIGNS = /[\p{P}\p{S}]/u;
const WHITE = /\s/;

/**
 * @param {number} code
 * @returns {boolean} space or tab
 */
export function isBlank(code) {
  return code === 32 || code === 9;
}

/**
 * @param {number} code
 * @returns {boolean} space, tab or the end of a line
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
 * Tell what a character is to a run of delimiters beside it.
 * @param {string} character one code point; empty at either end of the text
 */
export function kindOf(character) {
  const code = character.charCodeAt(0);
  if (isAlphanumeric(code)) return LETTER;
  if (character === "" || WHITE.test(character)) return GAP;
  return SIGNS.test(character) ? SIGN : LETTER;
}

/**
 * @param {string} text
 * @param {number} at
 * @returns {string} the code point that begins at this place
 */
export function characterAt(text, at) {
  const code = text.codePointAt(at);
  return code === undefined ? "" : String.fromCodePoint(code);
}

/**
 * @param {string} text
 * @param {number} at
 * @returns {string} the code point that ends before this place
 */
export function characterBefore(text, at) {
  const low = text.charCodeAt(at - 1);
  return low > 0xdbff && low < 0xe000 ? characterAt(text, at - 2) : text.charAt(at - 1);
}

/**
 * Find where a match ends.
 * @param {RegExp} pattern sticky
 * @param {string} text
 * @param {number} from
 * @returns {number} `from` when there is none
 */
export function after(pattern, text, from) {
  pattern.lastIndex = from;
  return pattern.test(text) ? pattern.lastIndex : from;
}

/**
 * Find where blanks end.
 * @param {string} text
 * @param {number} from
 */
export function skipBlanks(text, from) {
  let at = from;
  while (isBlank(text.charCodeAt(at))) at++;
  return at;
}

/**
 * Find where blanks and ends of lines end.
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
 * @returns {string} the text without blanks and ends of lines at its end
 */
export function trimEnd(text) {
  let end = text.length;
  while (end > 0 && isWhite(text.charCodeAt(end - 1))) end--;
  return text.slice(0, end);
}

/**
 * Write a label in the form in which definitions and references meet.
 * @param {string} label
 */
export function identify(label) {
  const plain = label.replace(/[\t\n ]+/g, " ").replace(/^ | $/g, "");
  return plain.toLowerCase().toUpperCase().toLowerCase();
}

/**
 * Character references, and text with its references and backslashes resolved. The names that people write are known here;
 * all the others are learned from a table that is loaded when one of them comes.
 */
import { after } from "./characters.js";

/** Each character, then its name. */
const COMMON =
  "&amp <lt >gt \"quot 'apos \u00a0nbsp ©copy ®reg ™trade …hellip —mdash –ndash •bull ·middot ×times °deg €euro £pound ←larr →rarr |vert \\bsol `grave";
const REFERENCE = "&(?:#[xX][\\da-fA-F]{1,6}|#\\d{1,7}|[A-Za-z][A-Za-z\\d]{0,30});";
const REFERENCE_HERE = new RegExp(REFERENCE, "y");
const NAMED = /&([A-Za-z][A-Za-z\d]{0,30});/g;
/** No reference is longer. */
export const LONGEST = 33;
const ESCAPED = new RegExp(`\\\\[!-/:-@[-\`{-~]|${REFERENCE}`, "g");

/** @type {ReadonlyMap<string, string>} */
let known = new Map(COMMON.split(" ").map((entry) => [entry.slice(1), entry.charAt(0)]));
let isLearned = false;

/**
 * Know all names from now on.
 * @param {ReadonlyMap<string, string>} all
 */
export function learn(all) {
  known = all;
  isLearned = true;
}

/**
 * Find the first name that the table might know and nobody here does.
 * @param {string} text
 * @returns {number} where the semicolon behind it stands; -1: there is none
 */
export function rareIn(text) {
  if (isLearned || !text.includes(";")) return -1;
  for (const { 0: found, 1: name = "", index } of text.matchAll(NAMED)) {
    if (!known.has(name)) return index + found.length - 1;
  }
  return -1;
}

/**
 * @param {number} code
 * @returns {boolean} whether a numeric reference may not mean it: controls, half a surrogate pair, no character
 */
function isForbidden(code) {
  if (code < 32) return code < 9 || code === 11 || code > 13;
  if (code > 126 && code < 160) return true;
  if (code > 0xd7ff && code < 0xe000) return true;
  return (code > 0xfdcf && code < 0xfdf0) || (code & 0xfffe) === 0xfffe || code > 0x10ffff;
}

/**
 * Resolve a reference.
 * @param {string} reference from `&` to `;`
 * @returns {string} the reference itself where the name is unknown
 */
export function decodeReference(reference) {
  if (reference.charAt(1) !== "#") {
    return known.get(reference.slice(1, -1)) ?? reference;
  }
  const isHex = (reference.charCodeAt(2) | 32) === 120;
  const code = Number.parseInt(reference.slice(isHex ? 3 : 2, -1), isHex ? 16 : 10);
  return isForbidden(code) ? "\ufffd" : String.fromCodePoint(code);
}

/**
 * Find the reference that begins here.
 * @param {string} text
 * @param {number} from
 * @returns {string} empty where there is none
 */
export function referenceAt(text, from) {
  const found = text.slice(from, after(REFERENCE_HERE, text, from));
  return found && decodeReference(found) !== found ? found : "";
}

/**
 * Resolve the backslashes and references of an address, a title, a label or an info string.
 * @param {string} text
 */
export function unescapeText(text) {
  return text.replace(ESCAPED, (found) => (found.startsWith("\\") ? found.charAt(1) : decodeReference(found)));
}

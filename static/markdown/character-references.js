/**
 * Character references, and resolving them and backslash escapes in a text. Common entity names are built in; all others are
 * in a table that is loaded when one of them occurs (`entity-loading.js`).
 */
import { matchEnd } from "./characters.js";

/** Entries of a character followed by its name. */
const COMMON =
  "&amp <lt >gt \"quot 'apos \u00a0nbsp ©copy ®reg ™trade …hellip —mdash –ndash •bull ·middot ×times °deg €euro £pound ←larr →rarr |vert \\bsol `grave";
const REFERENCE = "&(?:#[xX][\\da-fA-F]{1,6}|#\\d{1,7}|[A-Za-z][A-Za-z\\d]{0,30});";
const REFERENCE_HERE = new RegExp(REFERENCE, "y");
const NAMED = /&([A-Za-z][A-Za-z\d]{0,30});/g;
/** The longest reference. */
export const MAX_REFERENCE_CHARS = 33;
const ESCAPED = new RegExp(`\\\\[!-/:-@[-\`{-~]|${REFERENCE}`, "g");

/** @type {ReadonlyMap<string, string>} */
let entities = new Map(COMMON.split(" ").map((entry) => [entry.slice(1), entry.charAt(0)]));
let isComplete = false;

/**
 * Replace the common entities by the complete table.
 * @param {ReadonlyMap<string, string>} all
 */
export function setEntities(all) {
  entities = all;
  isComplete = true;
}

/**
 * Find the first entity name that only the complete table may know.
 * @param {string} text
 * @returns {number} the position of the semicolon after it; -1 if there is none
 */
export function findUnknownEntity(text) {
  if (isComplete || !text.includes(";")) return -1;
  for (const { 0: found, 1: name = "", index } of text.matchAll(NAMED)) {
    if (!entities.has(name)) return index + found.length - 1;
  }
  return -1;
}

/**
 * @param {number} code
 * @returns {boolean} whether a numeric reference to it is invalid: a control, a lone surrogate, a noncharacter
 */
function isInvalidCodePoint(code) {
  if (code < 32) return code < 9 || code === 11 || code > 13;
  if (code > 126 && code < 160) return true;
  if (code > 0xd7ff && code < 0xe000) return true;
  return (code > 0xfdcf && code < 0xfdf0) || (code & 0xfffe) === 0xfffe || code > 0x10ffff;
}

/**
 * Resolve a reference.
 * @param {string} reference from `&` to `;`
 * @returns {string} the reference itself if the name is unknown
 */
export function decodeReference(reference) {
  if (reference.charAt(1) !== "#") {
    return entities.get(reference.slice(1, -1)) ?? reference;
  }
  const isHex = (reference.charCodeAt(2) | 32) === 120;
  const code = Number.parseInt(reference.slice(isHex ? 3 : 2, -1), isHex ? 16 : 10);
  return isInvalidCodePoint(code) ? "\ufffd" : String.fromCodePoint(code);
}

/**
 * Find the reference that begins here.
 * @param {string} text
 * @param {number} from
 * @returns {string} empty if there is none
 */
export function referenceAt(text, from) {
  const found = text.slice(from, matchEnd(REFERENCE_HERE, text, from));
  return found && decodeReference(found) !== found ? found : "";
}

/**
 * Resolve the backslash escapes and references in a destination, a title, a label or an info string.
 * @param {string} text
 */
export function unescapeText(text) {
  return text.replace(ESCAPED, (found) => (found.startsWith("\\") ? found.charAt(1) : decodeReference(found)));
}

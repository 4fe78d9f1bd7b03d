/**
 * What a key means to the page. Single keys mean something only where nothing is written, and none of them is one that a
 * browser or, with a modifier, a screen reader takes for itself. Pure.
 */

/** @typedef {"list" | "fresh" | "write" | "search" | "fold" | "copy" | "before" | "after"} Deed */

/**
 * @typedef {object} Press
 * @property {string} key as the keyboard's language has it
 * @property {string} code where it is on the keyboard
 * @property {boolean} ctrl Control, or Command
 * @property {boolean} alt
 * @property {boolean} isWriting whether it is pressed where text is written or chosen
 */

/** Keys by what they do, in the order in which they are listed. @type {Readonly<Record<Deed, string>>} */
export const KEYS = { list: "?", fresh: "n", write: "m", search: "s", fold: "l", copy: "c", before: "k", after: "j" };

/** @type {ReadonlyMap<string, Deed>} */
const DEEDS = new Map(Object.entries(KEYS).map(([deed, key]) => [key, /** @type {Deed} */ (deed)]));
/** Other scripts have question marks of their own. */
const QUESTION = new Set(["?", "؟", "？"]);

/**
 * Tell what a press is for.
 * @param {Press} press
 * @returns {Deed | null}
 */
export function deedOf({ key, code, ctrl, alt, isWriting }) {
  if (alt) return null;
  if (ctrl) return key === "/" || (code === "Slash" && !isLatin(key)) ? "list" : null;
  if (isWriting) return null;
  if (QUESTION.has(key)) return "list";
  // Where letters are others, the key in the same place stands for them.
  return DEEDS.get(isLatin(key) ? key.toLowerCase() : code.replace(/^Key/, "").toLowerCase()) ?? null;
}

/** @param {string} key */
function isLatin(key) {
  return /^[\x20-\x7e]+$/.test(key);
}

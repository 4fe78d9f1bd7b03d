/**
 * Keyboard shortcuts: which action a key press means. Single keys do nothing in text fields. No shortcut is one that a
 * browser or screen reader uses. Pure.
 */

/** @typedef {"list" | "fresh" | "write" | "search" | "fold" | "copy" | "before" | "after"} KeyAction */

/**
 * @typedef {object} KeyPress
 * @property {string} key the character, depending on the keyboard layout
 * @property {string} code the position on the keyboard, independent of the layout
 * @property {boolean} ctrl Control, or Command
 * @property {boolean} alt
 * @property {boolean} isWriting whether the focus is in a field
 */

/** Keys by action, in the order of the list of shortcuts. @type {Readonly<Record<KeyAction, string>>} */
export const KEYS = { list: "?", fresh: "n", write: "m", search: "s", fold: "l", copy: "c", before: "k", after: "j" };

/** @type {ReadonlyMap<string, KeyAction>} */
const ACTIONS = new Map(Object.entries(KEYS).map(([action, key]) => [key, /** @type {KeyAction} */ (action)]));
/** Question marks of several scripts. */
const QUESTION_MARKS = new Set(["?", "؟", "？"]);

/**
 * Return the action of a key press; null: none.
 * @param {KeyPress} press
 * @returns {KeyAction | null}
 */
export function actionForKey({ key, code, ctrl, alt, isWriting }) {
  if (alt) return null;
  if (ctrl) return key === "/" || (code === "Slash" && !isLatin(key)) ? "list" : null;
  if (isWriting) return null;
  if (QUESTION_MARKS.has(key)) return "list";
  // Keyboards without Latin letters: go by the position of the key.
  return ACTIONS.get(isLatin(key) ? key.toLowerCase() : code.replace(/^Key/, "").toLowerCase()) ?? null;
}

/** @param {string} key */
function isLatin(key) {
  return /^[\x20-\x7e]+$/.test(key);
}

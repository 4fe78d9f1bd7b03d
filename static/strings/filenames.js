/** The names of files, which may be anything, made fit to be shown. Pure. */

const MOST_CHARS = 40;
/** What turns the order of the text around it, and what is no text. */
const UNSHOWN = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/**
 * @param {string} name
 * @returns {string} on one line, not long
 */
export function shownName(name) {
  const plain = [...name.replace(UNSHOWN, "").trim()];
  return plain.length > MOST_CHARS ? `${plain.slice(0, MOST_CHARS).join("")}…` : plain.join("");
}

/** File names made safe to show. Pure. */

const MAX_CHARS = 40;
/** Control characters, and marks that would reorder the text around the name. */
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/**
 * Return a file name as one short line.
 * @param {string} name
 */
export function cleanFileName(name) {
  const chars = [...name.replace(UNPRINTABLE, "").trim()];
  return chars.length > MAX_CHARS ? `${chars.slice(0, MAX_CHARS).join("")}…` : chars.join("");
}

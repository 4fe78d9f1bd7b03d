/**
 * How long to wait for what, in milliseconds. Pure: chance is an argument.
 */

/** Nothing came for this long after the request: try the other transport as well. */
export const SWITCH_MS = 3_000;
/** Nothing came for this long: the connection is dead, whatever the network says. */
export const SILENCE_MS = 25_000;
/** The server says something every ten seconds; when the page is shown again, older than this is suspect. */
export const SUSPECT_MS = 12_000;
/** The longest a refusal may ask us to wait on our own, what is counted by the minute included; beyond it a person decides. */
export const PATIENCE_MS = 65_000;

/** A slow line still sends this much in a second; what is sent first may take its time before an answer can come. */
const SLOWEST_CHARS_PER_S = 32_000;

/**
 * Tell how long sending may take.
 * @param {import("./types.js").Opening | null} opening
 */
export function sendingMs(opening) {
  const chars = (opening?.images ?? []).reduce((sum, { length }) => sum + length, 0);
  return (chars / SLOWEST_CHARS_PER_S) * 1_000;
}

const FIRST_MS = 300;
const LONGEST_MS = 15_000;

/**
 * Choose the pause before the next try: exponential, half of it by chance, never above the cap
 * unless the server asked for more.
 * @param {number} failures tries since a frame last came, 1 or more
 * @param {number} asked_ms what the server asked for; 0 when it did not
 * @param {number} chance 0 to 1
 */
export function backoff(failures, asked_ms, chance) {
  const ceiling = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(failures - 1, 10));
  return Math.max(ceiling * (0.5 + chance / 2), asked_ms * (1 + chance / 4));
}

/**
 * Read a Retry-After header.
 * @param {string | null} header seconds, or a date
 * @param {number} now_ms
 * @returns {number | null} milliseconds from now; null when it says nothing usable
 */
export function parseRetryAfter(header, now_ms) {
  const text = header?.trim() ?? "";
  if (/^[0-9]{1,9}(\.[0-9]+)?$/.test(text)) return Number(text) * 1000;
  const date = text === "" ? NaN : Date.parse(text);
  return Number.isNaN(date) ? null : Math.max(0, date - now_ms);
}

/** Timeouts and pauses of a session, in milliseconds. Pure: the random number is an argument. */

/** No byte came for this long after the request: try the other transport as well. */
export const SWITCH_MS = 3_000;
/** The time after which the server sends something, unless it says otherwise. */
export const HEARTBEAT_MS = 10_000;

/**
 * Return how long no byte may come before the connection is treated as dead.
 * @param {number} heartbeat_ms
 */
export function silenceMs(heartbeat_ms) {
  return Math.max(25_000, heartbeat_ms * 2.5);
}

/**
 * Return how long no byte may come before an open connection is replaced when the page becomes visible again.
 * @param {number} heartbeat_ms
 */
export function suspectMs(heartbeat_ms) {
  return Math.max(12_000, heartbeat_ms * 1.2);
}
/** Wait for a refusal to pass on our own at most this long, which covers limits per minute; else the user decides. */
export const MAX_REFUSAL_MS = 65_000;

/** An upload at this rate or faster is not counted as silence. */
const MIN_UPLOAD_CHARS_PER_S = 32_000;

/**
 * Return how long sending a body's images may take.
 * @param {import("./types.js").StartBody | null} body
 */
export function uploadMs(body) {
  const chars = (body?.images ?? []).reduce((sum, { length }) => sum + length, 0);
  return (chars / MIN_UPLOAD_CHARS_PER_S) * 1_000;
}

const MIN_PAUSE_MS = 300;
const MAX_PAUSE_MS = 15_000;

/**
 * Return the pause before the next try: exponential with jitter over its upper half, capped unless the server asked
 * for more.
 * @param {number} failures tries since the last frame, 1 or more
 * @param {number} requested_ms what the server asked for; 0 when it did not
 * @param {number} random 0 to 1
 */
export function backoff(failures, requested_ms, random) {
  const ceiling = Math.min(MAX_PAUSE_MS, MIN_PAUSE_MS * 2 ** Math.min(failures - 1, 10));
  return Math.max(ceiling * (0.5 + random / 2), requested_ms * (1 + random / 4));
}

/**
 * Parse a Retry-After header.
 * @param {string | null} header seconds, or a date
 * @param {number} now_ms
 * @returns {number | null} milliseconds from now; null when it is missing or invalid
 */
export function parseRetryAfter(header, now_ms) {
  const text = header?.trim() ?? "";
  if (/^[0-9]{1,9}(\.[0-9]+)?$/.test(text)) return Number(text) * 1000;
  const date = text === "" ? NaN : Date.parse(text);
  return Number.isNaN(date) ? null : Math.max(0, date - now_ms);
}

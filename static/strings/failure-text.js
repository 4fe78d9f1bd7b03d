/**
 * What to say where an answer failed or can't begin yet, with the time until it may. Pure; loaded when that happens.
 */
import { counted } from "./format.js";
import { spokenOfRefusals } from "./failures.js";
import { language, words } from "./words.js";

/** @typedef {import("../stream/frames.js").Failure} Failure */

/** Codes whose own sentence says more than ours: which model, how long, what was refused. */
const TELLING = new Set(["upstream_bad_request", "refused", "gone"]);
/** Codes whose limit is a size. */
const SIZED = new Set(["question_too_large", "storage_full"]);

/**
 * Return the title of a failure.
 * @param {Failure} failure
 */
export function titleOf({ error, code }) {
  const known = troubleOf(code)?.title;
  return (TELLING.has(code) && error) || known || error || words.troubles.internal?.title || "";
}

/**
 * Write what to do about a failure.
 * @param {Failure} failure
 * @param {number} left_ms how much is left of the time that the server asks to wait
 */
export function adviceOf({ code, retry_after, limit }, left_ms) {
  const said = spokenOfRefusals();
  const known = (troubleOf(code) ?? words.troubles.internal)?.advice;
  const next = left_ms > 0 ? said.retryIn(formatWait(left_ms)) : retry_after ? said.retryNow : known;
  return [next, SIZED.has(code) && limit && said.limitIs(formatSize(limit))].filter(Boolean).join(" ");
}

/**
 * Write why an answer can't begin yet.
 * @param {{code: string, until_ms: number}} held
 * @param {number} now_ms
 */
export function reasonOf({ code, until_ms }, now_ms) {
  return spokenOfRefusals().held[code]?.(formatWait(until_ms - now_ms)) ?? "";
}

/** @param {string} code */
function troubleOf(code) {
  return words.troubles[code] ?? spokenOfRefusals().troubles[code];
}

/**
 * Write how long to wait: in seconds, minutes or hours, never less than it is.
 * @param {number} ms
 */
function formatWait(ms) {
  const { seconds, minutes, hours } = spokenOfRefusals();
  const in_s = Math.max(1, Math.ceil(ms / 1000));
  if (in_s <= 90) return counted(seconds, in_s);
  return in_s <= 5400 ? counted(minutes, Math.ceil(in_s / 60)) : counted(hours, Math.ceil(in_s / 3600));
}

/** @param {number} bytes */
function formatSize(bytes) {
  const isSmall = bytes < 1e6;
  const unit = isSmall ? "kilobyte" : "megabyte";
  return new Intl.NumberFormat(language, { style: "unit", unit, maximumFractionDigits: isSmall ? 0 : 1 }).format(bytes / (isSmall ? 1e3 : 1e6));
}

/** Texts for a response that failed or has not started, with the time left to wait. Pure; loaded when that happens. */
import { formatQuantity } from "./format.js";
import { getRefusalWords } from "./failures.js";
import { nameProvider } from "./providers.js";
import { language, words } from "./words.js";

/** @typedef {import("../stream/frames.js").Failure} Failure */

/** Codes whose message from the server is more precise than the translated title: it names the model, the field or the limit. */
const SERVER_TITLE_CODES = new Set(["upstream_bad_request", "refused", "gone"]);
/** Codes whose limit is a number of bytes. */
const SIZE_LIMIT_CODES = new Set(["question_too_large", "storage_full"]);

/** Codes after which another model has to be chosen. */
const MODEL_CODES = new Set(["model_not_allowed", "no_images"]);
/** Codes for which the address of the provider helps. */
const ADDRESS_CODES = new Set(["upstream_unreachable", "upstream_tls", "upstream_redirect", "upstream_timeout"]);

/**
 * Return what happened.
 * @param {Failure} failure
 * @param {{provider: string, model: string}} [answer]
 */
export function getFailureTitle({ error, code, param, provider, model }, answer = { provider: "", model: "" }) {
  const { noModel, named } = getRefusalWords();
  const [providerName, modelName] = [provider ?? answer.provider, model ?? answer.model];
  if (param === "model" && modelName) return noModel(modelName);
  const title = (providerName && named[code]?.(nameProvider(providerName))) || getFailureText(code)?.title;
  return (SERVER_TITLE_CODES.has(code) && error) || title || error || words.failures.internal?.title || "";
}

/**
 * Return what to do about a failure.
 * @param {Failure} failure
 * @param {number} left_ms time left until the server's `Retry-After`
 * @param {string} [address] where the provider is called; empty: not shown
 */
export function getFailureAdvice({ code, retry_after, limit, param }, left_ms, address = "") {
  const { retryIn, retryNow, limitIs, chooseOther, addressIs } = getRefusalWords();
  if (param === "model") return chooseOther;
  const advice = (getFailureText(code) ?? words.failures.internal)?.advice;
  const next = left_ms > 0 ? retryIn(formatWait(left_ms)) : retry_after ? retryNow : advice;
  const where = address !== "" && ADDRESS_CODES.has(code) && addressIs(address);
  return [next, SIZE_LIMIT_CODES.has(code) && limit && limitIs(formatSize(limit)), where].filter(Boolean).join(" ");
}

/**
 * Return whether the next step is to choose another model.
 * @param {Failure} failure
 */
export function needsOtherModel({ code, param }) {
  return param === "model" || MODEL_CODES.has(code);
}

/**
 * Return why a response has not started yet.
 * @param {{code: string, until_ms: number}} delay
 * @param {number} now_ms
 */
export function getWaitReason({ code, until_ms }, now_ms) {
  return getRefusalWords().delays[code]?.(formatWait(until_ms - now_ms)) ?? "";
}

/** @param {string} code */
function getFailureText(code) {
  return words.failures[code] ?? getRefusalWords().refusals[code];
}

/**
 * Format a wait in seconds, minutes or hours, rounded up.
 * @param {number} ms
 */
function formatWait(ms) {
  const { seconds, minutes, hours } = getRefusalWords();
  const in_s = Math.max(1, Math.ceil(ms / 1000));
  if (in_s <= 90) return formatQuantity(seconds, in_s);
  return in_s <= 5400 ? formatQuantity(minutes, Math.ceil(in_s / 60)) : formatQuantity(hours, Math.ceil(in_s / 3600));
}

/** @param {number} bytes */
function formatSize(bytes) {
  const isSmall = bytes < 1e6;
  const unit = isSmall ? "kilobyte" : "megabyte";
  return new Intl.NumberFormat(language, { style: "unit", unit, maximumFractionDigits: isSmall ? 0 : 1 }).format(bytes / (isSmall ? 1e3 : 1e6));
}

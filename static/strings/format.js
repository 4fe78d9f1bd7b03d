/** Numbers as a person reads them, in the page's language. Pure. */
import { language, words } from "./words.js";

/** Characters in a token, on average, in the languages most people write; good enough for a live figure. */
const CHARS_PER_TOKEN = 4;
/** How numbers are written, by language and style: a browser takes long to make what writes them. @type {Map<string, Intl.NumberFormat>} */
const writers = new Map();
/** A rate over less than this says nothing yet. */
const RATE_FROM_MS = 700;

/**
 * Write a count with its thousands set apart.
 * @param {number} count
 */
export function formatCount(count) {
  return writer({}).format(count);
}

/** @param {Intl.NumberFormatOptions} style */
function writer(style) {
  const key = `${language} ${JSON.stringify(style)}`;
  const known = writers.get(key) ?? new Intl.NumberFormat(language, style);
  writers.set(key, known);
  return known;
}

/**
 * Write how many there are of something.
 * @param {(count: string, form: string) => string} write gives the words for a number and its plural form
 * @param {number} count
 */
export function counted(write, count) {
  return write(formatCount(count), new Intl.PluralRules(language).select(count));
}

/**
 * Write how long something takes or took, in minutes and seconds.
 * @param {number} ms
 * @param {"narrow" | "long"} [unitDisplay]
 */
export function formatDuration(ms, unitDisplay = "narrow") {
  const seconds = Math.floor(ms / 1000);
  const inUnit = (/** @type {number} */ value, /** @type {string} */ unit) => writer({ style: "unit", unit, unitDisplay }).format(value);
  const minutes = Math.floor(seconds / 60);
  const parts = [minutes > 0 ? inUnit(minutes, "minute") : "", inUnit(seconds % 60, "second")];
  return parts.filter((part) => part !== "").join(" ");
}

/**
 * Write a cost in US dollars, never with an exponent: at least two digits that mean something.
 * @param {string | number | null | undefined} cost
 * @returns {string | null} null when the price is unknown
 */
export function formatCost(cost) {
  const dollars = cost === null || cost === undefined || cost === "" ? NaN : Number(cost);
  if (!Number.isFinite(dollars) || dollars < 0) return null;
  if (dollars === 0) return inDollars(0, 0);
  if (dollars >= 0.995) return inDollars(dollars, 2);
  return inDollars(dollars, Math.min(20, Math.max(2, 1 - Math.floor(Math.log10(dollars)))));
}

/**
 * @param {number} dollars
 * @param {number} digits after the point
 */
function inDollars(dollars, digits) {
  const style = /** @type {const} */ ({ style: "currency", currency: "USD", currencyDisplay: "narrowSymbol" });
  const exact = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return writer({ ...style, ...exact }).format(dollars);
}

/**
 * Name a day as people call it.
 * @param {number} days from today; -1 is yesterday
 */
export function formatDay(days) {
  const name = new Intl.RelativeTimeFormat(language, { numeric: "auto" }).format(days, "day");
  return name.slice(0, 1).toLocaleUpperCase(language) + name.slice(1);
}

/**
 * Write a date.
 * @param {number} at_ms since 1970
 */
export function formatDate(at_ms) {
  return new Intl.DateTimeFormat(language, { dateStyle: "long" }).format(at_ms);
}

/**
 * Guess how many tokens a text is, for the time in which the provider has not said.
 * @param {number} chars
 */
export function guessTokens(chars) {
  return chars / CHARS_PER_TOKEN;
}

/**
 * Tokens a second.
 * @param {number} tokens
 * @param {number} ms
 * @returns {number | null} null when there is too little to go by
 */
export function rate(tokens, ms) {
  if (ms < RATE_FROM_MS || tokens <= 0) return null;
  const perSecond = (tokens * 1000) / ms;
  return perSecond < 10 ? Math.round(perSecond * 10) / 10 : Math.round(perSecond);
}

/**
 * Write several names of which one will do.
 * @param {string[]} names
 */
export function formatChoice(names) {
  if (names.length < 2) return names.join("");
  return `${names.slice(0, -1).join(", ")} ${words.or} ${names.at(-1)}`;
}

/** Numbers, dates and lists in the page's language. Pure. */
import { language } from "./words.js";

/** Formatters by language and style, because creating one is slow. @type {Map<string, Intl.NumberFormat>} */
const formatters = new Map();
/** A rate measured over less time than this is noise. */
const MIN_RATE_MS = 700;

/**
 * Format a count with thousands separators.
 * @param {number} count
 */
export function formatCount(count) {
  return getFormatter({}).format(count);
}

/**
 * Format a part of a whole, 0 to 1, in percent.
 * @param {number} part
 */
export function formatPercent(part) {
  return getFormatter({ style: "percent" }).format(part);
}

/**
 * Format the size of a file in kilobytes or megabytes.
 * @param {number} bytes
 */
export function formatSize(bytes) {
  const isSmall = bytes < 999_500;
  const [value, unit] = isSmall ? [Math.max(1, bytes / 1e3), "kilobyte"] : [bytes / 1e6, "megabyte"];
  return getFormatter({ style: "unit", unit, maximumFractionDigits: isSmall ? 0 : 1 }).format(value);
}

/** @param {Intl.NumberFormatOptions} style */
function getFormatter(style) {
  const key = `${language} ${JSON.stringify(style)}`;
  const formatter = formatters.get(key) ?? new Intl.NumberFormat(language, style);
  formatters.set(key, formatter);
  return formatter;
}

/**
 * Format a number with its noun, such as "3 lines".
 * @param {(count: string, form: string) => string} write returns the text for a number and its plural category
 * @param {number} count
 */
export function formatQuantity(write, count) {
  return write(formatCount(count), new Intl.PluralRules(language).select(count));
}

/**
 * Format a duration in minutes and seconds.
 * @param {number} ms
 * @param {"narrow" | "long"} [unitDisplay]
 */
export function formatDuration(ms, unitDisplay = "narrow") {
  const seconds = Math.floor(ms / 1000);
  const inUnit = (/** @type {number} */ value, /** @type {string} */ unit) => getFormatter({ style: "unit", unit, unitDisplay }).format(value);
  const minutes = Math.floor(seconds / 60);
  const parts = [minutes > 0 ? inUnit(minutes, "minute") : "", inUnit(seconds % 60, "second")];
  return parts.filter((part) => part !== "").join(" ");
}

/**
 * Format a cost in US dollars with at least two significant digits, never with an exponent.
 * @param {string | number | null | undefined} cost
 * @returns {string | null} null when the price is unknown
 */
export function formatCost(cost) {
  const dollars = cost === null || cost === undefined || cost === "" ? NaN : Number(cost);
  if (!Number.isFinite(dollars) || dollars < 0) return null;
  if (dollars === 0) return formatDollars(0, 0);
  if (dollars >= 0.995) return formatDollars(dollars, 2);
  return formatDollars(dollars, Math.min(20, Math.max(2, 1 - Math.floor(Math.log10(dollars)))));
}

/**
 * Format an amount of US dollars.
 * @param {number} dollars
 * @param {number} digits after the decimal point, at least
 * @param {number} [maxDigits]
 */
export function formatDollars(dollars, digits, maxDigits = digits) {
  const style = /** @type {const} */ ({ style: "currency", currency: "USD", currencyDisplay: "narrowSymbol" });
  const formatter = getFormatter({ ...style, minimumFractionDigits: digits, maximumFractionDigits: maxDigits });
  // In Arabic the narrow symbol is "US$", which a text from right to left shows as "$US".
  return formatter.formatToParts(dollars).map(({ type, value }) => (type === "currency" ? "$" : value)).join("");
}

/**
 * Format a day relative to today: "Today", "Yesterday".
 * @param {number} days from today; -1 is yesterday
 */
export function formatDay(days) {
  const name = new Intl.RelativeTimeFormat(language, { numeric: "auto" }).format(days, "day");
  return name.slice(0, 1).toLocaleUpperCase(language) + name.slice(1);
}

/**
 * Format a date.
 * @param {number} at_ms since 1970
 */
export function formatDate(at_ms) {
  return new Intl.DateTimeFormat(language, { dateStyle: "long" }).format(at_ms);
}

/**
 * Return tokens per second.
 * @param {number} tokens
 * @param {number} ms
 * @returns {number | null} null when there is too little to measure
 */
export function tokensPerSecond(tokens, ms) {
  if (ms < MIN_RATE_MS || tokens <= 0) return null;
  const perSecond = (tokens * 1000) / ms;
  return perSecond < 10 ? Math.round(perSecond * 10) / 10 : Math.round(perSecond);
}

/**
 * Format a list of which one item is needed: "A, B or C".
 * @param {string[]} items
 */
export function formatChoice(items) {
  return new Intl.ListFormat(language, { type: "disjunction" }).format(items);
}

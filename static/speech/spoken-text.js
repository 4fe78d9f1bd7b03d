/** The spoken form of a rendered answer: its sentences; code, tables and formulas as short descriptions. */
import { formatQuantity } from "../strings/format.js";
import { sentencesOf } from "./sentences.js";
import { language, words } from "../strings/words.js";

/** @typedef {{unit: number, chars: number}} Position how many units are read, and how many characters of the next */
/** @typedef {{sentences: string[], position: Position, isAll: boolean}} SpokenPart */

/** @type {Position} */
export const START = { unit: 0, chars: 0 };
/** Sentences per call. */
const MAX_SENTENCES_READ = 24;
/** Elements that are read one after the other; all content is in one of them. */
const UNITS = ".blocks :is(p, h3, h4, h5, h6, summary, .code, .table, div.math)";
/** Spoken names of code languages by their label. @type {Record<string, string>} */
const NAMES = {
  py: "Python",
  python: "Python",
  js: "JavaScript",
  javascript: "JavaScript",
  jsx: "JavaScript",
  ts: "TypeScript",
  typescript: "TypeScript",
  tsx: "TypeScript",
  sh: "shell",
  bash: "Bash",
  cs: "C#",
  csharp: "C#",
  cpp: "C++",
  rs: "Rust",
  rb: "Ruby",
  yml: "YAML",
  md: "Markdown",
};

/**
 * Read the next sentences after a position.
 * @param {Element} flow the rendered answer
 * @param {Position} position
 * @param {boolean} isWhole whether the answer is complete; if not, its last sentence is left for later
 * @returns {SpokenPart}
 */
export function readSentences(flow, position, isWhole) {
  const units = [...flow.querySelectorAll(UNITS)];
  /** @type {string[]} */
  const sentences = [];
  let { unit, chars } = position;
  for (; unit < units.length && sentences.length < MAX_SENTENCES_READ; unit++, chars = 0) {
    const element = /** @type {Element} */ (units[unit]);
    const isOpen = !isWhole && unit === units.length - 1;
    if (isCollapsed(element)) continue;
    if (!element.matches("p, h3, h4, h5, h6, summary")) {
      if (isOpen) break;
      sentences.push(describe(element));
      continue;
    }
    const found = sentencesOf(spoken(element).slice(chars), language);
    const complete = isOpen ? found.slice(0, -1) : found;
    for (const sentence of complete) {
      chars += sentence.length;
      if (sentence.trim() !== "") sentences.push(sentence.trim());
    }
    if (isOpen) break;
  }
  return { sentences, position: { unit, chars }, isAll: isWhole && unit >= units.length };
}

/**
 * Return the position after all rendered content.
 * @param {Element} flow
 * @returns {Position}
 */
export function endPosition(flow) {
  const units = flow.querySelectorAll(UNITS);
  const last = units[units.length - 1];
  return last ? { unit: units.length - 1, chars: spoken(last).length } : START;
}

/**
 * Return the text of an answer without the page's own labels.
 * @param {Element} flow
 * @param {number} maxChars stop after this many
 */
export function textOf(flow, maxChars) {
  const walker = document.createTreeWalker(flow, NodeFilter.SHOW_TEXT);
  const found = [];
  let chars = 0;
  for (let node = walker.nextNode(); node && chars < maxChars; node = walker.nextNode()) {
    if (node.parentElement?.closest(".code-head, .back, math")) continue;
    found.push(node.nodeValue ?? "");
    chars += node.nodeValue?.length ?? 0;
  }
  return found.join(" ");
}

/** @param {Element} element */
function isCollapsed(element) {
  const box = element.closest("details:not([open])");
  return box !== null && element.localName !== "summary";
}

/** @param {Element} element code, a table or a formula */
function describe(element) {
  if (element.matches(".code")) {
    const label = element.querySelector(".language")?.textContent ?? "";
    const lines = formatQuantity(words.counts.lines, (element.querySelector("code")?.textContent ?? "").trimEnd().split("\n").length);
    return label === "" ? words.announcements.plainCode(lines) : words.announcements.code(NAMES[label.toLowerCase()] ?? label, lines);
  }
  if (!element.matches(".table")) return words.announcements.formula;
  const rows = element.querySelectorAll("tbody tr").length;
  const columns = element.querySelector("tr")?.childElementCount ?? 0;
  return words.announcements.table(formatQuantity(words.counts.rows, rows), formatQuantity(words.counts.columns, columns));
}

/**
 * Return the spoken form of a node.
 * @param {Node} node
 * @returns {string}
 */
function spoken(node) {
  if (node.nodeType === Node.TEXT_NODE) return node.nodeValue ?? "";
  if (!(node instanceof Element)) return "";
  if (node.matches(".note, .back, .citation, input")) return "";
  if (node.matches(".math")) return formula(node.querySelector(".tex")?.textContent ?? "");
  if (node.localName === "img") return node.getAttribute("alt") ?? "";
  if (node.localName === "br") return " ";
  return Array.from(node.childNodes, spoken).join("");
}

/**
 * Return a short formula as it is, and a word for others.
 * @param {string} tex
 */
function formula(tex) {
  return /^[\p{L}\p{N} +=<>.,()-]{1,16}$/u.test(tex) ? tex : words.announcements.formula;
}

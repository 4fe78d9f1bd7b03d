/** An answer as it is said: sentence by sentence, from what is shown; code, tables and formulas in a few words. */
import { counted } from "../strings/format.js";
import { sentencesOf } from "./sentences.js";
import { language, words } from "../strings/words.js";

/** @typedef {{unit: number, chars: number}} Place how many units are told, and how much of the next one */
/** @typedef {{sentences: string[], place: Place, isAll: boolean}} Told */

/** @type {Place} */
export const START = { unit: 0, chars: 0 };
/** So many sentences are read at once. */
const MOST = 24;
/** What is told one after the other; whatever else there is stands in one of these. */
const UNITS = ".blocks :is(p, h3, h4, h5, h6, summary, .code, .table, div.math)";
/** Languages as they are said, where code is marked with something shorter. @type {Record<string, string>} */
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
 * Read on.
 * @param {Element} flow what shows an answer
 * @param {Place} place
 * @param {boolean} isWhole whether nothing more comes; otherwise its last sentence may not be one yet
 * @returns {Told} at most a few sentences
 */
export function read(flow, place, isWhole) {
  const units = [...flow.querySelectorAll(UNITS)];
  /** @type {string[]} */
  const sentences = [];
  let { unit, chars } = place;
  for (; unit < units.length && sentences.length < MOST; unit++, chars = 0) {
    const element = /** @type {Element} */ (units[unit]);
    const isOpen = !isWhole && unit === units.length - 1;
    if (isUnseen(element)) continue;
    if (!element.matches("p, h3, h4, h5, h6, summary")) {
      if (isOpen) break;
      sentences.push(described(element));
      continue;
    }
    const found = sentencesOf(spoken(element).slice(chars), language);
    const known = isOpen ? found.slice(0, -1) : found;
    for (const sentence of known) {
      chars += sentence.length;
      if (sentence.trim() !== "") sentences.push(sentence.trim());
    }
    if (isOpen) break;
  }
  return { sentences, place: { unit, chars }, isAll: isWhole && unit >= units.length };
}

/**
 * Give the place behind all that is shown.
 * @param {Element} flow
 * @returns {Place}
 */
export function endOf(flow) {
  const units = flow.querySelectorAll(UNITS);
  const last = units[units.length - 1];
  return last ? { unit: units.length - 1, chars: spoken(last).length } : START;
}

/**
 * Give the words of an answer, without what belongs to the page.
 * @param {Element} flow
 * @param {number} most so many characters are enough
 */
export function textOf(flow, most) {
  const walker = document.createTreeWalker(flow, NodeFilter.SHOW_TEXT);
  const found = [];
  let chars = 0;
  for (let node = walker.nextNode(); node && chars < most; node = walker.nextNode()) {
    if (node.parentElement?.closest(".code-head, .back, math")) continue;
    found.push(node.nodeValue ?? "");
    chars += node.nodeValue?.length ?? 0;
  }
  return found.join(" ");
}

/** @param {Element} element */
function isUnseen(element) {
  const box = element.closest("details:not([open])");
  return box !== null && element.localName !== "summary";
}

/** @param {Element} element code, a table or a formula */
function described(element) {
  if (element.matches(".code")) {
    const label = element.querySelector(".language")?.textContent ?? "";
    const lines = counted(words.counts.lines, (element.querySelector("code")?.textContent ?? "").trimEnd().split("\n").length);
    return label === "" ? words.said.plainCode(lines) : words.said.code(NAMES[label.toLowerCase()] ?? label, lines);
  }
  if (!element.matches(".table")) return words.said.formula;
  const rows = element.querySelectorAll("tbody tr").length;
  const columns = element.querySelector("tr")?.childElementCount ?? 0;
  return words.said.table(counted(words.counts.rows, rows), counted(words.counts.columns, columns));
}

/**
 * @param {Node} node
 * @returns {string} as it is said
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

/** @param {string} tex a letter, a number or a short sum is said as it is */
function formula(tex) {
  return /^[\p{L}\p{N} +=<>.,()-]{1,16}$/u.test(tex) ? tex : words.said.formula;
}

/**
 * The rows of tables (https://github.github.com/gfm/#tables-extension-).
 */
import { BacktickRuns } from "./backticks.js";
import { isBlank, skipBlanks, trimEnd } from "./characters.js";

const DELIMITER_ROW = /^\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?$/;

/**
 * Split a row into its cells.
 * @param {string} line
 * @param {boolean} [isChat] whether a bar in code is part of the code
 * @param {boolean} [isOpen] whether more of the row may follow: code without an end goes on
 * @returns {string[]}
 */
export function splitRow(line, isChat = false, isOpen = false) {
  const text = trimEnd(line);
  const runs = isChat && text.includes("`") ? new BacktickRuns(text) : null;
  const cells = [];
  let start = skipBlanks(text, 0);
  if (text.charCodeAt(start) === 124) start++;
  for (let at = start; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 92 && /[\\|`]/.test(text.charAt(at + 1))) at++;
    if (code === 96 && runs) at = codeEnd(text, at, runs, isOpen) - 1;
    if (code === 124) {
      cells.push(text.slice(start, at));
      start = at + 1;
    }
  }
  if (start < text.length || cells.length === 0) cells.push(text.slice(start));
  return cells.map((cell) => trimEnd(cell.slice(skipBlanks(cell, 0))));
}

/**
 * Return the end of the code span that begins here, or of its backticks.
 * @param {string} text
 * @param {number} from
 * @param {BacktickRuns} runs
 * @param {boolean} isOpen
 */
function codeEnd(text, from, runs, isOpen) {
  let at = from;
  while (text.charCodeAt(at) === 96) at++;
  const end = runs.find(at, at - from);
  if (end >= 0) return end + at - from;
  return isOpen ? text.length : at;
}

/**
 * Read a delimiter row, which sets the alignment of the columns.
 * @param {string} line
 * @returns {(string | null)[] | null} null if it is none
 */
export function readDelimiterRow(line) {
  const text = trimEnd(line);
  if (!DELIMITER_ROW.test(text) || !/[|:]/.test(text)) return null;
  return splitRow(text).map((cell) => {
    const isLeft = cell.startsWith(":");
    const isRight = cell.endsWith(":");
    return isLeft && isRight ? "center" : isLeft ? "left" : isRight ? "right" : null;
  });
}

/**
 * Return whether a line can be the head of a table with this many columns.
 * @param {string} line
 * @param {number} columns
 * @param {boolean} [isChat]
 */
export function isTableHead(line, columns, isChat) {
  let size = 0;
  for (let at = 0; at < line.length && size < 2; at++) if (!isBlank(line.charCodeAt(at))) size++;
  return (size > 1 || line.trim() !== "|") && splitRow(line, isChat).length === columns;
}

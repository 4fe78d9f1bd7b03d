/**
 * Rows of tables (https://github.github.com/gfm/#tables-extension-).
 */
import { isBlank, skipBlanks, trimEnd } from "./characters.js";

const DELIMITERS = /^\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?$/;

/**
 * Cut a row into its cells.
 * @param {string} line
 * @returns {string[]}
 */
export function readRow(line) {
  const text = trimEnd(line);
  const cells = [];
  let start = skipBlanks(text, 0);
  if (text.charCodeAt(start) === 124) start++;
  for (let at = start; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 92 && /[\\|]/.test(text.charAt(at + 1))) at++;
    if (code === 124) {
      cells.push(text.slice(start, at));
      start = at + 1;
    }
  }
  if (start < text.length || cells.length === 0) cells.push(text.slice(start));
  return cells.map((cell) => trimEnd(cell.slice(skipBlanks(cell, 0))));
}

/**
 * Read the row that says how columns are aligned.
 * @param {string} line
 * @returns {(string | null)[] | null} null when it is none
 */
export function readAlignment(line) {
  const text = trimEnd(line);
  if (!DELIMITERS.test(text) || !/[|:]/.test(text)) return null;
  return readRow(text).map((cell) => {
    const isLeft = cell.startsWith(":");
    const isRight = cell.endsWith(":");
    return isLeft && isRight ? "center" : isLeft ? "left" : isRight ? "right" : null;
  });
}

/**
 * Tell whether a line can be the head of a table with so many columns.
 * @param {string} line
 * @param {number} columns
 */
export function isHead(line, columns) {
  let size = 0;
  for (let at = 0; at < line.length && size < 2; at++) if (!isBlank(line.charCodeAt(at))) size++;
  return (size > 1 || line.trim() !== "|") && readRow(line).length === columns;
}

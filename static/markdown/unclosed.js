/**
 * A preview of an incomplete text: constructs that are open at its end are closed there, and undecided characters at its
 * end are left out.
 */
import { pairDelimiters } from "./emphasis.js";
import { finishInline, parseInline, readInline } from "./inline.js";

/** @typedef {import("./brackets.js").InlineContext} InlineContext */

const OPEN_REFERENCE = /&[#\w]{0,31}$/;
/** An open bracket further than this from the end is not shown as a link. */
const MAX_OPEN_LINK_CHARS = 1000;

/**
 * Parse a text to which more may be added, closing what is open at its end.
 * @param {string} text
 * @param {InlineContext} context
 */
export function parseUnclosed(text, context) {
  let shown = trimUndecided(text);
  let reader = readInline(shown, context);
  const { unfinished } = reader.brackets;
  if (unfinished >= 0 && unfinished < reader.unclosed.at) {
    shown = `${shown.slice(0, unfinished)}()`;
    reader = readInline(shown, context);
  }
  const { at, closer } = reader.unclosed;
  if (closer === "" && at < shown.length) {
    shown = trimUndecided(shown.slice(0, at));
    reader = readInline(shown, context);
  }
  const paired = pairDelimiters(reader.items, reader.isStrikethroughFirst);
  const closing = closers(reader, paired);
  return closing ? parseInline(shown + closing, { ...context, length: shown.length }) : finishInline(reader, context, paired);
}

/**
 * Drop the characters at the end that are undecided.
 * @param {string} text
 */
function trimUndecided(text) {
  let end = text.length;
  if (text.endsWith("\\(")) end--;
  while (end > 0 && " \t\n*_~\\`[$".includes(text.charAt(end - 1))) end--;
  if (text.startsWith("[", end) && text.charAt(end - 1) === "!") end--;
  const tail = text.slice(Math.max(0, end - 33), end);
  return text.slice(0, end - (OPEN_REFERENCE.exec(tail)?.[0].length ?? 0));
}

/**
 * Return the closers of all open constructs, the innermost first.
 * @param {import("./inline.js").InlineReader} reader
 * @param {import("./emphasis.js").Item[]} paired its items
 */
function closers(reader, paired) {
  const { unclosed, brackets, text } = reader;
  const open = [];
  if (unclosed.closer) open.push({ at: unclosed.at, char: unclosed.closer });
  const { last } = brackets.ends;
  if (last < unclosed.at && text.length - last < MAX_OPEN_LINK_CHARS) open.push({ at: last, char: "]()" });
  for (const { run, from } of paired) {
    const isShown = run?.canOpen && from < unclosed.at && (run.mark !== "~" || run.size === 2);
    if (run && isShown) open.push({ at: from, char: run.mark.repeat(run.size) });
  }
  return open.sort((one, other) => other.at - one.at).map(({ char }) => char).join("");
}

/**
 * A text that is still being written, seen as what it is becoming: whatever is open at its end is closed there, and
 * signs that say nothing yet are left out.
 */
import { pair } from "./emphasis.js";
import { parseInline, read } from "./inline.js";

/** @typedef {import("./brackets.js").Place} Place */

const BEGUN_REFERENCE = /&[#\w]{0,31}$/;
/** Brackets further apart than this are taken as no link until they are one. */
const LONGEST_LINK = 1000;

/**
 * Parse a text of which more may come: what is open at its end is closed there.
 * @param {string} text
 * @param {Place} place
 */
export function parseOpen(text, place) {
  let shown = cutEnd(text);
  let reader = read(shown, place);
  const { unfinished } = reader.brackets;
  if (unfinished >= 0 && unfinished < reader.uncertain.at) {
    shown = `${shown.slice(0, unfinished)}()`;
    reader = read(shown, place);
  }
  const { at, closer } = reader.uncertain;
  if (closer === "" && at < shown.length) {
    shown = cutEnd(shown.slice(0, at));
    reader = read(shown, place);
  }
  return parseInline(shown + closers(reader), { ...place, size: shown.length });
}

/** @param {string} text */
function cutEnd(text) {
  let end = text.length;
  if (text.endsWith("\\(")) end--;
  while (end > 0 && " \t\n*_~\\`[$".includes(text.charAt(end - 1))) end--;
  if (text.startsWith("[", end) && text.charAt(end - 1) === "!") end--;
  const tail = text.slice(Math.max(0, end - 33), end);
  return text.slice(0, end - (BEGUN_REFERENCE.exec(tail)?.[0].length ?? 0));
}

/**
 * List what closes everything open, the innermost first.
 * @param {import("./inline.js").Reader} reader
 */
function closers(reader) {
  const { uncertain, brackets, text } = reader;
  const open = [];
  if (uncertain.closer) open.push({ at: uncertain.at, sign: uncertain.closer });
  const { last } = brackets.ends;
  if (last < uncertain.at && text.length - last < LONGEST_LINK) open.push({ at: last, sign: "]()" });
  for (const { run, from } of pair(reader.items, reader.isStruckFirst)) {
    const isMeant = run?.canOpen && from < uncertain.at && (run.mark !== "~" || run.size === 2);
    if (run && isMeant) open.push({ at: from, sign: run.mark.repeat(run.size) });
  }
  return open.sort((one, other) => other.at - one.at).map(({ sign }) => sign).join("");
}

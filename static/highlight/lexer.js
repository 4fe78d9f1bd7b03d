/** One lexer for every language: a stack of states, each a list of patterns of which the first that fits counts. */
import { STATES } from "./languages.js";

/** @typedef {import("./languages.js").Rule} Rule */

/** @type {Rule} What no other rule wants. */
const OTHER = ["", /[ \t]+|[^]/];

/** @type {Map<string, {pattern: RegExp, rules: Rule[]}>} */
const compiled = new Map();

/** @param {string} name */
function state(name) {
  let made = compiled.get(name);
  if (!made) {
    const rules = STATES[name] ?? [];
    made = { rules, pattern: new RegExp([...rules, OTHER].map(([, { source }]) => `(${source})`).join("|"), "my") };
    compiled.set(name, made);
  }
  return made;
}

/**
 * The pieces of a text, plain ones too, so that one may pause anywhere.
 * @param {string} text
 * @param {string} language
 */
export function* tokens(text, language) {
  const stack = [language];
  for (let at = 0; at < text.length; ) {
    const { pattern, rules } = state(stack.at(-1) ?? language);
    pattern.lastIndex = at;
    const match = /** @type {RegExpExecArray} */ (pattern.exec(text));
    let which = 0;
    while (match[which + 1] === undefined) which += 1;
    const [kind, , move] = rules[which] ?? OTHER;
    const [piece] = match;
    const end = at + piece.length;
    yield { start: at, end, kind: typeof kind === "string" ? kind : kind.get(piece) };
    at = end;
    if (move) {
      const next = move.replace("-", "");
      if (next !== move && stack.length > 1) stack.pop();
      if (next) stack.push(next);
    } else if (!piece) at += 1;
  }
}

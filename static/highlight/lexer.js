/** The lexer of all languages: a stack of states, each a list of rules of which the first that matches is applied. */
import { STATES } from "./languages.js";

/** @typedef {import("./languages.js").Rule} Rule */

/** @type {Rule} Matches where no other rule does. */
const FALLBACK = ["", /[ \t]+|[^]/];

/** @type {Map<string, {pattern: RegExp, rules: Rule[]}>} */
const compiled = new Map();

/** @param {string} name */
function compile(name) {
  let state = compiled.get(name);
  if (!state) {
    const rules = STATES[name] ?? [];
    state = { rules, pattern: new RegExp([...rules, FALLBACK].map(([, { source }]) => `(${source})`).join("|"), "my") };
    compiled.set(name, state);
  }
  return state;
}

/**
 * Yield the tokens of a text, the plain ones too, so that the caller can pause anywhere.
 * @param {string} text
 * @param {string} language
 */
export function* tokenize(text, language) {
  const stack = [language];
  for (let at = 0; at < text.length; ) {
    const { pattern, rules } = compile(stack.at(-1) ?? language);
    pattern.lastIndex = at;
    const match = /** @type {RegExpExecArray} */ (pattern.exec(text));
    let index = 0;
    while (match[index + 1] === undefined) index += 1;
    const [kind, , move] = rules[index] ?? FALLBACK;
    const [token] = match;
    const end = at + token.length;
    yield { start: at, end, kind: typeof kind === "string" ? kind : kind.get(token) };
    at = end;
    if (move) {
      const next = move.replace("-", "");
      if (next !== move && stack.length > 1) stack.pop();
      if (next) stack.push(next);
    } else if (!token) at += 1;
  }
}

/** The lexer: its tokens cover the text, its tables are consistent, and no text makes it slow. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { hostile } from "./hostile.mjs";
import { STATES, languageOf } from "./static/highlight/languages.js";
import { tokenize } from "./static/highlight/lexer.js";

const LANGUAGES = "python javascript typescript json html css bash sql java c csharp go rust yaml diff".split(" ");
const seed = Number(process.env.FRESHET_TEST_SEED ?? Math.floor(Math.random() * 2 ** 32));
console.log(`FRESHET_TEST_SEED=${seed}`);

/** Create a random generator with the seed. */
function seededRandom() {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** @param {string} text @param {string} language */
function kinds(text, language) {
  return [...tokenize(text, language)].filter(({ kind }) => kind).map(({ start, end, kind }) => [text.slice(start, end), kind]);
}

test("the tokens are contiguous and cover the text", () => {
  for (const language of LANGUAGES) {
    for (const [name, text] of hostile(500, seededRandom())) {
      let at = 0;
      for (const { start, end } of tokenize(text, language)) {
        assert.equal(start, at, `${language} ${name}`);
        at = end;
      }
      assert.equal(at, text.length, `${language} ${name}`);
    }
  }
});

test("every language and every state that a rule pushes exists", () => {
  const moves = Object.values(STATES).flatMap((rules) => rules.map(([, , move]) => move?.replace("-", "")));
  for (const name of [...LANGUAGES, ...moves]) if (name) assert.ok(STATES[name], name);
});

test("only the last rule of a state has a group of its own", () => {
  for (const [name, rules] of Object.entries(STATES)) {
    const grouped = rules.filter(([, { source }]) => (new RegExp(`${source}|`).exec("") ?? []).length > 1);
    assert.deepEqual(grouped, grouped.length ? [rules.at(-1)] : [], name);
  }
});

test("languages are found by their usual names", () => {
  const usual = {
    python: "py Python", javascript: "js JSX mjs", typescript: "ts tsx", bash: "sh shell zsh", yaml: "yml", c: "cpp c++ h hpp",
    csharp: "cs c#", go: "golang", rust: "rs", html: "xml svg", diff: "patch", sql: "postgresql", json: "jsonc", css: "css", java: "java",
  };
  for (const [language, names] of Object.entries(usual)) for (const name of names.split(" ")) assert.equal(languageOf(name), language, name);
  for (const name of ["", "text", "constructor", "toString", "py js", ";"]) assert.equal(languageOf(name), undefined, name);
});

test("embedded code is lexed in its own language", () => {
  assert.deepEqual(kinds("f\"it's {len(x):.2f}\"", "python").map(([piece]) => piece), ['f"', "it's ", "{", "len", ":.2f}", '"']);
  assert.deepEqual(kinds("`a${ {b: `c`} }d`; 1", "javascript").map(([piece]) => piece), ["`", "a", "${", "`", "c", "`", "}", "d", "`", "1"]);
  assert.deepEqual(kinds("<p>it's</p>", "html"), [["p", "name"], ["p", "name"]]);
  assert.deepEqual(kinds("<script>if</script>if", "html"), [["script", "name"], ["if", "keyword"], ["script", "name"]]);
  assert.deepEqual(kinds("<style>a{color:red}</style>", "html").map(([, kind]) => kind), ["name", "name", "keyword", "keyword", "name"]);
  assert.deepEqual(kinds('"$(echo "$x")"', "bash").map(([piece]) => piece), ['"', "$(", "echo", '"', "$x", '"', ")", '"']);
  assert.deepEqual(kinds("return <b>don't {if_}</b>", "javascript"), [["return", "keyword"], ["b", "name"], ["b", "name"]]);
});

test("a slash divides after a value, and starts a regular expression elsewhere", () => {
  assert.deepEqual(kinds("a = b / c / d", "javascript"), []);
  assert.deepEqual(kinds("a = /b[/]c/g", "javascript"), [["/b[/]c/g", "string"]]);
});

test("names of Object.prototype are no keywords", () => {
  assert.deepEqual(kinds("constructor toString __proto__ hasOwnProperty", "go"), []);
});

/** Return the least CPU time of several runs, in milliseconds: the machine may be busy. @param {string} text @param {string} language @param {number} runs */
function cost(text, language, runs) {
  let least = Infinity;
  for (let run = 0; run < runs; run += 1) {
    const before = process.cpuUsage();
    for (const piece of tokenize(text, language)) if (piece.end > text.length) throw new Error("beyond the end");
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, (user + system) / 1000);
  }
  return least;
}

test("the time is linear in the length", () => {
  const [short, long] = [2_000, 16_000];
  const few = hostile(short, seededRandom());
  const many = hostile(long, seededRandom());
  for (const language of LANGUAGES) {
    many.forEach(([name, text], at) => {
      // Less is too short to measure; a delay by the machine disappears when it is measured again.
      if (cost(text, language, 1) < 20 || cost(text, language, 5) < 20) return;
      const growth = Math.log(cost(text, language, 5) / cost(few[at][1], language, 5)) / Math.log(long / short);
      assert.ok(growth < 1.4, `${language} ${name}: exponent ${growth.toFixed(2)}`);
    });
  }
});

test("100 kB of any text take less than 500 ms", () => {
  const texts = new Map(hostile(100_000, seededRandom()));
  for (const language of LANGUAGES) {
    for (const name of ['"\\""', '"\\"\\"\\""', '"/*"', '"`${"', '"\\\\"', '"<<A\\n"', "mixed"]) {
      const took = cost(/** @type {string} */ (texts.get(name)), language, 3);
      assert.ok(took < 500, `${language} ${name}: ${took.toFixed(0)} ms`);
    }
  }
});

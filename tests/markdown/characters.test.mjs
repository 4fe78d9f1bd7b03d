// Character references, line endings and unusual characters.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { decodeReference } from "./static/markdown/character-references.js";
import { parse } from "./static/markdown/index.js";
import { LineSplitter } from "./static/markdown/line-splitter.js";

const NAMES = JSON.parse(readFileSync("names.json", "utf8"));

test("every entity of HTML is resolved", () => {
  assert.equal(Object.keys(NAMES).length, 2125);
  for (const [name, value] of Object.entries(NAMES)) assert.equal(decodeReference(`&${name};`), value, name);
});

test("unknown entities stay as written", () => {
  for (const name of ["Acaron", "nope", "fr", "constructor", "amp2"]) assert.equal(decodeReference(`&${name};`), `&${name};`);
});

test("numeric references to invalid code points become U+FFFD", () => {
  for (const number of ["0", "1", "11", "127", "x80", "xD800", "xFFFE", "x110000"]) assert.equal(decodeReference(`&#${number};`), "\ufffd");
  for (const [number, value] of [["9", "\t"], ["10", "\n"], ["x41", "A"], ["128512", "😀"]]) assert.equal(decodeReference(`&#${number};`), value);
});

test("lines are the same wherever the text is cut", () => {
  const text = "\ufeffa\r\nb\rc\n\nd\r\r\n\0e";
  const whole = new LineSplitter().feed(text);
  assert.deepEqual(whole, ["a", "b", "c", "", "d", "", "\ufffde"]);
  for (let cut = 0; cut <= text.length; cut++) {
    const lines = new LineSplitter();
    const first = lines.feed(text.slice(0, cut));
    const [next, ...rest] = lines.feed(text.slice(cut));
    assert.deepEqual([...first.slice(0, -1), first.at(-1) + next, ...rest], whole, `cut at ${cut}`);
  }
});

test("line endings in values become line feeds", () => {
  assert.deepEqual(parse("a\r\nb\r\n\r\n    c\r    d"), parse("a\nb\n\n    c\n    d"));
});

test("lone surrogates, control and bidirectional characters stay in the text", () => {
  const text = "\ud800a \u202eb\u2066 \u0007 *\udc00*";
  assert.deepEqual(parse(text).children[0].children.map(({ type }) => type), ["text", "emphasis"]);
});

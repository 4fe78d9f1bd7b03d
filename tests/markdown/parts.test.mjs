// Names of characters, ends of lines, and what is the same for every spelling of a text.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { decodeReference } from "./static/markdown/references.js";
import { parse } from "./static/markdown/index.js";
import { Lines } from "./static/markdown/lines.js";

const NAMES = JSON.parse(readFileSync("names.json", "utf8"));

test("every name of HTML has its characters", () => {
  assert.equal(Object.keys(NAMES).length, 2125);
  for (const [name, value] of Object.entries(NAMES)) assert.equal(decodeReference(`&${name};`), value, name);
});

test("what is no name stays", () => {
  for (const name of ["Acaron", "nope", "fr", "constructor", "amp2"]) assert.equal(decodeReference(`&${name};`), `&${name};`);
});

test("numbers that mean no character are U+FFFD", () => {
  for (const number of ["0", "1", "11", "127", "x80", "xD800", "xFFFE", "x110000"]) assert.equal(decodeReference(`&#${number};`), "\ufffd");
  for (const [number, value] of [["9", "\t"], ["10", "\n"], ["x41", "A"], ["128512", "😀"]]) assert.equal(decodeReference(`&#${number};`), value);
});

test("lines end alike however they are cut", () => {
  const text = "\ufeffa\r\nb\rc\n\nd\r\r\n\0e";
  const whole = new Lines().feed(text);
  assert.deepEqual(whole, ["a", "b", "c", "", "d", "", "\ufffde"]);
  for (let cut = 0; cut <= text.length; cut++) {
    const lines = new Lines();
    const first = lines.feed(text.slice(0, cut));
    const [next, ...rest] = lines.feed(text.slice(cut));
    assert.deepEqual([...first.slice(0, -1), first.at(-1) + next, ...rest], whole, `cut at ${cut}`);
  }
});

test("line ends in values are line feeds", () => {
  assert.deepEqual(parse("a\r\nb\r\n\r\n    c\r    d"), parse("a\nb\n\n    c\n    d"));
});

test("lone surrogates, controls and bidirectional signs pass as text", () => {
  const text = "\ud800a \u202eb\u2066 \u0007 *\udc00*";
  assert.deepEqual(parse(text).children[0].children.map(({ type }) => type), ["text", "emphasis"]);
});

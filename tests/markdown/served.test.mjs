// The parser as it is served, joined and made small, gives the same trees as the one that is written.
import assert from "node:assert/strict";
import { test } from "node:test";
import spec from "commonmark-spec";
import { Generator } from "./generate.mjs";
import { NASTY } from "./hostile.mjs";
import { parse as served } from "./served/markdown/index.js";
import { parse } from "./static/markdown/index.js";

const SEED = Number(process.env.MARKDOWN_SEED ?? 1);
const CASES = 3000;

/** @param {Iterable<string>} texts */
function compare(texts) {
  for (const text of texts) assert.deepEqual(served(text), parse(text), text.slice(0, 200));
}

test("every example of the specification", () => compare(spec.tests.map(({ markdown }) => markdown.replaceAll("→", "\t"))));

test("what is nasty", () => compare(Object.values(NASTY).map((make) => make(500))));

test(`${CASES} texts of seed ${SEED}`, () => {
  const generator = new Generator(SEED);
  compare(Array.from({ length: CASES }, () => generator.text()));
});

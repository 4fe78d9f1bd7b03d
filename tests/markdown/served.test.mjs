// The parser as it is served, bundled and minified, gives the same trees as its source.
import assert from "node:assert/strict";
import { test } from "node:test";
import spec from "commonmark-spec";
import { Generator } from "./generate.mjs";
import { PATHOLOGICAL } from "./pathological.mjs";
import { parse as served } from "./served/markdown/index.js";
import { parse } from "./static/markdown/index.js";

const SEED = Number(process.env.MARKDOWN_SEED ?? 1);
const CASES = 3000;

/** @param {Iterable<string>} texts */
function compare(texts) {
  for (const text of texts) assert.deepEqual(served(text), parse(text), text.slice(0, 200));
}

test("the examples of the specification", () => compare(spec.tests.map(({ markdown }) => markdown.replaceAll("→", "\t"))));

test("pathological texts", () => compare(Object.values(PATHOLOGICAL).map((make) => make(500))));

test(`${CASES} generated texts of seed ${SEED}`, () => {
  const generator = new Generator(SEED);
  compare(Array.from({ length: CASES }, () => generator.text()));
});

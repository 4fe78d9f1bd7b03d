// Every example of CommonMark 0.31.2 gives the same tree as micromark.
import assert from "node:assert/strict";
import { test } from "node:test";
import spec from "commonmark-spec";
import { normalize } from "./differences.mjs";
import { parse } from "./static/markdown/index.js";
import { referenceTree } from "./micromark.mjs";

// Examples that match after normalization.
// 173: unclosed HTML has no line ending after its last line.
// 541: the lines of a label are trimmed, as in the reference implementations.
const NORMALIZED = new Set([173, 541]);

test("there are 652 examples", () => assert.equal(spec.tests.length, 652));

for (const { number, markdown, section } of spec.tests) {
  const text = markdown.replaceAll("→", "\t");
  test(`example ${number}, ${section}`, () => {
    if (NORMALIZED.has(number)) assert.notDeepEqual(parse(text), referenceTree(text), "the difference no longer exists");
    const prepare = NORMALIZED.has(number) ? normalize : (tree) => tree;
    assert.deepEqual(prepare(parse(text)), prepare(referenceTree(text)));
  });
}

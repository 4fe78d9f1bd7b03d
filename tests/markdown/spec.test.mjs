// Every example of CommonMark 0.31.2 gives the witness's tree.
import assert from "node:assert/strict";
import { test } from "node:test";
import spec from "commonmark-spec";
import { even } from "./differences.mjs";
import { parse } from "./static/markdown/index.js";
import { witness } from "./reference.mjs";

// 173: HTML that nothing ends holds no line end behind its last line.
// 541: a label is kept with its lines trimmed, as in the reference implementations.
const EVENED = new Set([173, 541]);

test("there are 652 examples", () => assert.equal(spec.tests.length, 652));

for (const { number, markdown, section } of spec.tests) {
  const text = markdown.replaceAll("→", "\t");
  test(`example ${number}, ${section}`, () => {
    if (EVENED.has(number)) assert.notDeepEqual(parse(text), witness(text), "no longer a difference");
    const same = EVENED.has(number) ? even : (tree) => tree;
    assert.deepEqual(same(parse(text)), same(witness(text)));
  });
}

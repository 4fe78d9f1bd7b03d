// Generated texts give the same tree as micromark. A text that differs is reduced and must then be an intended difference.
// Another seed: MARKDOWN_SEED=7 MARKDOWN_CASES=100000 python -m pytest tests/markdown -k generated
import assert from "node:assert/strict";
import { test } from "node:test";
import { DIFFERENCES, normalize } from "./differences.mjs";
import { Generator } from "./generate.mjs";
import { parse } from "./static/markdown/index.js";
import { referenceTree } from "./micromark.mjs";

const SEED = Number(process.env.MARKDOWN_SEED ?? 1);
const CASES = Number(process.env.MARKDOWN_CASES ?? 6000);
/** More differences than this would not be corner cases. */
const MAX_DIFFERENT_RATIO = 0.03;

function differs(text) {
  try {
    assert.deepEqual(normalize(parse(text)), normalize(referenceTree(text)));
    return false;
  } catch {
    return true;
  }
}

/** Remove all parts of a text that the difference does not need. */
function reduce(text) {
  for (let size = Math.ceil(text.length / 2); size > 0; size = Math.floor(size / 2)) {
    for (let at = 0; at < text.length; ) {
      const shorter = text.slice(0, at) + text.slice(at + size);
      if (differs(shorter)) text = shorter;
      else at += size;
    }
  }
  return text;
}

test(`${CASES} generated texts of seed ${SEED} match`, (context) => {
  const generator = new Generator(SEED);
  let known = 0;
  for (let index = 0; index < CASES; index++) {
    const text = generator.text();
    if (!differs(text)) continue;
    const least = reduce(text);
    const isKnown = DIFFERENCES.some(({ like }) => like.test(least));
    assert.ok(isKnown, `seed ${SEED}, text ${index}: ${JSON.stringify(least)} out of ${JSON.stringify(text)}`);
    known++;
  }
  context.diagnostic(`${known} of ${CASES} have intended differences`);
  assert.ok(known < CASES * MAX_DIFFERENT_RATIO);
});

for (const { reason, text, like } of DIFFERENCES) {
  test(reason, () => {
    assert.match(text, like);
    assert.ok(differs(text), "the difference no longer exists");
  });
}

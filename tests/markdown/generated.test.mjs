// Generated texts give the witness's tree. What differs is reduced to its smallest and must then be a difference on
// purpose. Another seed: MARKDOWN_SEED=7 MARKDOWN_CASES=100000 python -m pytest tests/markdown -k generated
import assert from "node:assert/strict";
import { test } from "node:test";
import { DIFFERENCES, even } from "./differences.mjs";
import { Generator } from "./generate.mjs";
import { parse } from "./static/markdown/index.js";
import { witness } from "./reference.mjs";

const SEED = Number(process.env.MARKDOWN_SEED ?? 1);
const CASES = Number(process.env.MARKDOWN_CASES ?? 6000);
/** More than this would be no matter of corners. */
const MOST_DIFFERENT = 0.03;

function differs(text) {
  try {
    assert.deepEqual(even(parse(text)), even(witness(text)));
    return false;
  } catch {
    return true;
  }
}

/** Leave out whatever the difference does not need. */
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

test(`${CASES} texts of seed ${SEED}`, (context) => {
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
  context.diagnostic(`${known} of ${CASES} differ on purpose`);
  assert.ok(known < CASES * MOST_DIFFERENT);
});

for (const { reason, text, like } of DIFFERENCES) {
  test(reason, () => {
    assert.match(text, like);
    assert.ok(differs(text), "no longer a difference");
  });
}

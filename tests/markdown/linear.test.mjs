// Four times the text takes about four times as long: a squared cost would be sixteen times.
import assert from "node:assert/strict";
import { test } from "node:test";
import { NASTY } from "./hostile.mjs";
import { parse } from "./static/markdown/index.js";

const SIZE = 40_000;
/** The least time counts: whatever else the machine does only adds to it. */
const ROUNDS = 8;
/** Below this, what is measured is the machine and not the parser. */
const LEAST_MS = 20;
const MOST = 10;

function cost_ms(text) {
  const before = process.cpuUsage();
  parse(text);
  return process.cpuUsage(before).user / 1000;
}

for (const [name, make] of Object.entries(NASTY)) {
  test(name, () => {
    let short_ms = Infinity;
    let long_ms = Infinity;
    for (let round = 0; round < ROUNDS; round++) {
      short_ms = Math.min(short_ms, cost_ms(make(SIZE)));
      long_ms = Math.min(long_ms, cost_ms(make(4 * SIZE)));
      if (long_ms < MOST * Math.max(short_ms, LEAST_MS)) return;
    }
    assert.fail(`${short_ms} ms, then ${long_ms} ms`);
  });
}

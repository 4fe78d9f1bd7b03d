// Parsing takes linear time: four times the text takes about four times as long, not sixteen times.
import assert from "node:assert/strict";
import { test } from "node:test";
import { PATHOLOGICAL } from "./pathological.mjs";
import { parse } from "./static/markdown/index.js";

const SIZE = 40_000;
/** The minimum of several rounds counts, because other load on the machine only adds to it. */
const ROUNDS = 8;
/** Shorter times measure the machine rather than the parser. */
const MIN_MS = 20;
const MOST = 10;

function cost_ms(text, options) {
  const before = process.cpuUsage();
  parse(text, options);
  return process.cpuUsage(before).user / 1000;
}

const all = Object.entries(PATHOLOGICAL).flatMap(([name, make]) => [false, true].map((isChat) => ({ name, make, isChat })));

for (const { name, make, isChat } of all) {
  test(isChat ? `${name}, in a chat` : name, () => {
    let short_ms = Infinity;
    let long_ms = Infinity;
    for (let round = 0; round < ROUNDS; round++) {
      short_ms = Math.min(short_ms, cost_ms(make(SIZE), { isChat }));
      long_ms = Math.min(long_ms, cost_ms(make(4 * SIZE), { isChat }));
      if (long_ms < MOST * Math.max(short_ms, MIN_MS)) return;
    }
    assert.fail(`${short_ms} ms, then ${long_ms} ms`);
  });
}

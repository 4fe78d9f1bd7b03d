// Streaming takes linear time, with the extensions for chats: four times the text, in frames of 60 characters, takes about four times as long, not sixteen times.
import assert from "node:assert/strict";
import { test } from "node:test";
import { PATHOLOGICAL } from "./pathological.mjs";
import { MarkdownStream } from "./static/markdown/stream.js";

const SIZE = 10_000;
const FRAME = 60;
/** The minimum of several rounds counts, because other load on the machine only adds to it. */
const ROUNDS = 6;
const MIN_MS = 60;
const MOST = 10;

const FORWARD_REFERENCES = {
  "labels defined late": (size) => {
    const count = Math.floor(size / 16);
    const names = Array.from({ length: count }, (_, index) => `a${index}`);
    return `${names.map((name) => `[${name}]`).join(" ")}\n\n${names.map((name) => `[${name}]: /b\n`).join("")}`;
  },
};

function cost_ms(text) {
  const before = process.cpuUsage();
  const stream = new MarkdownStream({ isChat: true });
  for (let at = 0; at < text.length; at += FRAME) stream.write(text.slice(at, at + FRAME));
  stream.end();
  return process.cpuUsage(before).user / 1000;
}

for (const [name, make] of Object.entries({ ...PATHOLOGICAL, ...FORWARD_REFERENCES })) {
  test(name, () => {
    let short_ms = Infinity;
    let long_ms = Infinity;
    for (let round = 0; round < ROUNDS; round++) {
      short_ms = Math.min(short_ms, cost_ms(make(SIZE)));
      long_ms = Math.min(long_ms, cost_ms(make(4 * SIZE)));
      if (long_ms < MOST * Math.max(short_ms, MIN_MS)) return;
    }
    assert.fail(`${short_ms} ms, then ${long_ms} ms`);
  });
}

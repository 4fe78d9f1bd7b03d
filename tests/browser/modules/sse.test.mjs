// Each case is decoded whole, byte by byte, and at every two-way split: the items must be the same.
import assert from "node:assert/strict";
import { test } from "node:test";
import { SseDecoder, SseOverflow } from "./static/stream/sse.js";

const event = (data, { id = null, name = "message" } = {}) => ({ kind: "event", event: { name, data, id } });
const bytes = (text) => new TextEncoder().encode(text);

const CASES = [
  ["a frame", 'id: a:1:1\ndata: {"text":"x"}\n\n', [event('{"text":"x"}', { id: "a:1:1" })]],
  ["CRLF", "data: a\r\ndata: b\r\n\r\ndata: c\r\n\r\n", [event("a\nb"), event("c")]],
  ["CR", "data: a\rdata: b\r\rdata: c\r\r", [event("a\nb"), event("c")]],
  ["mixed line ends", "data: a\r\n\ndata: b\n\r\ndata: c\r\r\n", [event("a"), event("b"), event("c")]],
  ["byte order mark", "\ufeffdata: a\n\n", [event("a")]],
  ["only the first byte order mark", "\ufeffdata: \ufeffa\n\n", [event("\ufeffa")]],
  ["no space after the colon", "data:a\n\n", [event("a")]],
  ["only one space is dropped", "data:  a\n\n", [event(" a")]],
  ["a field without a colon", "data\n\n", [event("")]],
  ["several data lines, one empty", "data: a\ndata:\ndata: b\n\n", [event("a\n\nb")]],
  ["comments and blank lines", ":\n\n: OPEN\n\n\n\ndata: a\n:x\ndata: b\n\n", [event("a\nb")]],
  ["a named event", "event: done\ndata: {}\n\ndata: y\n\n", [event("{}", { name: "done" }), event("y")]],
  ["an id does not carry over to the next event", "id: 1\ndata: a\n\ndata: b\n\n", [event("a", { id: "1" }), event("b")]],
  ["an id with a null character is ignored", "id: a\0b\ndata: a\n\n", [event("a")]],
  ["an event without data is dropped", "event: x\nid: 1\n\ndata: a\n\n", [event("a")]],
  ["retry", "retry: 1500\n\nretry: soon\nretry: -1\n\n", [{ kind: "retry", ms: 1500 }]],
  ["unknown fields", "foo: bar\ndata: a\nDATA: b\n\n", [event("a")]],
  ["Unicode line separators are text", "data: a\u2028b\u2029c\u0085d\n\n", [event("a\u2028b\u2029c\u0085d")]],
  ["characters of several bytes", "data: žluť 水 👩‍👩‍👧\n\n", [event("žluť 水 👩‍👩‍👧")]],
  ["an incomplete event at the end is dropped", "data: a\n\ndata: b\n", [event("a")]],
];

function decode(chunks) {
  const decoder = new SseDecoder();
  const items = chunks.flatMap((chunk) => decoder.decode(chunk));
  decoder.flush();
  return items;
}

for (const [name, text, expected] of CASES) {
  test(name, () => {
    const whole = bytes(text);
    assert.deepEqual(decode([whole]), expected, "whole");
    assert.deepEqual(decode([...whole].map((byte) => Uint8Array.of(byte))), expected, "byte by byte");
    for (let cut = 0; cut <= whole.length; cut++) {
      assert.deepEqual(decode([whole.subarray(0, cut), whole.subarray(cut)]), expected, `cut at ${cut}`);
    }
  });
}

test("invalid UTF-8 becomes one replacement character", () => {
  const chunk = Uint8Array.of(...bytes("data: a"), 0xff, ...bytes("b\n\ndata: c\n\n"));
  assert.deepEqual(decode([chunk]), [event("a\ufffdb"), event("c")]);
});

test("a line beyond the limit throws", () => {
  const decoder = new SseDecoder({ maxChars: 100 });
  decoder.decode(bytes(`data: ${"x".repeat(90)}`));
  assert.throws(() => decoder.decode(bytes("x".repeat(20))), SseOverflow);
});

test("an event beyond the limit throws", () => {
  const decoder = new SseDecoder({ maxChars: 100 });
  assert.throws(() => {
    for (let at = 0; at < 50; at++) decoder.decode(bytes("data: xxxxx\n"));
  }, SseOverflow);
});

test("the limit is for each event, not for a chunk", () => {
  const decoder = new SseDecoder({ maxChars: 100 });
  const items = decoder.decode(bytes("data: xxxxx\n\n".repeat(100)));
  assert.equal(items.length, 100);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { formatCursor, parseCursor, parseFrame, parseObject } from "./static/stream/frames.js";
import { dropCursor, endAnswer, isOver, newAnswer, reduce, reopen } from "./static/stream/answer-state.js";

const RUN = "AAAAAAAAAAAAAAAAAAAAAA";
const OTHER = "BBBBBBBBBBBBBBBBBBBBBB";
const at = (seq, frame, { epoch = 1, run = RUN } = {}) => ({ cursor: { run, epoch, seq }, frame });
const bare = (frame) => ({ cursor: null, frame });
const play = (received, answer = newAnswer(RUN)) =>
  received.reduce((state, next, index) => reduce(state, next, 1000 + index), answer);

const START = { start: { v: 1, run: RUN, provider: "mock", model: "mock-standard" } };
const DONE = { done: true, finish_reason: "stop", usage: { input_tokens: 1, output_tokens: 2 }, cost: 0.000012 };

test("an answer from start to end", () => {
  const answer = play([at(1, START), at(2, { reasoning: "hm" }), at(3, { text: "Hel" }), at(4, { text: "lo" }), at(5, DONE)]);
  assert.equal(answer.text, "Hello");
  assert.equal(answer.reasoning, "hm");
  assert.equal(answer.model, "mock-standard");
  assert.equal(answer.status, "done");
  assert.deepEqual(answer.end, DONE);
  assert.deepEqual(answer.cursor, { run: RUN, epoch: 1, seq: 5 });
  assert.equal(answer.began_ms, 1001);
  assert.equal(answer.ended_ms, 1004);
});

test("a repeated frame changes nothing", () => {
  const frames = [at(1, START), at(2, { text: "a" }), at(3, { text: "b" }), at(4, DONE)];
  assert.equal(play(frames.flatMap((frame) => [frame, frame])).text, "ab");
  assert.equal(play([...frames.slice(0, 3), ...frames]).text, "ab");
});

test("a duplicate frame returns the same value", () => {
  const answer = play([at(1, START), at(2, { text: "a" })]);
  assert.equal(reduce(answer, at(2, { text: "a" }), 9), answer);
  assert.equal(reduce(answer, at(1, START, { run: OTHER }), 9), answer);
});

test("frames after the terminal one change nothing", () => {
  const answer = play([at(1, { text: "a" }), at(2, DONE)]);
  assert.equal(reduce(answer, at(3, { text: "b" }), 9), answer);
  assert.equal(reduce(answer, at(1, { reset: { text: "" } }, { epoch: 2 }), 9), answer);
});

test("frames of an older epoch are dropped, those of a newer one are applied", () => {
  const answer = play([at(7, { text: "a" }, { epoch: 2 })]);
  assert.equal(reduce(answer, at(9, { text: "x" }), 9), answer);
  assert.equal(reduce(answer, at(1, { text: "b" }, { epoch: 3 }), 9).text, "ab");
});

test("a reset replaces everything and may go back in seq", () => {
  const answer = play([at(8, { text: "wrong" }), at(3, { reset: { text: "right", reasoning: "so" } }), at(4, { text: "!" })]);
  assert.equal(answer.text, "right!");
  assert.equal(answer.reasoning, "so");
  assert.equal(answer.redraws, 1);
  assert.equal(answer.gapped, true);
});

test("a reset in pieces has a cursor only after its last piece", () => {
  const pieces = [bare({ reset: { text: "a", start: START.start } }), bare({ text: "b" }), at(2, { text: "c" }), at(3, { text: "d" })];
  const answer = play(pieces, play([at(9, { text: "old" })]));
  assert.equal(answer.text, "abcd");
  assert.equal(answer.cursor.seq, 3);
  assert.equal(answer.model, "mock-standard");
});

test("a reset that was cut off is replaced", () => {
  const cut = play([bare({ reset: { text: "a" } }), bare({ text: "b" })], play([at(9, { text: "old" })]));
  assert.equal(cut.cursor, null);
  const again = play([at(1, START), at(2, { text: "abc" })], reopen(cut));
  assert.equal(again.text, "abc");
});

test("without a cursor the first frame replaces the text", () => {
  const answer = reopen(dropCursor(play([at(1, START), at(2, { text: "abc" })])));
  assert.equal(answer.text, "abc", "kept until a frame comes");
  assert.equal(play([at(1, START)], answer).text, "");
  assert.equal(play([at(1, START), at(2, { text: "abc" })], answer).text, "abc");
});

test("with a cursor a new connection appends", () => {
  const answer = reopen(play([at(1, START), at(2, { text: "ab" })]));
  assert.equal(play([bare(START), at(3, { text: "c" })], answer).text, "abc");
});

test("a failed answer keeps its text", () => {
  const answer = play([at(1, { text: "a" }), at(2, { error: "It stalled.", code: "upstream_stalled", retryable: true, partial: true })]);
  assert.equal(answer.status, "failed");
  assert.equal(answer.failure.code, "upstream_stalled");
  assert.equal(answer.text, "a");
});

test("unknown frames and keys are ignored, and move the cursor", () => {
  const answer = play([at(1, START), at(2, { tool: { name: "x" } }), at(3, { text: "a", colour: "red" })]);
  assert.equal(answer.text, "a");
  assert.equal(answer.cursor.seq, 3);
});

test("a notice stays until text comes", () => {
  const waiting = play([bare({ notice: { code: "queued", after_ms: 0 } })]);
  assert.equal(waiting.notice, "queued");
  assert.equal(play([at(1, { text: "a" })], waiting).notice, null);
});

test("the terminal frame replaces provider and model", () => {
  const answer = play([at(1, START), at(2, { ...DONE, provider: "ollama", model: "llama3" })]);
  assert.equal(answer.model, "llama3");
});

test("an ended answer cannot end again", () => {
  const stopped = endAnswer(newAnswer(RUN), { done: true, finish_reason: "cancelled", by: "user" }, 5);
  assert.ok(isOver(stopped));
  assert.equal(endAnswer(stopped, { error: "x", code: "gone" }, 6), stopped);
});

test("no value is changed in place", () => {
  const answer = Object.freeze(newAnswer(RUN));
  for (const frame of [START, { text: "a" }, { sources: [] }, { reset: { text: "b" } }, DONE]) reduce(answer, at(1, frame), 1);
  assert.deepEqual(answer, newAnswer(RUN));
});

test("a formatted cursor parses to the same value", () => {
  const cursor = { run: RUN, epoch: 3, seq: 41 };
  assert.deepEqual(parseCursor(formatCursor(cursor)), cursor);
  assert.equal(parseCursor(`${RUN}:2:0`).seq, 0);
});

for (const text of ["", "x", `${RUN}:1`, `${RUN}:0:1`, `${RUN}:1:-1`, `${RUN}:1:01`, `${RUN}:1:1:1`, `${RUN}x:1:1`, `${RUN}:1:1e3`, ` ${RUN}:1:1`, null, 7, undefined]) {
  test(`${JSON.stringify(text)} is no cursor`, () => assert.equal(parseCursor(text), null));
}

for (const text of ["", "{", "[]", "null", '"x"', '{"text":1}', '{"done":"yes"}', '{"reset":null}', '{"start":"x"}', '{"sources":{}}', '{"error":{}}']) {
  test(`${JSON.stringify(text)} is no frame`, () => assert.equal(parseFrame(parseObject(text)), null));
}

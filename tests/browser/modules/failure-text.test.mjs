// What is pure and small: numbers, pauses, the conversation and its saved form, the words themselves.
import assert from "node:assert/strict";
import { test } from "node:test";
import { EMPTY, answered, asked, freeze, thaw, underway } from "./static/conversation/conversation.js";
import { newRun } from "./static/dom/clock.js";
import { formatCost, formatCount, rate } from "./static/strings/format.js";
import { backoff, parseRetryAfter } from "./static/stream/backoff.js";
import { adviceOf, reasonOf, titleOf } from "./static/strings/failure-text.js";
import { ended, newAnswer } from "./static/stream/answer-state.js";
import { en } from "./static/strings/en.js";

const DONE = { done: true, finish_reason: "stop" };
const over = (run, text) => ended({ ...newAnswer(run), text }, DONE, 1);

test("costs have no exponent and at least two digits that mean something", () => {
  const costs = [[0.000012, "$0.000012"], ["0.000012", "$0.000012"], ["1.2E-7", "$0.00000012"], [1.2e-9, "$0.0000000012"], [0, "$0"], [0.0123, "$0.012"], [0.5, "$0.50"], [0.999, "$1.00"], [12.345, "$12.35"]];
  for (const [cost, written] of costs) assert.equal(formatCost(cost), written);
  for (const unknown of [null, undefined, "", "much", NaN, -1]) assert.equal(formatCost(unknown), null);
});

test("counts and rates", () => {
  assert.equal(formatCount(1234567), "1,234,567");
  assert.equal(rate(100, 2000), 50);
  assert.equal(rate(5, 2000), 2.5);
  assert.equal(rate(5, 10), null, "too early to say");
  assert.equal(rate(0, 2000), null);
});

test("a pause grows to a cap, differs by chance, and is never shorter than asked", () => {
  assert.ok(backoff(1, 0, 0) < backoff(2, 0, 0));
  assert.ok(backoff(1, 0, 0) < backoff(1, 0, 1));
  assert.equal(backoff(50, 0, 1), 15_000);
  assert.ok(backoff(1, 4_000, 0) >= 4_000);
});

test("Retry-After is seconds, a date, or nothing", () => {
  assert.equal(parseRetryAfter("7", 0), 7_000);
  assert.equal(parseRetryAfter("0.5", 0), 500);
  assert.equal(parseRetryAfter("Thu, 01 Jan 1970 00:00:10 GMT", 4_000), 6_000);
  assert.equal(parseRetryAfter("Thu, 01 Jan 1970 00:00:10 GMT", 40_000), 0);
  for (const nonsense of [null, "", "soon", "-3"]) assert.equal(parseRetryAfter(nonsense, 1e12) || null, null);
});

test("a run is 22 characters of base64url, another each time", () => {
  const runs = new Set(Array.from({ length: 500 }, newRun));
  assert.equal(runs.size, 500);
  for (const run of runs) assert.match(run, /^[A-Za-z0-9_-]{22}$/);
});

test("a question stands on the last answer that the server has", () => {
  const kept = (run, text) => ({ ...over(run, text), cursor: { run, epoch: 1, seq: 3 } });
  const begun = { ...EMPTY, id: "c" };
  const one = answered(asked(begun, "one", {}, "r1"), kept("r1", "1"));
  const refused = answered(asked(one, "two", {}, "r2"), over("r2", ""));
  const { turns } = asked(refused, "three", { model: "m" }, "r3");
  assert.deepEqual(turns.at(-1).opening, { model: "m", conversation: "c", query: "three", parent: "r1" });
  assert.equal(underway(asked(one, "two", {}, "r2")).run, "r2");
  assert.equal(underway(one), null);
});

test("the saved form reads back", () => {
  const conversation = asked(answered(asked(EMPTY, "one", {}, "r1"), over("r1", "1")), "two", {}, "r2");
  assert.deepEqual(thaw(freeze(conversation, 10_000)), conversation);
});

test("the saved form is bounded: the oldest turns go, the last stays", () => {
  let conversation = EMPTY;
  for (let at = 0; at < 50; at++) conversation = answered(asked(conversation, `q${at}`, {}, `r${at}`), over(`r${at}`, "x".repeat(500)));
  const text = freeze(conversation, 5_000);
  assert.ok(text.length <= 5_000);
  const kept = thaw(text);
  assert.equal(kept.trimmed, true);
  assert.equal(kept.turns.at(-1).question, "q49");
  assert.equal(freeze(conversation, 100), null, "not even one turn fits");
});

for (const text of [null, "", "{", "null", "[]", '{"v":0,"turns":[]}', '{"v":1,"id":"c","turns":[]}', '{"v":2,"turns":[]}', '{"v":2,"id":"c","turns":[{}]}', '{"v":2,"id":"c","turns":[{"question":"q","answer":{"run":"r","text":"t"}}]}']) {
  test(`${JSON.stringify(text)} reads as an empty conversation`, () => assert.deepEqual(thaw(text), EMPTY));
}

test("every code of the wire has its own words", () => {
  const upstream = "unreachable tls timeout auth bad_request rate_limited quota overloaded stalled protocol redirect".split(" ");
  for (const code of [...upstream.map((name) => `upstream_${name}`), "interrupted", "budget_exceeded", "internal"]) {
    assert.ok(en.troubles[code]?.title && en.troubles[code]?.advice, code);
  }
});

test("every code with which the server refuses has words of its own", () => {
  const limits = "too_many_answers too_many_starts too_many_bytes too_many_visitors question_too_large storage_full model_not_allowed image_url_not_allowed";
  for (const code of `${limits} store_away no_owner signed_out`.split(" ")) {
    const failure = { error: "the server's sentence", code };
    assert.notEqual(titleOf(failure), failure.error, code);
    assert.notEqual(adviceOf(failure, 0), en.troubles.internal.advice, code);
  }
});

test("the server's own sentence is told where there is no other, and where it says more", () => {
  assert.equal(titleOf({ error: "So it is.", code: "unheard_of" }), "So it is.");
  assert.equal(titleOf({ error: "temperature is too high", code: "refused" }), "temperature is too high");
  assert.equal(titleOf({ error: "", code: "unheard_of" }), en.troubles.internal.title);
  assert.equal(adviceOf({ error: "So it is.", code: "unheard_of" }, 0), en.troubles.internal.advice);
});

test("what there is to wait for is told in a unit that fits, and never less than it is", () => {
  const told = (ms) => adviceOf({ error: "", code: "too_many_bytes", retry_after: 1 }, ms);
  const waits = [[1, "1 second"], [41_001, "42 seconds"], [90_000, "90 seconds"], [90_001, "2 minutes"], [5_400_000, "90 minutes"], [5_400_001, "2 hours"], [86_400_000, "24 hours"]];
  for (const [ms, wait] of waits) assert.equal(told(ms), `Try again in ${wait}.`);
  assert.equal(told(0), "You can try again now.");
  assert.equal(reasonOf({ code: "too_many_starts", until_ms: 61_000 }, 20_000), "You’ve asked a lot in the last minute. This answer starts in 41 seconds.");
  assert.equal(reasonOf({ code: "full", until_ms: 61_000 }, 20_000), "");
});

test("a limit that is a size is told, another is not", () => {
  assert.match(adviceOf({ error: "", code: "question_too_large", limit: 48_000 }, 0), / The limit is 48\skB\.$/u);
  assert.match(adviceOf({ error: "", code: "storage_full", limit: 52_400_000 }, 0), / The limit is 52\.4\sMB\.$/u);
  assert.doesNotMatch(adviceOf({ error: "", code: "too_many_answers", limit: 2 }, 0), /limit/);
});

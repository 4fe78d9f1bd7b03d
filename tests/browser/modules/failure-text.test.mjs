// Pure helpers: numbers, backoff, the saved conversation, failure texts.
import assert from "node:assert/strict";
import { test } from "node:test";
import { EMPTY, addQuestion, deserialize, pendingAnswer, serialize, setAnswer } from "./static/conversation/conversation.js";
import { newRunId } from "./static/dom/clock.js";
import { formatCost, formatCount, tokensPerSecond } from "./static/strings/format.js";
import { backoff, parseRetryAfter } from "./static/stream/backoff.js";
import { getFailureAdvice, getFailureTitle, getWaitReason } from "./static/strings/failure-text.js";
import { endAnswer, newAnswer } from "./static/stream/answer-state.js";
import { en } from "./static/strings/en.js";
import { endOf } from "./static/turn/answer.js";

const DONE = { done: true, finish_reason: "stop" };
const ended = (run, text) => endAnswer({ ...newAnswer(run), text }, DONE, 1);

test("costs have no exponent and at least two significant digits", () => {
  const costs = [[0.000012, "$0.000012"], ["0.000012", "$0.000012"], ["1.2E-7", "$0.00000012"], [1.2e-9, "$0.0000000012"], [0, "$0"], [0.0123, "$0.012"], [0.5, "$0.50"], [0.999, "$1.00"], [12.345, "$12.35"]];
  for (const [cost, written] of costs) assert.equal(formatCost(cost), written);
  for (const unknown of [null, undefined, "", "much", NaN, -1]) assert.equal(formatCost(unknown), null);
});

test("counts and rates", () => {
  assert.equal(formatCount(1234567), "1,234,567");
  assert.equal(tokensPerSecond(100, 2000), 50);
  assert.equal(tokensPerSecond(5, 2000), 2.5);
  assert.equal(tokensPerSecond(5, 10), null, "too early to measure");
  assert.equal(tokensPerSecond(0, 2000), null);
});

test("a backoff grows to a cap, has jitter, and is never shorter than Retry-After", () => {
  assert.ok(backoff(1, 0, 0) < backoff(2, 0, 0));
  assert.ok(backoff(1, 0, 0) < backoff(1, 0, 1));
  assert.equal(backoff(50, 0, 1), 15_000);
  assert.ok(backoff(1, 4_000, 0) >= 4_000);
});

test("Retry-After is seconds or a date; anything else is ignored", () => {
  assert.equal(parseRetryAfter("7", 0), 7_000);
  assert.equal(parseRetryAfter("0.5", 0), 500);
  assert.equal(parseRetryAfter("Thu, 01 Jan 1970 00:00:10 GMT", 4_000), 6_000);
  assert.equal(parseRetryAfter("Thu, 01 Jan 1970 00:00:10 GMT", 40_000), 0);
  for (const invalid of [null, "", "soon", "-3"]) assert.equal(parseRetryAfter(invalid, 1e12) || null, null);
});

test("a run is 22 random characters of base64url", () => {
  const runs = new Set(Array.from({ length: 500 }, newRunId));
  assert.equal(runs.size, 500);
  for (const run of runs) assert.match(run, /^[A-Za-z0-9_-]{22}$/);
});

test("a question's parent is the last answer that the server has", () => {
  const stored = (run, text) => ({ ...ended(run, text), cursor: { run, epoch: 1, seq: 3 } });
  const empty = { ...EMPTY, id: "c" };
  const one = setAnswer(addQuestion(empty, "one", {}, "r1"), stored("r1", "1"));
  const refused = setAnswer(addQuestion(one, "two", {}, "r2"), ended("r2", ""));
  const { turns } = addQuestion(refused, "three", { model: "m" }, "r3");
  assert.deepEqual(turns.at(-1).opening, { model: "m", conversation: "c", query: "three", parent: "r1", at_leaf: true });
  assert.equal(pendingAnswer(addQuestion(one, "two", {}, "r2")).run, "r2");
  assert.equal(pendingAnswer(one), null);
});

test("a serialized conversation deserializes to the same value", () => {
  const conversation = addQuestion(setAnswer(addQuestion(EMPTY, "one", {}, "r1"), ended("r1", "1")), "two", {}, "r2");
  assert.deepEqual(deserialize(serialize(conversation, 10_000)), conversation);
});

test("a serialized conversation is bounded: the oldest turns are dropped, the last is kept", () => {
  let conversation = EMPTY;
  for (let at = 0; at < 50; at++) conversation = setAnswer(addQuestion(conversation, `q${at}`, {}, `r${at}`), ended(`r${at}`, "x".repeat(500)));
  const text = serialize(conversation, 5_000);
  assert.ok(text.length <= 5_000);
  const restored = deserialize(text);
  assert.equal(restored.trimmed, true);
  assert.equal(restored.turns.at(-1).question, "q49");
  assert.equal(serialize(conversation, 100), null, "not even one turn fits");
});

for (const text of [null, "", "{", "null", "[]", '{"v":0,"turns":[]}', '{"v":1,"id":"c","turns":[]}', '{"v":2,"turns":[]}', '{"v":2,"id":"c","turns":[{}]}', '{"v":2,"id":"c","turns":[{"question":"q","answer":{"run":"r","text":"t"}}]}']) {
  test(`${JSON.stringify(text)} deserializes to an empty conversation`, () => assert.deepEqual(deserialize(text), EMPTY));
}

test("every failure code has its own text", () => {
  const upstream = "unreachable tls timeout auth bad_request rate_limited quota overloaded stalled protocol redirect".split(" ");
  for (const code of [...upstream.map((name) => `upstream_${name}`), "interrupted", "budget_exceeded", "internal"]) {
    assert.ok(en.failures[code]?.title && en.failures[code]?.advice, code);
  }
});

test("every refusal code has its own text", () => {
  const limits = "too_many_answers too_many_starts too_many_bytes too_many_visitors question_too_large storage_full model_not_allowed image_url_not_allowed";
  for (const code of `${limits} store_away no_owner signed_out`.split(" ")) {
    const failure = { error: "the server's sentence", code };
    assert.notEqual(getFailureTitle(failure), failure.error, code);
    assert.notEqual(getFailureAdvice(failure, 0), en.failures.internal.advice, code);
  }
});

test("the server's message is shown where it is the only one or the more precise one", () => {
  assert.equal(getFailureTitle({ error: "So it is.", code: "unheard_of" }), "So it is.");
  assert.equal(getFailureTitle({ error: "temperature is too high", code: "refused" }), "temperature is too high");
  assert.equal(getFailureTitle({ error: "", code: "unheard_of" }), en.failures.internal.title);
  assert.equal(getFailureAdvice({ error: "So it is.", code: "unheard_of" }, 0), en.failures.internal.advice);
});

test("a wait is rounded up in a fitting unit", () => {
  const advice = (ms) => getFailureAdvice({ error: "", code: "too_many_bytes", retry_after: 1 }, ms);
  const waits = [[1, "1 second"], [41_001, "42 seconds"], [90_000, "90 seconds"], [90_001, "2 minutes"], [5_400_000, "90 minutes"], [5_400_001, "2 hours"], [86_400_000, "24 hours"]];
  for (const [ms, wait] of waits) assert.equal(advice(ms), `Try again in ${wait}.`);
  assert.equal(advice(0), "You can try again now.");
  assert.equal(getWaitReason({ code: "too_many_starts", until_ms: 61_000 }, 20_000), "You’re sending messages too quickly. This response starts in 41 seconds.");
  assert.equal(getWaitReason({ code: "full", until_ms: 61_000 }, 20_000), "");
});

test("only a limit in bytes is shown", () => {
  assert.match(getFailureAdvice({ error: "", code: "question_too_large", limit: 48_000 }, 0), / The limit is 48\skB\.$/u);
  assert.match(getFailureAdvice({ error: "", code: "storage_full", limit: 52_400_000 }, 0), / The limit is 52\.4\sMB\.$/u);
  assert.doesNotMatch(getFailureAdvice({ error: "", code: "too_many_answers", limit: 2 }, 0), /limit/);
});
test("the end begins at an empty line", () => {
  const text = `${"a".repeat(50)}\n\n${"b".repeat(30)}\n\n${"c".repeat(20)}`;
  assert.equal(endOf(text, 60).trim(), `${"b".repeat(30)}\n\n${"c".repeat(20)}`);
});

test("an end in a code block begins with its fence", () => {
  const text = `Before\n\n~~~~js\n${"one\n".repeat(20)}\n\`\`\`\n\ntwo\n~~~~\nAfter`;
  const end = endOf(text, 25);
  assert.ok(end.startsWith("~~~~js\n"), end);
  assert.ok(end.endsWith("two\n~~~~\nAfter"));
});

test("an end after a code block has no fence", () => {
  const text = `\`\`\`\n${"x\n".repeat(50)}\`\`\`\n\nwords\n\nlast`;
  assert.equal(endOf(text, 8).trim(), "last");
});

test("a text without empty lines is cut between characters", () => {
  const end = endOf("😀".repeat(500), 101);
  assert.ok(end.length >= 99 && end.length <= 102);
  assert.ok(end.startsWith("😀"));
});

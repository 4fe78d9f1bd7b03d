// From the server's tree of messages to the branch that is shown, and conversations by their days.
import assert from "node:assert/strict";
import { test } from "node:test";
import { unfold } from "./static/conversation/branches.js";
import { byDay, renewed } from "./static/sidebar/by-day.js";

const said = (id, parent, role, text, more = {}) => ({ id, parent, role, content: [{ type: "text", text }], ...more });
const fold = (leaf, ...messages) => unfold({ id: "c", leaf, messages });

test("a branch is the way from the leaf to its root", () => {
  const { turns } = fold("a2", said("q", null, "user", "one"), said("a1", "q", "assistant", "1"), said("a2", "q", "assistant", "2"));
  assert.deepEqual(turns.map(({ question, asked, opening, answer }) => [question, asked, opening, answer.text]), [["one", "q", null, "2"]]);
  assert.deepEqual(turns[0].answers, { ids: ["a1", "a2"], at: 1 });
  assert.deepEqual(turns[0].questions, { ids: ["q"], at: 0 });
});

test("first questions are versions of each other", () => {
  const { turns } = fold("a2", said("q1", null, "user", "x"), said("a1", "q1", "assistant", ""), said("q2", null, "user", "y"), said("a2", "q2", "assistant", ""));
  assert.deepEqual(turns[0].questions, { ids: ["q1", "q2"], at: 1 });
});

test("how an answer ended is told as a frame would tell it", () => {
  const of = (more) => fold("a", said("q", null, "user", "x"), said("a", "q", "assistant", "t", more)).turns[0].answer;
  assert.deepEqual([of({}).status, of({}).end.finish_reason], ["done", "stop"]);
  assert.equal(of({ finish_reason: "length" }).end.finish_reason, "length");
  assert.equal(of({ state: "cancelled" }).end.finish_reason, "cancelled");
  assert.equal(of({ state: "interrupted", error: "interrupted" }).failure.code, "interrupted");
  assert.equal(of({ state: "failed", error: "upstream_auth" }).failure.code, "upstream_auth");
  assert.equal(of({ state: "streaming" }).status, "waiting");
  assert.deepEqual(of({ usage: { input_tokens: 1, output_tokens: 2 } }).end.usage, { input_tokens: 1, output_tokens: 2 });
});

test("a question without an answer can be answered again", () => {
  const { turns } = fold("q2", said("q", null, "user", "one"), said("a", "q", "assistant", "1"), said("q2", "a", "user", "two"));
  assert.deepEqual([turns.length, turns[1].asked, turns[1].answer.status], [2, "q2", "failed"]);
});

test("an answer without a question stands alone", () => {
  const { turns } = fold("a", said("a", null, "assistant", "hello"));
  assert.deepEqual([turns[0].question, turns[0].answer.text], ["", "hello"]);
});

test("a cycle, an unknown parent and no leaf do no harm", () => {
  assert.deepEqual(fold("a", said("q", "a", "user", "x"), said("a", "q", "assistant", "y")).turns.length, 1);
  assert.deepEqual(fold("a", said("a", "gone", "assistant", "y")).turns.length, 1);
  assert.deepEqual(fold(null, said("a", null, "assistant", "y")).turns, []);
  assert.deepEqual(fold("nowhere").turns, []);
});

test("images in a question are no text of it", () => {
  const content = [{ type: "text", text: "What is this?" }, { type: "image", image: "0" }];
  assert.equal(fold("q", { id: "q", parent: null, role: "user", content }).turns[0].question, "What is this?");
});

test("days begin at midnight here", () => {
  const noon = new Date(2026, 2, 29, 12).getTime();
  const at = (day, hour, minute = 0) => ({ updated_at: new Date(2026, 2, day, hour, minute).getTime() });
  const groups = byDay([at(29, 11), at(29, 0), at(28, 23, 59), at(28, 0), at(27, 23, 59)], noon);
  assert.deepEqual(groups.map(({ day, items }) => [day, items.length]), [["today", 2], ["yesterday", 2], ["earlier", 1]]);
  assert.deepEqual(byDay([], noon), []);
});

test("the first page anew keeps the pages after it, and what moved up is there once", () => {
  const item = (id, updated_at) => ({ id, updated_at });
  const known = [item("c", 3), item("b", 2), item("a", 1)];
  assert.deepEqual(renewed(known, [item("a", 4), item("c", 3)], false).map(({ id }) => id), ["a", "c", "b"]);
  assert.deepEqual(renewed(known, [item("a", 4)], true).map(({ id }) => id), ["a"], "what is gone is gone");
  assert.deepEqual(renewed(known, [], true), []);
});

// The branch that is built from the server's messages, and the conversations of each day.
import assert from "node:assert/strict";
import { test } from "node:test";
import { buildConversation } from "./static/conversation/branches.js";
import { groupByDay, mergeFirstPage } from "./static/sidebar/by-day.js";

const message = (id, parent, role, text, more = {}) => ({ id, parent, role, content: [{ type: "text", text }], ...more });
const build = (leaf, ...messages) => buildConversation({ id: "c", leaf, messages });

test("a branch is the path from the root to the leaf", () => {
  const { turns } = build("a2", message("q", null, "user", "one"), message("a1", "q", "assistant", "1"), message("a2", "q", "assistant", "2"));
  assert.deepEqual(turns.map(({ question, asked, opening, answer }) => [question, asked, opening, answer.text]), [["one", "q", null, "2"]]);
  assert.deepEqual(turns[0].answers, { ids: ["a1", "a2"], at: 1 });
  assert.deepEqual(turns[0].questions, { ids: ["q"], at: 0 });
});

test("first questions are versions of each other", () => {
  const { turns } = build("a2", message("q1", null, "user", "x"), message("a1", "q1", "assistant", ""), message("q2", null, "user", "y"), message("a2", "q2", "assistant", ""));
  assert.deepEqual(turns[0].questions, { ids: ["q1", "q2"], at: 1 });
});

test("a stored answer ends as with a terminal frame", () => {
  const answer = (more) => build("a", message("q", null, "user", "x"), message("a", "q", "assistant", "t", more)).turns[0].answer;
  assert.deepEqual([answer({}).status, answer({}).end.finish_reason], ["done", "stop"]);
  assert.equal(answer({ finish_reason: "length" }).end.finish_reason, "length");
  assert.equal(answer({ state: "cancelled" }).end.finish_reason, "cancelled");
  assert.equal(answer({ state: "interrupted", error: "interrupted" }).failure.code, "interrupted");
  assert.equal(answer({ state: "failed", error: "upstream_auth" }).failure.code, "upstream_auth");
  assert.equal(answer({ state: "streaming" }).status, "waiting");
  assert.deepEqual(answer({ usage: { input_tokens: 1, output_tokens: 2 } }).end.usage, { input_tokens: 1, output_tokens: 2 });
});

test("a question without an answer can be answered again", () => {
  const { turns } = build("q2", message("q", null, "user", "one"), message("a", "q", "assistant", "1"), message("q2", "a", "user", "two"));
  assert.deepEqual([turns.length, turns[1].asked, turns[1].answer.status], [2, "q2", "failed"]);
});

test("an answer without a question is a turn with an empty question", () => {
  const { turns } = build("a", message("a", null, "assistant", "hello"));
  assert.deepEqual([turns[0].question, turns[0].answer.text], ["", "hello"]);
});

test("a cycle, an unknown parent and a missing leaf are accepted", () => {
  assert.deepEqual(build("a", message("q", "a", "user", "x"), message("a", "q", "assistant", "y")).turns.length, 1);
  assert.deepEqual(build("a", message("a", "gone", "assistant", "y")).turns.length, 1);
  assert.deepEqual(build(null, message("a", null, "assistant", "y")).turns, []);
  assert.deepEqual(build("nowhere").turns, []);
});

test("a question's text excludes its images", () => {
  const content = [{ type: "text", text: "What is this?" }, { type: "image", image: "0" }];
  assert.equal(build("q", { id: "q", parent: null, role: "user", content }).turns[0].question, "What is this?");
});

test("days start at local midnight", () => {
  const noon = new Date(2026, 2, 29, 12).getTime();
  const at = (day, hour, minute = 0) => ({ updated_at: new Date(2026, 2, day, hour, minute).getTime() });
  const groups = groupByDay([at(29, 11), at(29, 0), at(28, 23, 59), at(28, 0), at(27, 23, 59)], noon);
  assert.deepEqual(groups.map(({ day, items }) => [day, items.length]), [["today", 2], ["yesterday", 2], ["earlier", 1]]);
  assert.deepEqual(groupByDay([], noon), []);
});

test("a new first page keeps the later pages, and an item that moved up is listed once", () => {
  const item = (id, updated_at) => ({ id, updated_at });
  const known = [item("c", 3), item("b", 2), item("a", 1)];
  assert.deepEqual(mergeFirstPage(known, [item("a", 4), item("c", 3)], false).map(({ id }) => id), ["a", "c", "b"]);
  assert.deepEqual(mergeFirstPage(known, [item("a", 4)], true).map(({ id }) => id), ["a"], "a deleted item is removed");
  assert.deepEqual(mergeFirstPage(known, [], true), []);
});

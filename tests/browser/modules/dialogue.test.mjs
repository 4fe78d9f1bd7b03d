// The dialogue: the user's actions on a conversation, and what survives a reload.
import assert from "node:assert/strict";
import { test } from "node:test";
import { message, openTab, settled } from "./tab.mjs";

const DONE = { done: true, finish_reason: "stop" };

test("asking sends only the question, with a new run and its parent", () => {
  const { record, load, say } = openTab();
  const { dialogue } = load();
  dialogue.runOptions = { model: "m", temperature: 0.5 };
  dialogue.ask("one");
  say(1, { text: "1" });
  say(2, DONE);
  dialogue.ask("two");
  const [first, second] = record.opened.map(({ request }) => request);
  assert.notEqual(first.run, second.run);
  const { id } = dialogue.conversation;
  assert.deepEqual(first.opening, { model: "m", temperature: 0.5, conversation: id, query: "one", parent: null });
  assert.deepEqual(second.opening, { model: "m", temperature: 0.5, conversation: id, query: "two", parent: first.run, at_leaf: true });
});

test("a question that the server refused is no parent", () => {
  const { record, load, say } = openTab();
  const { dialogue } = load();
  dialogue.ask("one");
  say(1, { text: "1" });
  say(2, DONE);
  dialogue.ask("two");
  record.opened[1].receiver.ended({ kind: "refused", status: 413, message: "Too long." });
  dialogue.ask("three");
  assert.equal(record.opened[2].request.opening.parent, record.opened[0].request.run);
});

test("a question during an answer is ignored", () => {
  const { record, load } = openTab();
  const { dialogue } = load();
  dialogue.ask("one");
  dialogue.ask("two");
  assert.equal(record.opened.length, 1);
  assert.equal(dialogue.conversation.turns.length, 1);
});

test("a reload resumes the answer from its cursor", () => {
  const { record, load, say } = openTab();
  const first = load();
  first.dialogue.ask("one");
  say(1, { text: "Hel" });
  first.dialogue.save();
  const { dialogue } = load();
  assert.equal(dialogue.conversation.turns[0].answer.text, "Hel", "shown before a frame comes");
  assert.equal(dialogue.conversation.turns[0].answer.gapped, true, "its times have a gap");
  assert.equal(record.opened.at(-1).request.after, `${record.opened[0].request.run}:1:1`);
  say(2, { text: "lo" });
  say(3, DONE);
  assert.equal(dialogue.conversation.turns[0].answer.text, "Hello");
});

test("a reload before the first frame repeats the same request, byte for byte", () => {
  const { record, load } = openTab();
  load().dialogue.ask("one");
  load();
  const [first, second] = record.opened.map(({ request }) => JSON.stringify(request));
  assert.equal(first, second);
});

test("a reload of a finished conversation opens no connection", () => {
  const { record, load, say } = openTab();
  load().dialogue.ask("one");
  say(1, DONE);
  load();
  assert.equal(record.opened.length, 1);
});

test("stop is sent once, and ends the answer even without a terminal frame", () => {
  const { record, load, say } = openTab();
  const { dialogue } = load();
  dialogue.ask("one");
  say(1, { text: "par" });
  dialogue.stop();
  dialogue.stop();
  assert.equal(record.stopped.length, 1);
  assert.ok(dialogue.isAnswering, "it waits for the terminal frame");
  for (const { run, ms } of record.timers) if (ms === 2_500) run();
  const { answer } = dialogue.conversation.turns[0];
  assert.equal(answer.end.finish_reason, "cancelled");
  assert.equal(answer.text, "par");
});

test("an answer that is held is stopped at once", () => {
  const { record, load } = openTab();
  const { dialogue } = load();
  dialogue.ask("one");
  record.opened.at(-1).receiver.ended({ kind: "refused", status: 429, code: "too_many_starts", retry_ms: 40_000 });
  dialogue.stop();
  record.timers.filter(({ ms }) => ms === 0).forEach(({ run }) => run());
  assert.equal(dialogue.isAnswering, false);
  assert.equal(dialogue.conversation.turns.at(-1).answer.end.by, "user");
});

test("a question survives a sign-out, and fails when the user cannot sign in", () => {
  const { record, load } = openTab();
  const { dialogue, seen } = load();
  dialogue.ask("one");
  record.opened.at(-1).receiver.ended({ kind: "refused", status: 401 });
  assert.equal(seen.signedOut, 1);
  assert.equal(dialogue.isAnswering, true);
  assert.equal(load().dialogue.conversation.turns.at(-1).question, "one");
  assert.equal(record.opened.at(-1).request.opening.query, "one", "it is sent again");
  dialogue.giveUp();
  assert.equal(dialogue.isAnswering, false);
  assert.equal(dialogue.conversation.turns.at(-1).answer.failure.code, "signed_out");
});

test("a retry answers the same question in a new run", async () => {
  const { record, load, say } = openTab();
  const { dialogue } = load();
  dialogue.ask("one");
  say(1, { error: "It stalled.", code: "upstream_stalled" });
  const { run, opening } = record.opened[0].request;
  const { conversation } = opening;
  const messages = [message("q", null, "user", "one"), message(run, "q", "assistant", "", { state: "failed", error: "upstream_stalled" })];
  record.stored = { id: conversation, leaf: run, messages };
  await dialogue.retry(run);
  assert.equal(dialogue.conversation.turns.length, 1);
  const { request } = record.opened[1];
  assert.notEqual(request.run, run);
  assert.deepEqual(request.opening, { conversation, parent: "q" });
  assert.deepEqual(dialogue.conversation.turns[0].answers, { ids: [run, request.run], at: 1 });
});

test("a retry while the conversation cannot be loaded sends the same question again", async () => {
  const { record, load, say } = openTab();
  const { dialogue } = load();
  dialogue.ask("one");
  say(1, { error: "It stalled.", code: "upstream_stalled" });
  record.stored = null;
  await dialogue.retry(record.opened[0].request.run);
  assert.notEqual(record.opened[1].request.run, record.opened[0].request.run);
  assert.deepEqual(record.opened[1].request.opening, record.opened[0].request.opening);
});

test("two retries at once start one run", async () => {
  const { record, load, say } = openTab();
  const { dialogue } = load();
  dialogue.ask("one");
  say(1, { error: "It stalled.", code: "upstream_stalled" });
  const { run } = record.opened[0].request;
  await Promise.all([dialogue.retry(run), dialogue.retry(run)]);
  assert.equal(record.opened.length, 2);
});

test("an edited question replaces the first one, and the later turns are not shown", async () => {
  const { record, load, say } = openTab();
  const { dialogue } = load();
  for (const question of ["one", "two"]) {
    dialogue.ask(question);
    say(1, { text: question });
    say(2, DONE);
  }
  const [first, second] = record.opened.map(({ request }) => request.run);
  record.stored = null;
  await dialogue.editQuestion(second, "TWO");
  assert.equal(record.opened[2].request.opening.parent, first);
  const turn = dialogue.conversation.turns[1];
  assert.deepEqual([turn.question, turn.questions.at, turn.questions.ids.length], ["TWO", 1, 2]);
  say(1, DONE);
  await dialogue.editQuestion(first, "ONE");
  assert.deepEqual(dialogue.conversation.turns.map(({ question }) => question), ["ONE"]);
  assert.equal(record.opened[3].request.opening.parent, null);
});

test("a continued answer shows its text until the server sends it again", async () => {
  const { record, load, say } = openTab();
  const { dialogue } = load();
  dialogue.ask("one");
  say(1, { text: "half" });
  say(2, { done: true, finish_reason: "length" });
  await dialogue.continueAnswer(record.opened[0].request.run);
  const { opening } = record.opened[1].request;
  assert.deepEqual(opening, { conversation: opening.conversation, continue: record.opened[0].request.run });
  assert.equal(dialogue.conversation.turns[0].answer.text, "half");
  say(1, { text: "half" });
  say(2, { text: " and whole" });
  assert.equal(dialogue.conversation.turns[0].answer.text, "half and whole");
});

test("showing another conversation does not stop the run, and coming back joins it", async () => {
  const { record, load, say } = openTab();
  const { dialogue } = load();
  dialogue.ask("one");
  const { run, opening } = record.opened[0].request;
  dialogue.show("");
  assert.equal(record.opened[0].closed, true);
  assert.deepEqual(record.stopped, []);
  assert.deepEqual(dialogue.conversation.turns, []);
  assert.equal(load().dialogue.conversation.id, "");
  const messages = [message("q", null, "user", "one"), message(run, "q", "assistant", "", { state: "streaming" })];
  record.stored = { id: opening.conversation, leaf: run, messages };
  dialogue.show(opening.conversation);
  assert.equal(dialogue.loadState, "loading");
  await settled();
  assert.equal(dialogue.loadState, "loaded");
  assert.deepEqual(record.opened.at(-1).request, { run, after: null, opening: null });
  say(1, { text: "1" });
  say(2, DONE);
  assert.equal(dialogue.conversation.turns[0].answer.text, "1");
});

test("a conversation is missing, or away when it cannot be loaded", async () => {
  const { record, load } = openTab();
  const { dialogue } = load("nowhere");
  await settled();
  assert.equal(dialogue.loadState, "missing");
  dialogue.ask("one");
  assert.notEqual(dialogue.conversation.id, "nowhere", "a question starts a new conversation");
  record.stored = null;
  dialogue.show("elsewhere");
  await settled();
  assert.equal(dialogue.loadState, "away");
});

test("the saved conversation is shown when the server cannot be reached", async () => {
  const { record, load, say } = openTab();
  load().dialogue.ask("one");
  say(1, { text: "1" });
  say(2, DONE);
  record.stored = null;
  const { dialogue } = load();
  await settled();
  assert.equal(dialogue.conversation.turns[0].answer.text, "1");
  assert.equal(dialogue.loadState, "loaded");
});

test("turns from another device are shown after a reload", async () => {
  const { record, load, say } = openTab();
  load().dialogue.ask("one");
  say(1, { text: "1" });
  say(2, DONE);
  const { run, opening } = record.opened[0].request;
  const first = [message("q", null, "user", "one"), message(run, "q", "assistant", "1")];
  const second = [message("q2", run, "user", "two"), message("a2", "q2", "assistant", "2")];
  record.stored = { id: opening.conversation, leaf: "a2", messages: [...first, ...second] };
  const { dialogue } = load();
  await settled();
  assert.deepEqual(dialogue.conversation.turns.map(({ answer }) => answer.text), ["1", "2"]);
});

test("the answer of a run that ended long ago is loaded with its conversation", async () => {
  const { record, load } = openTab();
  const { dialogue } = load();
  dialogue.ask("one");
  const { run, opening } = record.opened[0].request;
  record.stored = { id: opening.conversation, leaf: run, messages: [message("q", null, "user", "one"), message(run, "q", "assistant", "1")] };
  record.opened[0].receiver.ended({ kind: "refused", status: 409, code: "run_ended", message: "This run has ended." });
  await settled();
  assert.deepEqual([dialogue.conversation.turns[0].answer.status, dialogue.conversation.turns[0].answer.text], ["done", "1"]);
});

test("showBranch changes the leaf and loads the branch", async () => {
  const { record, load, say } = openTab();
  const { dialogue } = load();
  dialogue.ask("one");
  say(1, DONE);
  const { run, opening } = record.opened[0].request;
  const messages = [message("q", null, "user", "one"), message(run, "q", "assistant", ""), message("b", "q", "assistant", "other")];
  record.stored = { id: opening.conversation, leaf: "b", messages };
  await dialogue.showBranch("b");
  assert.deepEqual(record.changes, [{ leaf: "b" }]);
  const [turn] = dialogue.conversation.turns;
  assert.deepEqual([turn.answer.text, turn.answers], ["other", { ids: [run, "b"], at: 1 }]);
});

// Following the server: what another tab or device does in the conversation that is shown.
import assert from "node:assert/strict";
import { test } from "node:test";
import { message, openTab, settled } from "./tab.mjs";

const DONE = { done: true, finish_reason: "stop" };

/** A tab that has asked "one" and received "1", and what the server has of it. */
function openAnswered() {
  const tab = openTab();
  const { dialogue } = tab.load();
  dialogue.ask("one");
  tab.say(1, { text: "1" });
  tab.say(2, DONE);
  const { run, opening } = tab.record.opened[0].request;
  const id = opening.conversation;
  const first = [message("q1", null, "user", "one"), message(run, "q1", "assistant", "1")];
  /** Store a second turn, asked elsewhere. */
  const store = (state = "done", text = "2") => {
    const second = [message("q2", run, "user", "two"), message("a2", "q2", "assistant", text, { state })];
    tab.record.stored = { id, leaf: "a2", updated_at: 7, messages: [...first, ...second] };
    return { id, leaf: "a2", updated_at: 7, run: state === "streaming" ? "a2" : null };
  };
  const texts = () => dialogue.conversation.turns.map(({ answer }) => answer.text);
  return { ...tab, dialogue, id, run, first, store, texts };
}

test("a turn that was asked elsewhere is shown", async () => {
  const { dialogue, store, texts, record } = openAnswered();
  dialogue.follow(store());
  await settled();
  assert.deepEqual(texts(), ["1", "2"]);
  assert.equal(record.opened.length, 1, "nothing is streamed");
});

test("an answer that is running elsewhere is joined", async () => {
  const { dialogue, store, texts, record, say } = openAnswered();
  dialogue.follow(store("streaming", ""));
  await settled();
  assert.deepEqual(record.opened.at(-1).request, { run: "a2", after: null, opening: null });
  say(1, { text: "2" });
  assert.deepEqual(texts(), ["1", "2"]);
  assert.equal(dialogue.isAnswering, true);
});

test("what is shown already is not loaded again", async () => {
  const { dialogue, record, id, run } = openAnswered();
  dialogue.follow({ id, leaf: run, updated_at: 5, run });
  dialogue.follow({ id, leaf: run, updated_at: 6, run: null });
  dialogue.follow({ id: "another", leaf: "x", updated_at: 7, run: null });
  await settled();
  assert.equal(record.loads, 0);
});

test("several changes during one load cost one more at most", async () => {
  const { dialogue, store, record, texts } = openAnswered();
  const head = store();
  for (let at = 1; at < 5; at++) dialogue.follow({ ...head, updated_at: at });
  await settled();
  await settled();
  assert.ok(record.loads <= 2, `${record.loads} loads`);
  assert.deepEqual(texts(), ["1", "2"]);
});

test("nothing is loaded while a question is edited, and afterwards it is", async () => {
  const { dialogue, store, record, texts } = openAnswered();
  record.isInUse = true;
  dialogue.follow(store());
  await settled();
  assert.deepEqual(texts(), ["1"]);
  record.isInUse = false;
  dialogue.catchUp();
  await settled();
  assert.deepEqual(texts(), ["1", "2"]);
});

test("a turn that came during the own answer is shown after it, although the leaf is the own one", async () => {
  const { dialogue, store, record, texts, say, id } = openAnswered();
  dialogue.ask("three");
  const { run } = record.opened.at(-1).request;
  dialogue.follow(store()); // the other turn came first
  const { stored } = record;
  record.stored = { ...stored, leaf: run, updated_at: 9, messages: [...stored.messages, message("q3", "a2", "user", "three"), message(run, "q3", "assistant", "3")] };
  dialogue.follow({ id, leaf: run, updated_at: 8, run });
  say(1, { text: "3" });
  assert.equal(record.loads, 0, "not while it streams");
  say(2, DONE);
  dialogue.follow({ id, leaf: run, updated_at: 9, run: null });
  await settled();
  assert.deepEqual(texts(), ["1", "2", "3"]);
});

test("without a feed the conversation is loaded after each answer that may be below an unseen turn", async () => {
  const { dialogue, store, record, texts, say } = openAnswered();
  dialogue.isFollowed = false;
  store();
  const { stored } = record;
  dialogue.ask("three");
  const { run, opening } = record.opened.at(-1).request;
  assert.equal(opening.at_leaf, true);
  record.stored = { ...stored, leaf: run, messages: [...stored.messages, message("q3", "a2", "user", "three"), message(run, "q3", "assistant", "3")] };
  say(1, { text: "3" });
  say(2, DONE);
  await settled();
  assert.deepEqual(texts(), ["1", "2", "3"]);
});

test("a question that is refused because another answer is running goes back to the user", async () => {
  const { dialogue, store, record, texts } = openAnswered();
  dialogue.ask("three");
  store("streaming", "");
  record.opened.at(-1).receiver.ended({ kind: "refused", status: 409, code: "answer_running" });
  await settled();
  assert.deepEqual(record.returned, ["three"]);
  assert.deepEqual(texts(), ["1", ""]);
  assert.equal(record.opened.at(-1).request.run, "a2", "the running answer is joined");
});

test("a question that was not sent stays where it is", async () => {
  const { dialogue, store, record } = openAnswered();
  dialogue.ask("three");
  record.opened.at(-1).receiver.ended({ kind: "refused", status: 413, message: "Too long." });
  dialogue.follow(store());
  await settled();
  assert.deepEqual(
    dialogue.conversation.turns.map(({ question }) => question),
    ["one", "three"],
  );
});

test("a turn that the database does not have yet does not vanish", async () => {
  const { dialogue, store, record, texts, say, id } = openAnswered();
  const head = store();
  dialogue.ask("three");
  dialogue.follow(head);
  say(1, { text: "3" });
  say(2, DONE);
  await settled();
  assert.equal(record.loads, 1);
  assert.deepEqual(texts(), ["1", "3"]);
  dialogue.follow({ ...head, id });
  assert.deepEqual(texts(), ["1", "3"]);
});

test("a lost answer is loaded when it has ended elsewhere, once", async () => {
  const { dialogue, store, record, texts, id } = openAnswered();
  dialogue.follow(store("streaming", ""));
  await settled();
  record.opened.at(-1).receiver.ended({ kind: "gone" });
  const head = store("interrupted", "tw");
  dialogue.follow({ ...head, updated_at: 9 });
  await settled();
  assert.deepEqual(texts(), ["1", "tw"]);
  const { loads } = record;
  dialogue.follow({ ...head, id, updated_at: 7 }); // as the list repeats it
  await settled();
  assert.equal(record.loads, loads);
});

test("a conversation that is deleted elsewhere is missing, and there again when it is restored", async () => {
  const { dialogue, store, record, texts, id } = openAnswered();
  record.stored = "missing";
  dialogue.follow({ id, deleted: true });
  assert.equal(dialogue.loadState, "missing");
  assert.equal(record.loads, 0);
  dialogue.follow(store());
  await settled();
  assert.deepEqual(texts(), ["1", "2"]);
});

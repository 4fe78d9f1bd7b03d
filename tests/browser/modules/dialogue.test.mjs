// What a person can do to a conversation, and what of it survives a reload.
import assert from "node:assert/strict";
import { test } from "node:test";
import { freeze, thaw } from "./static/conversation/conversation.js";
import { Dialogue } from "./static/conversation/dialogue.js";

/** A browser tab: its storage outlives the dialogues made in it. */
function tab() {
  const kept = { text: null, stopped: [], opened: [], timers: [], runs: 0, told: "missing", changes: [] };
  const load = (wanted = null) => {
    const told = { changes: 0, signedOut: 0 };
    const clock = { now: () => 0, random: () => 0, cancel: () => {}, after: (run, ms) => kept.timers.push({ run, ms }) };
    const transport = (ask, sink) => {
      kept.opened.push({ ask, sink, closed: false });
      const link = kept.opened.at(-1);
      return { close: () => (link.closed = true) };
    };
    const dialogue = new Dialogue({
      transports: [transport, transport],
      clock,
      newRun: () => `run${String(++kept.runs).padStart(19, "0")}`,
      stopRun: async (run) => (kept.stopped.push(run), true),
      remember: (conversation) => (kept.text = freeze(conversation, 1e6)),
      recall: () => thaw(kept.text),
      shelf: { load: async () => kept.told, change: async (id, change) => (kept.changes.push(change), {}) },
      listener: { changed: () => told.changes++, linked: () => {}, signedOut: () => told.signedOut++ },
    });
    dialogue.begin(wanted);
    return { dialogue, told };
  };
  const say = (seq, frame) => {
    const { ask, sink } = kept.opened.at(-1);
    sink.heard();
    sink.received({ cursor: { run: ask.run, epoch: 1, seq }, frame });
  };
  return { kept, load, say };
}

/** What the server would tell after one whole turn. */
const message = (id, parent, role, text, more = {}) => ({ id, parent, role, content: [{ type: "text", text }], ...more });
const settled = () => new Promise((resolve) => setTimeout(resolve));

const DONE = { done: true, finish_reason: "stop" };

test("asking sends the question alone, with a run of its own and its place in the conversation", () => {
  const { kept, load, say } = tab();
  const { dialogue } = load();
  dialogue.wishes = { model: "m", temperature: 0.5 };
  dialogue.ask("one");
  say(1, { text: "1" });
  say(2, DONE);
  dialogue.ask("two");
  const [first, second] = kept.opened.map(({ ask }) => ask);
  assert.notEqual(first.run, second.run);
  const { id } = dialogue.conversation;
  assert.deepEqual(first.opening, { model: "m", temperature: 0.5, conversation: id, query: "one", parent: null });
  assert.deepEqual(second.opening, { model: "m", temperature: 0.5, conversation: id, query: "two", parent: first.run });
});

test("what the server refused is nothing to stand on", () => {
  const { kept, load, say } = tab();
  const { dialogue } = load();
  dialogue.ask("one");
  say(1, { text: "1" });
  say(2, DONE);
  dialogue.ask("two");
  kept.opened[1].sink.ended({ kind: "refused", status: 413, message: "Too long." });
  dialogue.ask("three");
  assert.equal(kept.opened[2].ask.opening.parent, kept.opened[0].ask.run);
});

test("no second question while an answer is being made", () => {
  const { kept, load } = tab();
  const { dialogue } = load();
  dialogue.ask("one");
  dialogue.ask("two");
  assert.equal(kept.opened.length, 1);
  assert.equal(dialogue.conversation.turns.length, 1);
});

test("a reload goes on from where the answer was", () => {
  const { kept, load, say } = tab();
  const first = load();
  first.dialogue.ask("one");
  say(1, { text: "Hel" });
  first.dialogue.save();
  const { dialogue } = load();
  assert.equal(dialogue.conversation.turns[0].answer.text, "Hel", "shown before anything comes");
  assert.equal(dialogue.conversation.turns[0].answer.gapped, true, "no pace is told of a time with a hole in it");
  assert.equal(kept.opened.at(-1).ask.after, `${kept.opened[0].ask.run}:1:1`);
  say(2, { text: "lo" });
  say(3, DONE);
  assert.equal(dialogue.conversation.turns[0].answer.text, "Hello");
});

test("a reload before the first frame repeats the same request, byte for byte", () => {
  const { kept, load } = tab();
  load().dialogue.ask("one");
  load();
  const [first, second] = kept.opened.map(({ ask }) => JSON.stringify(ask));
  assert.equal(first, second);
});

test("a reload of a finished conversation asks for nothing", () => {
  const { kept, load, say } = tab();
  load().dialogue.ask("one");
  say(1, DONE);
  load();
  assert.equal(kept.opened.length, 1);
});

test("stop is asked once, and shown even if the server's end never comes", () => {
  const { kept, load, say } = tab();
  const { dialogue } = load();
  dialogue.ask("one");
  say(1, { text: "par" });
  dialogue.stop();
  dialogue.stop();
  assert.equal(kept.stopped.length, 1);
  assert.ok(dialogue.isAnswering, "the server's own end is waited for");
  for (const { run, ms } of kept.timers) if (ms === 2_500) run();
  const { answer } = dialogue.conversation.turns[0];
  assert.equal(answer.end.finish_reason, "cancelled");
  assert.equal(answer.text, "par");
});

test("what can't begin yet is stopped at once", () => {
  const { kept, load } = tab();
  const { dialogue } = load();
  dialogue.ask("one");
  kept.opened.at(-1).sink.ended({ kind: "refused", status: 429, code: "too_many_starts", retry_ms: 40_000 });
  dialogue.stop();
  kept.timers.filter(({ ms }) => ms === 0).forEach(({ run }) => run());
  assert.equal(dialogue.isAnswering, false);
  assert.equal(dialogue.conversation.turns.at(-1).answer.end.by, "user");
});

test("who is signed out finds the question again, or is told where signing in is no way on", () => {
  const { kept, load } = tab();
  const { dialogue, told } = load();
  dialogue.ask("one");
  kept.opened.at(-1).sink.ended({ kind: "refused", status: 401 });
  assert.equal(told.signedOut, 1);
  assert.equal(dialogue.isAnswering, true);
  assert.equal(load().dialogue.conversation.turns.at(-1).question, "one");
  assert.equal(kept.opened.at(-1).ask.opening.query, "one", "it is asked once more");
  dialogue.giveUp();
  assert.equal(dialogue.isAnswering, false);
  assert.equal(dialogue.conversation.turns.at(-1).answer.failure.code, "signed_out");
});

test("trying again answers the same question under a new run", async () => {
  const { kept, load, say } = tab();
  const { dialogue } = load();
  dialogue.ask("one");
  say(1, { error: "It stalled.", code: "upstream_stalled" });
  const { run, opening } = kept.opened[0].ask;
  const { conversation } = opening;
  const messages = [message("q", null, "user", "one"), message(run, "q", "assistant", "", { state: "failed", error: "upstream_stalled" })];
  kept.told = { id: conversation, leaf: run, messages };
  await dialogue.retry(run);
  assert.equal(dialogue.conversation.turns.length, 1);
  const { ask } = kept.opened[1];
  assert.notEqual(ask.run, run);
  assert.deepEqual(ask.opening, { conversation, parent: "q" });
  assert.deepEqual(dialogue.conversation.turns[0].answers, { ids: [run, ask.run], at: 1 });
});

test("trying again without the store asks the same question again", async () => {
  const { kept, load, say } = tab();
  const { dialogue } = load();
  dialogue.ask("one");
  say(1, { error: "It stalled.", code: "upstream_stalled" });
  kept.told = null;
  await dialogue.retry(kept.opened[0].ask.run);
  assert.notEqual(kept.opened[1].ask.run, kept.opened[0].ask.run);
  assert.deepEqual(kept.opened[1].ask.opening, kept.opened[0].ask.opening);
});

test("two presses start one run", async () => {
  const { kept, load, say } = tab();
  const { dialogue } = load();
  dialogue.ask("one");
  say(1, { error: "It stalled.", code: "upstream_stalled" });
  const { run } = kept.opened[0].ask;
  await Promise.all([dialogue.retry(run), dialogue.retry(run)]);
  assert.equal(kept.opened.length, 2);
});

test("another question stands where the first one stood, and what came after it is not shown", async () => {
  const { kept, load, say } = tab();
  const { dialogue } = load();
  for (const question of ["one", "two"]) {
    dialogue.ask(question);
    say(1, { text: question });
    say(2, DONE);
  }
  const [first, second] = kept.opened.map(({ ask }) => ask.run);
  kept.told = null;
  await dialogue.askInstead(second, "TWO");
  assert.equal(kept.opened[2].ask.opening.parent, first);
  const turn = dialogue.conversation.turns[1];
  assert.deepEqual([turn.question, turn.questions.at, turn.questions.ids.length], ["TWO", 1, 2]);
  say(1, DONE);
  await dialogue.askInstead(first, "ONE");
  assert.deepEqual(dialogue.conversation.turns.map(({ question }) => question), ["ONE"]);
  assert.equal(kept.opened[3].ask.opening.parent, null);
});

test("an answer goes on from its text, which stays until the server repeats it", async () => {
  const { kept, load, say } = tab();
  const { dialogue } = load();
  dialogue.ask("one");
  say(1, { text: "half" });
  say(2, { done: true, finish_reason: "length" });
  await dialogue.goOn(kept.opened[0].ask.run);
  const { opening } = kept.opened[1].ask;
  assert.deepEqual(opening, { conversation: opening.conversation, continue: kept.opened[0].ask.run });
  assert.equal(dialogue.conversation.turns[0].answer.text, "half");
  say(1, { text: "half" });
  say(2, { text: " and whole" });
  assert.equal(dialogue.conversation.turns[0].answer.text, "half and whole");
});

test("leaving a conversation stops nothing, and coming back joins the run by its name", async () => {
  const { kept, load, say } = tab();
  const { dialogue } = load();
  dialogue.ask("one");
  const { run, opening } = kept.opened[0].ask;
  dialogue.show("");
  assert.equal(kept.opened[0].closed, true);
  assert.deepEqual(kept.stopped, []);
  assert.deepEqual(dialogue.conversation.turns, []);
  assert.equal(load().dialogue.conversation.id, "");
  const messages = [message("q", null, "user", "one"), message(run, "q", "assistant", "", { state: "streaming" })];
  kept.told = { id: opening.conversation, leaf: run, messages };
  dialogue.show(opening.conversation);
  assert.equal(dialogue.standing, "loading");
  await settled();
  assert.equal(dialogue.standing, "here");
  assert.deepEqual(kept.opened.at(-1).ask, { run, after: null, opening: null });
  say(1, { text: "1" });
  say(2, DONE);
  assert.equal(dialogue.conversation.turns[0].answer.text, "1");
});

test("what is not there, or can't be had now, is said", async () => {
  const { kept, load } = tab();
  const { dialogue } = load("nowhere");
  await settled();
  assert.equal(dialogue.standing, "missing");
  dialogue.ask("one");
  assert.notEqual(dialogue.conversation.id, "nowhere", "a question there begins another conversation");
  kept.told = null;
  dialogue.show("elsewhere");
  await settled();
  assert.equal(dialogue.standing, "away");
});

test("what a reload kept is shown while the server is away", async () => {
  const { kept, load, say } = tab();
  load().dialogue.ask("one");
  say(1, { text: "1" });
  say(2, DONE);
  kept.told = null;
  const { dialogue } = load();
  await settled();
  assert.equal(dialogue.conversation.turns[0].answer.text, "1");
  assert.equal(dialogue.standing, "here");
});

test("what another device added is there after a reload", async () => {
  const { kept, load, say } = tab();
  load().dialogue.ask("one");
  say(1, { text: "1" });
  say(2, DONE);
  const { run, opening } = kept.opened[0].ask;
  const first = [message("q", null, "user", "one"), message(run, "q", "assistant", "1")];
  const second = [message("q2", run, "user", "two"), message("a2", "q2", "assistant", "2")];
  kept.told = { id: opening.conversation, leaf: "a2", messages: [...first, ...second] };
  const { dialogue } = load();
  await settled();
  assert.deepEqual(dialogue.conversation.turns.map(({ answer }) => answer.text), ["1", "2"]);
});

test("an answer that ended long ago is taken from its conversation", async () => {
  const { kept, load } = tab();
  const { dialogue } = load();
  dialogue.ask("one");
  const { run, opening } = kept.opened[0].ask;
  kept.told = { id: opening.conversation, leaf: run, messages: [message("q", null, "user", "one"), message(run, "q", "assistant", "1")] };
  kept.opened[0].sink.ended({ kind: "refused", status: 409, code: "run_ended", message: "This run has ended." });
  await settled();
  assert.deepEqual([dialogue.conversation.turns[0].answer.status, dialogue.conversation.turns[0].answer.text], ["done", "1"]);
});

test("switching shows the other branch", async () => {
  const { kept, load, say } = tab();
  const { dialogue } = load();
  dialogue.ask("one");
  say(1, DONE);
  const { run, opening } = kept.opened[0].ask;
  const messages = [message("q", null, "user", "one"), message(run, "q", "assistant", ""), message("b", "q", "assistant", "other")];
  kept.told = { id: opening.conversation, leaf: "b", messages };
  await dialogue.turnTo("b");
  assert.deepEqual(kept.changes, [{ leaf: "b" }]);
  const [turn] = dialogue.conversation.turns;
  assert.deepEqual([turn.answer.text, turn.answers], ["other", { ids: [run, "b"], at: 1 }]);
});

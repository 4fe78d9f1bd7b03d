// What a person can do to a conversation, and what of it survives a reload.
import assert from "node:assert/strict";
import { test } from "node:test";
import { EMPTY, freeze, thaw } from "./static/conversation.js";
import { Dialogue } from "./static/dialogue.js";

/** A browser tab: its storage outlives the dialogues made in it. */
function tab() {
  const kept = { text: null, stopped: [], opened: [], timers: [], runs: 0 };
  const load = () => {
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
      listener: { changed: () => told.changes++, linked: () => {}, signedOut: () => told.signedOut++ },
    });
    dialogue.begin();
    return { dialogue, told };
  };
  const say = (seq, frame) => {
    const { ask, sink } = kept.opened.at(-1);
    sink.heard();
    sink.received({ cursor: { run: ask.run, epoch: 1, seq }, frame });
  };
  return { kept, load, say };
}

const DONE = { done: true, finish_reason: "stop" };

test("asking sends the whole conversation with a run of its own", () => {
  const { kept, load, say } = tab();
  const { dialogue } = load();
  dialogue.ask("one");
  say(1, { text: "1" });
  say(2, DONE);
  dialogue.ask("two");
  const [first, second] = kept.opened.map(({ ask }) => ask);
  assert.notEqual(first.run, second.run);
  assert.deepEqual(second.opening.messages.map(({ content }) => content), ["one", "1", "two"]);
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

test("trying again replaces the answer under a new run and says the same", () => {
  const { kept, load, say } = tab();
  const { dialogue } = load();
  dialogue.ask("one");
  say(1, { error: "It stalled.", code: "upstream_stalled" });
  dialogue.retry();
  assert.equal(dialogue.conversation.turns.length, 1);
  assert.notEqual(kept.opened[1].ask.run, kept.opened[0].ask.run);
  assert.deepEqual(kept.opened[1].ask.opening, kept.opened[0].ask.opening);
});

test("a new chat stops what nobody would read, and forgets", () => {
  const { kept, load } = tab();
  const { dialogue } = load();
  dialogue.ask("one");
  dialogue.clear();
  assert.deepEqual(kept.stopped, [kept.opened[0].ask.run]);
  assert.equal(kept.opened[0].closed, true);
  assert.deepEqual(dialogue.conversation, EMPTY);
  assert.deepEqual(load().dialogue.conversation, EMPTY);
});

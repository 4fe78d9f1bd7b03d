// The session with transports and time of the test's own: when it resumes, from where, over what.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Session } from "./static/stream/session.js";
import { newAnswer } from "./static/stream/answer-state.js";

const RUN = "AAAAAAAAAAAAAAAAAAAAAA";
const SSE = 0;
const WS = 1;
const frame = (seq, body, epoch = 1) => ({ cursor: { run: RUN, epoch, seq }, frame: body });
const DONE = { done: true, finish_reason: "stop" };

/** A clock that moves only when told. */
class FakeClock {
  ms = 0;
  #timers = new Map();
  #last = 0;
  now = () => this.ms;
  random = () => 0.5;
  after = (run, ms) => {
    this.#timers.set(++this.#last, { run, due: this.ms + ms });
    return this.#last;
  };
  cancel = (timer) => this.#timers.delete(timer);
  get pending() {
    return this.#timers.size;
  }
  pass(ms) {
    const end = this.ms + ms;
    for (;;) {
      const next = [...this.#timers].filter(([, { due }]) => due <= end).sort((a, b) => a[1].due - b[1].due)[0];
      if (!next) break;
      this.#timers.delete(next[0]);
      this.ms = next[1].due;
      next[1].run();
    }
    this.ms = end;
  }
}

/** A session whose every connection is a record the test plays on. */
function stage(answer = newAnswer(RUN), opening = { messages: [{ role: "user", content: "q" }] }) {
  const clock = new FakeClock();
  const opened = [];
  const told = { states: [], signedOut: 0, answer };
  const transport = (kind) => (ask, sink) => {
    const record = { kind, ask, closed: false };
    // A transport says nothing after it was closed or ended.
    const live = (tell) => (...args) => record.closed || tell(...args);
    record.heard = live(sink.heard);
    record.pace = live(sink.pace);
    record.say = live((...all) => all.forEach((one) => (sink.heard(), sink.received(one))));
    record.end = live((ending) => ((record.closed = true), sink.ended(ending)));
    opened.push(record);
    return { close: () => (record.closed = true) };
  };
  const watcher = {
    changed: (next) => (told.answer = next),
    linked: (state) => told.states.push(state),
    signedOut: () => told.signedOut++,
  };
  const session = new Session(answer, opening, { transports: [transport(SSE), transport(WS)], clock, watcher });
  session.begin();
  const last = () => opened.at(-1);
  const open = () => opened.filter(({ closed }) => !closed);
  return { clock, opened, told, session, last, open };
}

test("one connection is enough when nothing goes wrong", () => {
  const { clock, opened, told, last } = stage();
  assert.deepEqual(last().ask, { run: RUN, after: null, opening: { messages: [{ role: "user", content: "q" }] } });
  last().say(frame(1, { text: "a" }), frame(2, DONE));
  assert.equal(told.answer.status, "done");
  assert.equal(opened.length, 1);
  assert.equal(clock.pending, 0, "no timer outlives the answer");
  assert.ok(opened[0].closed);
});

test("a cut resumes from the cursor, and a body that just ends is a cut", () => {
  const { clock, told, last, opened } = stage();
  last().say(frame(1, { text: "a" }));
  last().end({ kind: "cut" });
  assert.deepEqual(told.states.at(-1), "lost");
  clock.pass(1_000);
  assert.equal(opened.length, 2);
  assert.equal(last().kind, SSE);
  assert.equal(last().ask.after, `${RUN}:1:1`);
  last().say(frame(1, { text: "a" }), frame(2, { text: "b" }), frame(3, DONE));
  assert.equal(told.answer.text, "ab");
});

test("without a cursor the same request is repeated with the same run", () => {
  const { clock, last, opened } = stage();
  last().end({ kind: "cut" });
  clock.pass(1_000);
  assert.deepEqual(last().ask, opened[0].ask);
});

test("tries never end, but their pauses are bounded", () => {
  const { clock, open } = stage();
  for (let tries = 0; tries < 60; tries++) {
    for (const link of open()) link.end({ kind: "cut" });
    assert.equal(open().length, 0);
    clock.pass(15_001);
    assert.ok(open().length > 0, `after ${tries} tries`);
  }
});

test("after three seconds without a byte the other transport joins, and the first to speak wins", () => {
  const { clock, opened, told } = stage();
  clock.pass(2_999);
  assert.equal(opened.length, 1);
  clock.pass(2);
  assert.equal(opened.length, 2);
  assert.equal(opened[1].kind, WS);
  assert.deepEqual(opened[1].ask, opened[0].ask);
  assert.equal(opened[0].closed, false, "a slow network is not punished");
  opened[1].say(frame(1, { text: "a" }));
  assert.equal(opened[0].closed, true);
  assert.equal(told.answer.text, "a");
});

test("the transport that spoke is the one to resume with", () => {
  const { clock, opened, last } = stage();
  clock.pass(3_001);
  opened[1].say(frame(1, { text: "a" }));
  opened[1].end({ kind: "cut" });
  clock.pass(1_000);
  assert.equal(last().kind, WS);
  assert.equal(last().ask.after, `${RUN}:1:1`);
});

test("a transport that fails before a word gives way to the other", () => {
  const { clock, last } = stage();
  last().end({ kind: "cut" });
  clock.pass(1_000);
  assert.equal(last().kind, WS);
  last().end({ kind: "cut" });
  clock.pass(2_000);
  assert.equal(last().kind, SSE);
});

test("the failure of one of two decides nothing", () => {
  const { clock, opened, told } = stage();
  clock.pass(3_001);
  opened[1].end({ kind: "cut" });
  assert.deepEqual(told.states, []);
  opened[0].say(frame(1, { text: "a" }));
  assert.equal(told.answer.text, "a");
});

test("25 seconds of silence mean a dead connection, and comments are no silence", () => {
  const { clock, opened, last } = stage();
  last().say(frame(1, { text: "a" }));
  clock.pass(20_000);
  last().heard();
  clock.pass(20_000);
  assert.equal(opened.length, 1);
  clock.pass(6_000);
  assert.equal(opened[0].closed, true);
  assert.equal(opened.length, 2);
  assert.equal(last().kind, WS, "something may be holding the bytes back");
});

test("waking resumes at once: from a pause, from a suspect silence, from any connection not trusted", () => {
  const { clock, session, opened, last } = stage();
  last().say(frame(1, { text: "a" }));
  session.wake(false);
  assert.equal(opened.length, 1, "heard just now");
  clock.pass(13_000);
  session.wake(false);
  assert.equal(opened.length, 2, "quiet for longer than the server ever is");
  last().say(frame(2, { text: "b" }));
  session.wake(true);
  assert.equal(opened.length, 3, "the network changed");
  last().end({ kind: "cut" });
  session.wake(false);
  assert.equal(opened.length, 4, "no need to sit out a pause");
  assert.equal(clock.pending, 2);
});

test("at most two connections are ever open", () => {
  const { clock, session, open } = stage();
  for (let at = 0; at < 20; at++) {
    clock.pass(1_700 * (at % 4));
    session.wake(true);
    assert.ok(open().length <= 2);
  }
});

test("a run that is gone ends in words", () => {
  const { told, last } = stage();
  last().end({ kind: "gone", message: "No such run." });
  assert.equal(told.answer.status, "failed");
  assert.equal(told.answer.failure.code, "gone");
});

test("a refusal ends in the server's words", () => {
  const { told, last, clock } = stage();
  last().end({ kind: "refused", status: 400, code: "invalid", message: "messages is empty" });
  assert.equal(told.answer.failure.error, "messages is empty");
  assert.equal(clock.pending, 0);
});

for (const status of [429, 503]) {
  test(`${status} with Retry-After is waited out`, () => {
    const { told, last, clock, opened } = stage();
    last().end({ kind: "refused", status, retry_ms: 8_000, message: "full" });
    assert.equal(told.states.at(-1), "busy");
    clock.pass(7_900);
    assert.equal(opened.length, 1);
    clock.pass(2_200);
    assert.equal(opened.length, 2);
  });

  test(`${status} is for a person to decide when it would take long or is not said`, () => {
    for (const retry_ms of [3_600_000, null]) {
      const { told, last } = stage();
      last().end({ kind: "refused", status, retry_ms, message: "full" });
      assert.equal(told.answer.failure.error, "full");
    }
  });

  test(`${status} never ends an answer that has begun`, () => {
    const { told, last, clock, opened } = stage();
    last().say(frame(1, { text: "a" }));
    last().end({ kind: "refused", status, retry_ms: null });
    clock.pass(1_000);
    assert.equal(told.answer.status, "streaming");
    assert.equal(opened.length, 2);
  });
}

test("what keeps an answer from beginning is known, and until when, and gone with its first frame", () => {
  const { told, last, clock, opened } = stage();
  last().end({ kind: "refused", status: 429, code: "too_many_starts", retry_ms: 40_000 });
  assert.equal(told.answer.held.code, "too_many_starts");
  const { until_ms } = told.answer.held;
  assert.ok(until_ms >= 40_000 && until_ms <= 41_000, "a limit of one's own needs little spreading");
  clock.pass(until_ms - 1);
  assert.equal(opened.length, 1);
  clock.pass(1);
  assert.equal(opened.length, 2);
  assert.equal(last().kind, SSE, "the way is not to blame");
  assert.equal(told.answer.held.code, "too_many_starts", "nothing is decided yet");
  last().say(frame(1, { text: "a" }));
  assert.equal(told.answer.held, null);
});

test("what kept an answer from beginning is forgotten when the network is gone", () => {
  const { told, last, clock } = stage();
  last().end({ kind: "refused", status: 429, code: "too_many_starts", retry_ms: 1_000 });
  clock.pass(2_000);
  last().end({ kind: "cut" });
  assert.equal(told.answer.held, null);
  assert.equal(told.states.at(-1), "lost");
});

test("what holds back an answer that has begun is no reason that it can't begin", () => {
  const { told, last } = stage();
  last().say(frame(1, { text: "a" }));
  last().end({ kind: "refused", status: 503, code: "store_away", retry_ms: 2_000 });
  assert.equal(told.answer.held, null);
});

test("a refusal that takes long says how long, and what may be had", () => {
  const { told, last } = stage();
  last().end({ kind: "refused", status: 429, code: "too_many_bytes", retry_ms: 7_200_000, limit: 1_000, message: "much" });
  assert.deepEqual(told.answer.failure, { error: "much", code: "too_many_bytes", retry_after: 7_200, limit: 1_000 });
});

test("where cookies are refused nobody is led to the sign-in page", () => {
  const { told, last, clock } = stage();
  last().end({ kind: "refused", status: 401, code: "no_owner", message: "none" });
  assert.equal(told.signedOut, 0);
  assert.equal(told.answer.failure.code, "no_owner");
  assert.equal(clock.pending, 0);
});

test("401 leads to the sign-in page and keeps the answer open", () => {
  const { told, last, clock } = stage();
  last().end({ kind: "refused", status: 401 });
  assert.equal(told.signedOut, 1);
  assert.equal(told.answer.status, "waiting");
  assert.equal(clock.pending, 0);
});

test("a terminal cursor whose end never came is read once more from the beginning", () => {
  const { told, last, clock } = stage();
  last().say(frame(1, { text: "a" }));
  last().end({ kind: "cut" });
  clock.pass(1_000);
  last().end({ kind: "over" });
  clock.pass(1_000);
  assert.equal(last().ask.after, null);
  last().say(frame(1, { text: "a" }), frame(2, DONE));
  assert.equal(told.answer.text, "a");
  assert.equal(told.answer.status, "done");
});

test("a server that goes away says when to come back", () => {
  const { last, clock, opened } = stage();
  last().say(frame(1, { text: "a" }), { cursor: null, frame: { notice: { code: "reconnect", after_ms: 3_000 } } });
  last().end({ kind: "cut" });
  clock.pass(2_900);
  assert.equal(opened.length, 1);
  clock.pass(1_000);
  assert.equal(opened.length, 2);
});

test("a closed session says and does nothing more", () => {
  const { session, last, clock, told, opened } = stage();
  const link = last();
  link.say(frame(1, { text: "a" }));
  session.close();
  session.wake(true);
  clock.pass(60_000);
  assert.equal(opened.length, 1);
  assert.equal(clock.pending, 0);
  assert.equal(told.answer.text, "a");
});

test("a thousand random cuts and switches end in the same text", () => {
  let seed = 20;
  const random = () => ((seed = (seed * 1103515245 + 12345) % 2 ** 31), seed / 2 ** 31);
  const log = [{ start: { run: RUN, provider: "p", model: "m" } }, ..."The water comes in spring.".split("").map((text) => ({ text })), DONE];
  for (let round = 0; round < 1_000; round++) {
    const { told, last, clock, opened } = stage();
    for (let step = 0; told.answer.status !== "done" && step < 500; step++) {
      const link = last();
      if (link.closed) {
        clock.pass(16_000);
        continue;
      }
      const from = link.ask.after === null ? 0 : Number(link.ask.after.split(":")[2]);
      const count = Math.floor(random() * 6);
      for (let at = from; at < Math.min(log.length, from + count); at++) link.say(frame(at + 1, log[at]));
      if (told.answer.status !== "done") random() < 0.3 ? clock.pass(random() * 30_000) : link.end({ kind: "cut" });
    }
    assert.equal(told.answer.text, "The water comes in spring.", `round ${round} after ${opened.length} connections`);
  }
});

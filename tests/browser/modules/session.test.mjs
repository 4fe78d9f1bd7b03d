// The session with fake transports and a fake clock: when it reconnects, from which cursor, over which transport.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Session } from "./static/stream/session.js";
import { newAnswer } from "./static/stream/answer-state.js";

const RUN = "AAAAAAAAAAAAAAAAAAAAAA";
const SSE = 0;
const WS = 1;
const frame = (seq, body, epoch = 1) => ({ cursor: { run: RUN, epoch, seq }, frame: body });
const DONE = { done: true, finish_reason: "stop" };

/** A clock that only `pass` moves. */
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

/** Start a session whose connections are records that the test controls. */
function startSession(answer = newAnswer(RUN), opening = { messages: [{ role: "user", content: "q" }] }, heartbeat_ms = undefined) {
  const clock = new FakeClock();
  const opened = [];
  const seen = { states: [], signedOut: 0, answer };
  const transport = (kind) => (request, receiver) => {
    const record = { kind, request, closed: false };
    // A transport calls nothing after it was closed or ended.
    const live = (call) => (...args) => record.closed || call(...args);
    record.active = live(receiver.active);
    record.retry = live(receiver.retry);
    record.heartbeat = live(receiver.heartbeat);
    record.send = live((...all) => all.forEach((one) => (receiver.active(), receiver.received(one))));
    record.end = live((disconnect) => ((record.closed = true), receiver.ended(disconnect)));
    opened.push(record);
    return { close: () => (record.closed = true) };
  };
  const listener = {
    changed: (next) => (seen.answer = next),
    connectionChanged: (state) => seen.states.push(state),
    signedOut: () => seen.signedOut++,
  };
  const session = new Session(answer, opening, { transports: [transport(SSE), transport(WS)], clock, listener, heartbeat_ms });
  session.start();
  const last = () => opened.at(-1);
  const open = () => opened.filter(({ closed }) => !closed);
  return { clock, opened, seen, session, last, open };
}

test("one connection is enough when nothing goes wrong", () => {
  const { clock, opened, seen, last } = startSession();
  assert.deepEqual(last().request, { run: RUN, after: null, opening: { messages: [{ role: "user", content: "q" }] } });
  last().send(frame(1, { text: "a" }), frame(2, DONE));
  assert.equal(seen.answer.status, "done");
  assert.equal(opened.length, 1);
  assert.equal(clock.pending, 0, "no timer outlives the answer");
  assert.ok(opened[0].closed);
});

test("a lost connection is resumed from the cursor", () => {
  const { clock, seen, last, opened } = startSession();
  last().send(frame(1, { text: "a" }));
  last().end({ kind: "cut" });
  assert.deepEqual(seen.states.at(-1), "lost");
  clock.pass(1_000);
  assert.equal(opened.length, 2);
  assert.equal(last().kind, SSE);
  assert.equal(last().request.after, `${RUN}:1:1`);
  last().send(frame(1, { text: "a" }), frame(2, { text: "b" }), frame(3, DONE));
  assert.equal(seen.answer.text, "ab");
});

test("without a cursor the same request is repeated with the same run", () => {
  const { clock, last, opened } = startSession();
  last().end({ kind: "cut" });
  clock.pass(1_000);
  assert.deepEqual(last().request, opened[0].request);
});

test("retries never stop, and their pauses are bounded", () => {
  const { clock, open } = startSession();
  for (let tries = 0; tries < 60; tries++) {
    for (const connection of open()) connection.end({ kind: "cut" });
    assert.equal(open().length, 0);
    clock.pass(15_001);
    assert.ok(open().length > 0, `after ${tries} tries`);
  }
});

test("after three seconds without a byte the other transport is tried as well, and the first that sends a byte is kept", () => {
  const { clock, opened, seen } = startSession();
  clock.pass(2_999);
  assert.equal(opened.length, 1);
  clock.pass(2);
  assert.equal(opened.length, 2);
  assert.equal(opened[1].kind, WS);
  assert.deepEqual(opened[1].request, opened[0].request);
  assert.equal(opened[0].closed, false, "the first connection stays open on a slow network");
  opened[1].send(frame(1, { text: "a" }));
  assert.equal(opened[0].closed, true);
  assert.equal(seen.answer.text, "a");
});

test("a session resumes with the transport that sent a byte", () => {
  const { clock, opened, last } = startSession();
  clock.pass(3_001);
  opened[1].send(frame(1, { text: "a" }));
  opened[1].end({ kind: "cut" });
  clock.pass(1_000);
  assert.equal(last().kind, WS);
  assert.equal(last().request.after, `${RUN}:1:1`);
});

test("after a transport fails without a byte the other one is tried", () => {
  const { clock, last } = startSession();
  last().end({ kind: "cut" });
  clock.pass(1_000);
  assert.equal(last().kind, WS);
  last().end({ kind: "cut" });
  clock.pass(2_000);
  assert.equal(last().kind, SSE);
});

test("the failure of one of two connections leaves the other", () => {
  const { clock, opened, seen } = startSession();
  clock.pass(3_001);
  opened[1].end({ kind: "cut" });
  assert.deepEqual(seen.states, []);
  opened[0].send(frame(1, { text: "a" }));
  assert.equal(seen.answer.text, "a");
});

test("25 seconds without a byte end a connection, and a comment counts as bytes", () => {
  const { clock, opened, last } = startSession();
  last().send(frame(1, { text: "a" }));
  clock.pass(20_000);
  last().active();
  clock.pass(20_000);
  assert.equal(opened.length, 1);
  clock.pass(6_000);
  assert.equal(opened[0].closed, true);
  assert.equal(opened.length, 2);
  assert.equal(last().kind, WS, "a proxy may buffer the bytes");
});

test("n31: a connection may be silent for longer where the server's heartbeat is slower", () => {
  const { clock, session, opened, last } = startSession(undefined, undefined, 40_000);
  last().send(frame(1, { text: "a" }));
  clock.pass(41_000);
  session.wake(false);
  assert.equal(opened.length, 1, "the heartbeat may be on its way");
  last().active();
  clock.pass(99_000);
  assert.equal(opened.length, 1);
  clock.pass(2_000);
  assert.equal(opened.length, 2);
});

test("n31: the heartbeat that a response names counts, also where the page was told another one", () => {
  const { clock, opened, last } = startSession(undefined, undefined, 10_000);
  last().heartbeat(60_000);
  clock.pass(149_000);
  assert.equal(opened.length, 2, "only the other transport was tried beside it");
  last().active();
  clock.pass(149_000);
  assert.equal(opened.length, 2);
  clock.pass(2_000);
  assert.equal(opened.length, 3);
});

test("waking reconnects at once: from a pause, after a suspect silence, and when it is forced", () => {
  const { clock, session, opened, last } = startSession();
  last().send(frame(1, { text: "a" }));
  session.wake(false);
  assert.equal(opened.length, 1, "bytes came just now");
  clock.pass(13_000);
  session.wake(false);
  assert.equal(opened.length, 2, "silent for longer than the server's heartbeat");
  last().send(frame(2, { text: "b" }));
  session.wake(true);
  assert.equal(opened.length, 3, "the network changed");
  last().end({ kind: "cut" });
  session.wake(false);
  assert.equal(opened.length, 4, "the pause is skipped");
  assert.equal(clock.pending, 2);
});

test("at most two connections are ever open", () => {
  const { clock, session, open } = startSession();
  for (let at = 0; at < 20; at++) {
    clock.pass(1_700 * (at % 4));
    session.wake(true);
    assert.ok(open().length <= 2);
  }
});

test("a run that the server does not have fails as gone", () => {
  const { seen, last } = startSession();
  last().end({ kind: "gone", message: "No such run." });
  assert.equal(seen.answer.status, "failed");
  assert.equal(seen.answer.failure.code, "gone");
});

test("a refusal fails with the server's message", () => {
  const { seen, last, clock } = startSession();
  last().end({ kind: "refused", status: 400, code: "invalid", message: "messages is empty" });
  assert.equal(seen.answer.failure.error, "messages is empty");
  assert.equal(clock.pending, 0);
});

for (const status of [429, 503]) {
  test(`${status} with Retry-After is retried`, () => {
    const { seen, last, clock, opened } = startSession();
    last().end({ kind: "refused", status, retry_ms: 8_000, message: "full" });
    assert.equal(seen.states.at(-1), "busy");
    clock.pass(7_900);
    assert.equal(opened.length, 1);
    clock.pass(2_200);
    assert.equal(opened.length, 2);
  });

  test(`${status} fails when Retry-After is long or missing`, () => {
    for (const retry_ms of [3_600_000, null]) {
      const { seen, last } = startSession();
      last().end({ kind: "refused", status, retry_ms, message: "full" });
      assert.equal(seen.answer.failure.error, "full");
    }
  });

  test(`${status} is retried once an answer has begun`, () => {
    const { seen, last, clock, opened } = startSession();
    last().send(frame(1, { text: "a" }));
    last().end({ kind: "refused", status, retry_ms: null });
    clock.pass(1_000);
    assert.equal(seen.answer.status, "streaming");
    assert.equal(opened.length, 2);
  });
}

test("a held answer has the reason and the time of the next try until its first frame", () => {
  const { seen, last, clock, opened } = startSession();
  last().end({ kind: "refused", status: 429, code: "too_many_starts", retry_ms: 40_000 });
  assert.equal(seen.answer.held.code, "too_many_starts");
  const { until_ms } = seen.answer.held;
  assert.ok(until_ms >= 40_000 && until_ms <= 41_000, "a limit of one user needs little jitter");
  clock.pass(until_ms - 1);
  assert.equal(opened.length, 1);
  clock.pass(1);
  assert.equal(opened.length, 2);
  assert.equal(last().kind, SSE, "a refusal does not change the transport");
  assert.equal(seen.answer.held.code, "too_many_starts", "the reason stays until a frame comes");
  last().send(frame(1, { text: "a" }));
  assert.equal(seen.answer.held, null);
});

test("a held answer loses its reason when the connection is lost", () => {
  const { seen, last, clock } = startSession();
  last().end({ kind: "refused", status: 429, code: "too_many_starts", retry_ms: 1_000 });
  clock.pass(2_000);
  last().end({ kind: "cut" });
  assert.equal(seen.answer.held, null);
  assert.equal(seen.states.at(-1), "lost");
});

test("an answer that has begun is never held", () => {
  const { seen, last } = startSession();
  last().send(frame(1, { text: "a" }));
  last().end({ kind: "refused", status: 503, code: "store_away", retry_ms: 2_000 });
  assert.equal(seen.answer.held, null);
});

test("a long refusal keeps its Retry-After and its limit", () => {
  const { seen, last } = startSession();
  last().end({ kind: "refused", status: 429, code: "too_many_bytes", retry_ms: 7_200_000, limit: 1_000, message: "much" });
  assert.deepEqual(seen.answer.failure, { error: "much", code: "too_many_bytes", retry_after: 7_200, limit: 1_000 });
});

test("no_owner fails the answer and does not sign out", () => {
  const { seen, last, clock } = startSession();
  last().end({ kind: "refused", status: 401, code: "no_owner", message: "none" });
  assert.equal(seen.signedOut, 0);
  assert.equal(seen.answer.failure.code, "no_owner");
  assert.equal(clock.pending, 0);
});

test("401 signs out and keeps the answer open", () => {
  const { seen, last, clock } = startSession();
  last().end({ kind: "refused", status: 401 });
  assert.equal(seen.signedOut, 1);
  assert.equal(seen.answer.status, "waiting");
  assert.equal(clock.pending, 0);
});

test("a terminal cursor without a terminal frame is read again from the beginning", () => {
  const { seen, last, clock } = startSession();
  last().send(frame(1, { text: "a" }));
  last().end({ kind: "cut" });
  clock.pass(1_000);
  last().end({ kind: "over" });
  clock.pass(1_000);
  assert.equal(last().request.after, null);
  last().send(frame(1, { text: "a" }), frame(2, DONE));
  assert.equal(seen.answer.text, "a");
  assert.equal(seen.answer.status, "done");
});

test("a reconnect notice sets the pause", () => {
  const { last, clock, opened } = startSession();
  last().send(frame(1, { text: "a" }), { cursor: null, frame: { notice: { code: "reconnect", after_ms: 3_000 } } });
  last().end({ kind: "cut" });
  clock.pass(2_900);
  assert.equal(opened.length, 1);
  clock.pass(1_000);
  assert.equal(opened.length, 2);
});

test("a closed session calls and opens nothing", () => {
  const { session, last, clock, seen, opened } = startSession();
  const connection = last();
  connection.send(frame(1, { text: "a" }));
  session.close();
  session.wake(true);
  clock.pass(60_000);
  assert.equal(opened.length, 1);
  assert.equal(clock.pending, 0);
  assert.equal(seen.answer.text, "a");
});

test("a thousand random cuts and switches give the same text", () => {
  let seed = 20;
  const random = () => ((seed = (seed * 1103515245 + 12345) % 2 ** 31), seed / 2 ** 31);
  const log = [{ start: { run: RUN, provider: "p", model: "m" } }, ..."The water comes in spring.".split("").map((text) => ({ text })), DONE];
  for (let round = 0; round < 1_000; round++) {
    const { seen, last, clock, opened } = startSession();
    for (let step = 0; seen.answer.status !== "done" && step < 500; step++) {
      const connection = last();
      if (connection.closed) {
        clock.pass(16_000);
        continue;
      }
      const from = connection.request.after === null ? 0 : Number(connection.request.after.split(":")[2]);
      const count = Math.floor(random() * 6);
      for (let at = from; at < Math.min(log.length, from + count); at++) connection.send(frame(at + 1, log[at]));
      if (seen.answer.status === "done") continue;
      if (random() < 0.3) clock.pass(random() * 30_000);
      else connection.end({ kind: "cut" });
    }
    assert.equal(seen.answer.text, "The water comes in spring.", `round ${round} after ${opened.length} connections`);
  }
});

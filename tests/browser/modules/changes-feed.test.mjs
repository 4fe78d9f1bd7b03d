// The feed of changes: connecting, resuming, giving up; and its changes in the list.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ChangesFeed } from "./static/conversation/changes-feed.js";
import { mergeChange } from "./static/sidebar/by-day.js";

/** A feed with its sockets, timers and events. */
function openFeed() {
  const sockets = [];
  const timers = new Map();
  const events = [];
  let count = 0;
  const clock = {
    now: () => 0,
    random: () => 0,
    cancel: (timer) => timers.delete(timer),
    after: (run, ms) => (timers.set(++count, { run, ms }), count),
  };
  const connect = () => {
    const listeners = {};
    const socket = { sent: [], isClosed: false };
    socket.addEventListener = (name, listener) => (listeners[name] = listener);
    socket.send = (text) => socket.sent.push(JSON.parse(text));
    socket.close = () => (socket.isClosed = true);
    socket.fire = (name, event = {}) => listeners[name](event);
    socket.say = (json) => listeners.message({ data: JSON.stringify(json) });
    sockets.push(socket);
    return socket;
  };
  const listener = {
    changed: ({ id }) => events.push(id),
    resync: () => events.push("resync"),
    liveChanged: (isLive) => events.push(isLive),
  };
  const feed = new ChangesFeed({ connect, clock, listener });
  const elapse = (atMost_ms) => {
    for (const [timer, { run, ms }] of [...timers]) if (ms <= atMost_ms && timers.delete(timer)) run();
  };
  return { feed, sockets, events, timers, elapse };
}

test("it begins where the list ends, and resumes after the last event", () => {
  const { feed, sockets, events, elapse } = openFeed();
  feed.start("t-1");
  sockets[0].fire("open");
  assert.deepEqual(sockets[0].sent, [{ type: "changes", after: "t-1" }]);
  sockets[0].say({ following: "changes" });
  sockets[0].say({ change: { id: "a" } }); // of the same transaction as the next
  sockets[0].say({ change: { id: "b" }, id: "t-3" });
  assert.deepEqual(events, [true, "a", "b"]);
  sockets[0].fire("close", { code: 1012 });
  elapse(1_000);
  sockets[1].fire("open");
  assert.deepEqual(sockets[1].sent, [{ type: "changes", after: "t-3" }]);
});

test("without a cursor it is resynced", () => {
  const { feed, sockets, events } = openFeed();
  feed.start(null);
  sockets[0].fire("open");
  sockets[0].say({ following: "changes" });
  sockets[0].say({ resync: true, id: "t-9" });
  assert.deepEqual(events, [true, "resync"]);
});

test("a stopped feed has no socket and no timer", () => {
  const { feed, sockets, timers, events } = openFeed();
  feed.start("t-1");
  sockets[0].say({ following: "changes" });
  feed.stop();
  assert.equal(sockets[0].isClosed, true);
  assert.equal(timers.size, 0);
  assert.deepEqual(events, [true, false]);
  sockets[0].say({ change: { id: "late" } });
  sockets[0].fire("close", { code: 1006 });
  assert.deepEqual(events, [true, false]);
  assert.equal(timers.size, 0);
  feed.start("t-0");
  assert.equal(sockets.length, 2);
});

test("where WebSockets are dropped it gives up, until it is started again", () => {
  const { feed, sockets, timers, elapse } = openFeed();
  feed.start("t-1");
  for (let tries = 0; tries < 20; tries++) {
    sockets.at(-1).fire("close", { code: 1006 });
    elapse(20_000);
  }
  assert.equal(sockets.length, 6);
  assert.equal(timers.size, 0);
  feed.start("t-1");
  assert.equal(sockets.length, 7);
});

test("a silent connection is replaced", () => {
  const { feed, sockets, events, elapse } = openFeed();
  feed.start("t-1");
  sockets[0].say({ following: "changes" });
  elapse(25_000);
  assert.equal(sockets[0].isClosed, true);
  assert.deepEqual(events, [true, false]);
  elapse(1_000);
  assert.equal(sockets.length, 2);
});

test("a refusal is final, and an ended session loads the list, which shows the sign-in page", () => {
  const { feed, sockets, timers, events } = openFeed();
  feed.start("t-1");
  sockets[0].say({ refused: "no cookie", status: 401 });
  assert.equal(timers.size, 0);
  feed.start("t-1");
  sockets[1].fire("close", { code: 4401 });
  assert.deepEqual(events, ["resync"]);
  assert.equal(timers.size, 0);
});

test("messages that are not known are ignored", () => {
  const { feed, sockets, events } = openFeed();
  feed.start("t-1");
  for (const data of ["", "[", "{}", '{"change":null}', '{"change":{"id":1}}', '{"ping":1}', new ArrayBuffer(1)]) sockets[0].fire("message", { data });
  assert.deepEqual(events, []);
});

const known = [
  { id: "c", updated_at: 30, title: "C" },
  { id: "b", updated_at: 20, title: "B" },
  { id: "a", updated_at: 10, title: "A" },
];
const merged = (change, isAll = false, isSearch = false) =>
  mergeChange(known, change, { isAll, isSearch }).map(({ id, title }) => `${id}${title}`);

test("a change moves its conversation to its place", () => {
  assert.deepEqual(merged({ id: "a", updated_at: 40, title: "New" }), ["aNew", "cC", "bB"]);
  assert.deepEqual(merged({ id: "d", updated_at: 40, title: "D" }), ["dD", "cC", "bB", "aA"]);
  assert.deepEqual(merged({ id: "c", updated_at: 15, title: "C" }), ["bB", "cC", "aA"]);
  assert.deepEqual(merged({ id: "b", deleted: true }), ["cC", "aA"]);
});

test("what belongs to a later page is left out", () => {
  assert.deepEqual(merged({ id: "z", updated_at: 1, title: "Z" }), ["cC", "bB", "aA"]);
  assert.deepEqual(merged({ id: "z", updated_at: 1, title: "Z" }, true), ["cC", "bB", "aA", "zZ"]);
});

test("the result of a search keeps its order and gets nothing new", () => {
  assert.deepEqual(merged({ id: "a", updated_at: 40, title: "New" }, false, true), ["cC", "bB", "aNew"]);
  assert.deepEqual(merged({ id: "d", updated_at: 40, title: "D" }, true, true), ["cC", "bB", "aA"]);
  assert.deepEqual(merged({ id: "a", deleted: true }, false, true), ["cC", "bB"]);
});

/** A list of conversations is cut at any chunk boundary, sent in batches, and reported; zip files are read. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateRawSync } from "node:zlib";

import { importFile } from "./static/conversation/imports/import-file.js";
import { ListSplitter } from "./static/conversation/imports/list-splitter.js";
import { openZip } from "./static/conversation/imports/zip-file.js";

const bytes = (text) => new TextEncoder().encode(text);
const textOf = async (parts) => new Blob(parts).text();
const MAX = 10_000_000;

async function split(text, size, maxBytes = MAX) {
  const splitter = new ListSplitter(maxBytes);
  const all = bytes(text);
  const items = [];
  for (let at = 0; at < all.length; at += size) items.push(...splitter.push(all.slice(at, at + size)));
  const texts = [];
  for (const { parts } of items) texts.push(parts === null ? null : (await textOf(parts)).trim());
  return { texts, isOver: splitter.isOver, isList: splitter.isList };
}

const LIST = ' [ {"a": "],\\"[é", "b": [1, {"c": []}]} , 5,"x\\\\", [] ,{} ] ';

test("a list is cut at every boundary", async () => {
  for (let size = 1; size <= LIST.length; size += 1) {
    const { texts, isOver } = await split(LIST, size);
    assert.deepEqual(texts, ['{"a": "],\\"[é", "b": [1, {"c": []}]}', "5", '"x\\\\"', "[]", "{}"]);
    assert.equal(isOver, true);
  }
});

test("what is no whole list is known", async () => {
  assert.deepEqual(await split("[]", 1), { texts: [], isOver: true, isList: true });
  assert.deepEqual(await split(" \ufeff[ \n]", 9), { texts: [], isOver: true, isList: true });
  assert.deepEqual(await split('[{"a": 1}, {"b"', 3), { texts: ['{"a": 1}'], isOver: false, isList: true });
  assert.equal((await split('{"a": [1]}', 3)).isList, false);
  assert.deepEqual((await split('[{"a":"long long"},{"b":1}]', 4, 9)).texts, [null, '{"b":1}']);
});

const encode = async (file) => {
  const text = await file.text();
  if (text === "no image") throw new Error(text);
  return `data:image/png;base64,${btoa(text)}`;
};

/** Import, and answer each request. */
async function run(file, answer, { maxBytes = MAX, signal = new AbortController().signal, encodeImage = encode } = {}) {
  const sent = [];
  const parts = [];
  const waits = [];
  const send = async (body, abort) => {
    sent.push(await body.text());
    return answer(sent.at(-1), sent.length, abort);
  };
  const sleep = async (ms) => void waits.push(ms);
  const result = await importFile(file, { maxBytes, send, progress: (part) => parts.push(part), sleep, signal, encodeImage });
  return { result, sent, parts, waits };
}

const accept = (body) => ({ imported: JSON.parse(body).map((title) => ({ id: "x", title, left_out: [] })), failed: [] });
const conversation = (n, size) => `${n}`.padEnd(size, "x");

test("a long list is sent in batches of bounded size, and the progress grows", async () => {
  const titles = Array.from({ length: 130 }, (_, n) => conversation(n, n < 100 ? 10 : 100_000));
  const { result, sent, parts } = await run(new Blob([JSON.stringify(titles)]), accept);
  assert.deepEqual(result.imported.map(({ title }) => title), titles);
  assert.deepEqual(sent.map((body) => JSON.parse(body).length).slice(0, 2), [50, 50]);
  assert.ok(sent.every((body) => body.length < 1_000_000));
  assert.ok(parts.every((part, at) => part >= (parts[at - 1] ?? 0)) && parts.at(-1) === 1);
  assert.equal(result.stopped, "");
});

test("failures are counted over the whole file", async () => {
  const fail = (body) => ({ imported: [], failed: JSON.parse(body).map((title, index) => ({ index, title, code: "bad_import", param: "x" })) });
  const { result } = await run(new Blob([JSON.stringify(Array.from({ length: 120 }, (_, n) => `c${n}`))]), fail);
  assert.deepEqual(result.failed.map(({ index, title }) => title === `c${index}`), Array(120).fill(true));
});

test("a conversation over the limit is left out, and the ones beside it are sent", async () => {
  const { result, sent } = await run(new Blob([JSON.stringify(["a", "b".repeat(2_000), "c"])]), accept, { maxBytes: 1_000 });
  assert.deepEqual(sent, ['["a"]', '["c"]']);
  assert.deepEqual(result.failed, [{ index: 1, title: "", code: "too_large", param: "body" }]);
});

test("a busy server is asked again, a lost one is not", async () => {
  const busy = (body, count) => (count < 3 ? { status: 429, code: "too_many_imports", param: "body", retry_ms: 7_000 } : accept(body));
  const patient = await run(new Blob(['["a","b"]']), busy);
  assert.deepEqual([patient.waits, patient.result.imported.length, patient.sent.length], [[7_000, 7_000], 2, 3]);
  const titles = JSON.stringify(Array.from({ length: 200 }, (_, n) => `c${n}`));
  const lost = await run(new Blob([titles]), (body, count) => (count === 1 ? accept(body) : { status: 0, code: "", param: "", retry_ms: null }));
  assert.deepEqual([lost.result.imported.length, lost.result.failed.length, lost.sent.length, lost.result.stopped], [50, 50, 2, "unavailable"]);
  const never = await run(new Blob(['["a"]']), () => ({ status: 429, code: "busy", param: "", retry_ms: 1 }));
  assert.equal(never.sent.length, 21);
});

test("a file that ends early is named, and what came before is imported", async () => {
  const { result } = await run(new Blob(['["a","b","c']), accept);
  assert.deepEqual([result.imported.length, result.stopped], [2, "cut"]);
});

test("one conversation is sent as it is", async () => {
  const { result, sent } = await run(new Blob(['{"freshet": 1}']), () => ({ id: "n" }));
  assert.deepEqual([result, sent], [{ id: "n" }, ['{"freshet": 1}']]);
  const large = await run(new Blob(['{"freshet": 1}']), () => ({ id: "n" }), { maxBytes: 5 });
  assert.deepEqual([large.result.status, large.sent], [413, []]);
});

/** Return a zip file; `method` 0: stored, 8: packed. */
function zip(files, { method = 8, flags = 0 } = {}) {
  const parts = [];
  const directory = [];
  let at = 0;
  for (const [name, text] of Object.entries(files)) {
    const packed = method === 8 ? deflateRawSync(bytes(text)) : bytes(text);
    const fields = (size) => new DataView(new ArrayBuffer(size));
    const local = fields(30);
    local.setUint32(0, 0x04034b50, true);
    local.setUint16(26, name.length, true);
    local.setUint16(28, 3, true);
    const entry = fields(46);
    entry.setUint32(0, 0x02014b50, true);
    entry.setUint16(8, flags, true);
    entry.setUint16(10, method, true);
    entry.setUint32(20, packed.length, true);
    entry.setUint32(24, bytes(text).length, true);
    entry.setUint16(28, name.length, true);
    entry.setUint32(42, at, true);
    parts.push(local, bytes(name), new Uint8Array(3), packed);
    directory.push(entry, bytes(name));
    at += 33 + name.length + packed.length;
  }
  const size = directory.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const end = new DataView(new ArrayBuffer(22));
  end.setUint32(0, 0x06054b50, true);
  end.setUint32(12, size, true);
  end.setUint32(16, at, true);
  return new Blob([...parts, ...directory, end, bytes("")]);
}

test("the conversations in a zip file are imported", async () => {
  for (const method of [0, 8]) {
    const file = zip({ "user.json": "{}", "x/conversations-001.json": '["b"]', "x/conversations-000.json": '\ufeff["a"]' }, { method });
    const { result, parts } = await run(file, accept);
    assert.deepEqual(result.imported.map(({ title }) => title), ["a", "b"]);
    assert.equal(parts.at(-1), 1);
  }
});

test("other zip files are refused by a reason", async () => {
  const code = async (file) => (await run(file, accept)).result.code;
  assert.equal(await code(zip({ "chat.html": "x" })), "zipEmpty");
  assert.equal(await code(zip({ "conversations.json": "[1]" }, { flags: 1 })), "zipUnreadable");
  assert.equal(await code(zip({ "conversations.json": "[1]" }, { method: 12 })), "zipUnreadable");
  const whole = zip({ "conversations.json": "[1]" });
  assert.equal(await code(whole.slice(0, whole.size - 30)), "zipUnreadable");
  const damaged = new Uint8Array(await whole.arrayBuffer());
  damaged.fill(255, 51, 54); // the packed bytes
  assert.equal(await code(new Blob([damaged])), "unreadable");
  for (let size = 2; size < whole.size; size += 1) {
    const { result } = await run(whole.slice(0, size), accept);
    assert.ok("status" in result, `${size}`);
  }
  assert.equal((await openZip(whole)).conversations.length, 1);
});

const pointer = (name) => ({ asset_pointer: name });

test("the images of a zip file come with the conversations that point to them", async () => {
  const chats = [
    { title: "é", parts: [pointer("file-service://file-AbC"), pointer("sediment://file_00ff"), pointer("sediment://file_00ff#p1.png")] },
    { title: "none", parts: ["file-service://file-other", pointer("file-service://file-missing"), pointer("file-service://file-bad")] },
    { title: "again", parts: [pointer("file-service://file-AbC")] },
  ];
  const file = zip({
    "conversations.json": JSON.stringify(chats).replace("//file-AbC", "\\/\\/file-AbC"), // as PHP writes it
    "file-AbC-my photo.png": "one",
    "user-x/file_00ff-sanitized.jpg": "two",
    "file-bad.png": "no image",
    "file-other/notes.txt": "x",
    "../file-evil.png": "x",
  });
  const { sent } = await run(file, accept);
  const found = JSON.parse(sent[0]);
  const url = (text) => `data:image/png;base64,${btoa(text)}`;
  assert.deepEqual(found[0], { image_files: { "file-AbC": url("one"), file_00ff: url("two") }, ...chats[0] });
  assert.deepEqual(found[1], chats[1]);
  assert.deepEqual(found[2], { image_files: { "file-AbC": url("one") }, ...chats[2] });
});

test("images that would make a request too large are left out, and the others stay", async () => {
  const chat = { parts: [pointer("file-service://file-large"), pointer("file-service://file-small")] };
  const file = zip({ "conversations.json": JSON.stringify([chat]), "file-large.png": "x".repeat(3_000), "file-small.png": "s" });
  const { sent } = await run(file, accept, { maxBytes: 2_000 });
  assert.deepEqual(Object.keys(JSON.parse(sent[0])[0].image_files), ["file-small"]);
});

test("an image that unpacks to more than the zip file says is left out", async () => {
  const seen = [];
  const file = zip({ "conversations.json": JSON.stringify([{ parts: [pointer("file-service://file-bomb")] }]), "file-bomb.png": "\0".repeat(41_000_000) });
  assert.ok(file.size < 100_000);
  const { sent } = await run(file, accept, { encodeImage: async (image) => void seen.push(image.size) });
  assert.deepEqual([JSON.parse(sent[0])[0].image_files, seen], [undefined, []]);
});

test("a cancelled import ends after the request in progress", async () => {
  const titles = JSON.stringify(Array.from({ length: 200 }, (_, n) => `c${n}`));
  const abort = new AbortController();
  const answer = (body, count, signal) => {
    assert.equal(signal, null); // it is not broken off
    if (count === 2) abort.abort();
    return accept(body);
  };
  const { result, sent } = await run(new Blob([titles]), answer, { signal: abort.signal });
  assert.deepEqual([result.imported.length, result.failed, result.stopped, sent.length], [100, [], "cancelled", 2]);
});

test("a cancelled import does not wait for a busy server", async () => {
  for (const file of [new Blob(['["a","b"]']), zip({ "conversations-0.json": '["a"]', "conversations-1.json": '["b"]' }), new Blob(["{}"])]) {
    const abort = new AbortController();
    const busy = () => {
      abort.abort();
      return { status: 429, code: "busy", param: "", retry_ms: 60_000 };
    };
    const { result, sent } = await run(file, busy, { signal: abort.signal });
    assert.deepEqual([result, sent.length], [{ imported: [], failed: [], stopped: "cancelled" }, 1]);
  }
});

test("a cancelled import of one conversation breaks its request off", async () => {
  const abort = new AbortController();
  const { result } = await run(
    new Blob(["{}"]),
    (body, count, signal) => {
      assert.equal(signal, abort.signal);
      abort.abort();
      return { status: 0, code: "", param: "", retry_ms: null };
    },
    { signal: abort.signal },
  );
  assert.equal(result.stopped, "cancelled");
});

test("a list of 200 MB takes bounded memory", async () => {
  const item = JSON.stringify({ mapping: "x".repeat(200_000) });
  const count = 1_000;
  const part = bytes(`${item},`);
  const file = new Blob(["[", ...Array(count - 1).fill(part), item, "]"]);
  assert.ok(file.size > 200_000_000);
  let most = 0;
  const { result } = await run(file, (body) => {
    most = Math.max(most, body.length);
    return { imported: JSON.parse(body).map(() => ({ id: "", title: "", left_out: [] })), failed: [] };
  }).then(({ result }) => ({ result }));
  assert.equal(result.imported.length, count);
  assert.ok(most < 1_000_000);
});

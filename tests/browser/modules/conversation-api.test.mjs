// The client of the conversation endpoints, with a fake `fetch`.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { ConversationApi } from "./static/conversation/api.js";

const BASE = "https://example.org/chat/";

/** The requests that were sent, and the next response. */
let requests;
let respond;

beforeEach(() => {
  requests = [];
  respond = () => json({});
  globalThis.fetch = async (url, init) => {
    init.signal.throwIfAborted();
    requests.push({ url: url.href, ...init });
    return respond(init);
  };
});

const json = (body, { status = 200, headers = {} } = {}) => new Response(JSON.stringify(body), { status, headers });

/** A client, and what its callbacks received. */
function client() {
  const seen = { versions: [], signedOut: 0 };
  const api = new ConversationApi(BASE, (version) => seen.versions.push(version), () => seen.signedOut++);
  return { api, seen };
}

test("an aborted signal rejects the request before it is sent", async () => {
  const { api } = client();
  await assert.rejects(api.list({ signal: AbortSignal.abort() }), { name: "AbortError" });
  await assert.rejects(api.request("GET", "sessions", { signal: AbortSignal.abort() }), { name: "AbortError" });
  assert.equal(requests.length, 0);
});

test("an abort while waiting ends the request", async () => {
  const { api } = client();
  respond = ({ signal }) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  const aborter = new AbortController();
  const page = api.list({ signal: aborter.signal });
  await new Promise((resolve) => setTimeout(resolve));
  assert.equal(requests.length, 1);
  aborter.abort();
  assert.equal(await page, null);
});

test("a list has the search, the cursor and the server's page", async () => {
  const { api } = client();
  respond = () => json({ conversations: [], next: null });
  assert.deepEqual(await api.list({ search: "tide", after: "x" }), { conversations: [], next: null });
  assert.equal(requests[0].url, `${BASE}conversations?search=tide&after=x`);
  respond = () => json({ other: 1 });
  assert.equal(await api.list({}), null);
});

test("a conversation that does not exist is missing, and one that cannot be loaded is null", async () => {
  const { api } = client();
  respond = () => json({ error: { code: "conversation_not_found" } }, { status: 404 });
  assert.equal(await api.load("a"), "missing");
  respond = () => json({}, { status: 503 });
  assert.equal(await api.load("a"), null);
  respond = () => Promise.reject(new TypeError("no network"));
  assert.equal(await api.load("a"), null);
});

test("a prefetched response is used once", async () => {
  const { api } = client();
  const stored = { id: "a", leaf: null, messages: [] };
  api.prefetched = Promise.resolve(json(stored));
  assert.deepEqual(await api.load("a"), stored);
  assert.equal(requests.length, 0);
  await api.load("a");
  assert.equal(requests.length, 1);
});

test("every response reports the page's version", async () => {
  const { api, seen } = client();
  respond = () => json({}, { headers: { "Freshet-Page": "abc" } });
  await api.checkVersion();
  assert.deepEqual(seen.versions, ["abc"]);
});

test("401 signs out unless the browser refuses cookies", async () => {
  const { api, seen } = client();
  respond = () => json({ error: { code: "no_owner" } }, { status: 401 });
  await api.load("a");
  assert.equal(seen.signedOut, 0);
  respond = () => json({ error: { code: "not_signed_in" } }, { status: 401 });
  await api.load("a");
  assert.equal(seen.signedOut, 1);
});

test("a deletion of what is deleted already succeeds", async () => {
  const { api } = client();
  respond = () => json({}, { status: 404 });
  assert.equal(await api.remove("a"), true);
});

test("an import returns the new id or the server's error", async () => {
  const { api } = client();
  respond = () => json({ id: "new" }, { status: 201 });
  assert.deepEqual(await api.importFile(new Blob(["{}"])), { id: "new" });
  respond = () => json({ error: { code: "too_large", param: "messages" } }, { status: 413 });
  assert.deepEqual(await api.importFile(new Blob(["{}"])), { status: 413, code: "too_large", param: "messages", retry_ms: null });
  respond = () => json({ error: { code: "busy", param: "body" } }, { status: 429, headers: { "Retry-After": "7" } });
  assert.equal((await api.importFile(new Blob(["[]"]))).retry_ms, 7_000);
  const report = { imported: [], failed: [{ index: 0, title: "", code: "bad_import", param: "x" }] };
  respond = () => json({ error: { code: "bad_import", param: "[0].x" }, ...report }, { status: 400 });
  assert.deepEqual(await api.importFile(new Blob(["[]"])), report);
  respond = () => Promise.reject(new TypeError("no network"));
  assert.deepEqual(await api.importFile(new Blob(["{}"])), { status: 0, code: "", param: "", retry_ms: null });
});

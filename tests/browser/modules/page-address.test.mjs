// The addresses that the page reads: the version in a file's, the conversation in its own.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { conversationInUrl, setUrl, urlOf } from "./static/page/address.js";
import { versionInUrl } from "./static/page/install.js";

const ID = "AAAAAAAAAAAAAAAAAAAAAA";
const entries = [];

beforeEach(() => {
  entries.length = 0;
  globalThis.location = { href: "https://example.org/chat/" };
  globalThis.history = {
    pushState: (_state, _title, url) => entries.push(["push", url]),
    replaceState: (_state, _title, url) => entries.push(["replace", url]),
  };
});

for (const [name, path, version] of [
  ["a module", "/static/0123abcd/page/install.js", "0123abcd"],
  ["a bundle", "/static/0123abcd/page.js", "0123abcd"],
  ["a joined bundle", "/static/0123abcd/joined/page/install.js", "0123abcd"],
  ["a module of a page under a path", "/chat/static/0123abcd/page/install.js?x=1", "0123abcd"],
  ["another file", "/page/install.js", ""],
]) {
  test(`the version in the address of ${name} is ${JSON.stringify(version)}`, () => {
    assert.equal(versionInUrl(`https://example.org${path}`), version);
  });
}

test("an address without a valid id has no conversation", () => {
  for (const query of ["", "?c=", "?c=short", `?d=${ID}`]) {
    location.href = `https://example.org/chat/${query}`;
    assert.equal(conversationInUrl(), "");
  }
  location.href = `https://example.org/chat/?c=${ID}`;
  assert.equal(conversationInUrl(), ID);
});

test("the address of a conversation replaces query and hash", () => {
  location.href = "https://example.org/chat/?x=1#y";
  assert.equal(urlOf(ID), `https://example.org/chat/?c=${ID}`);
  assert.equal(urlOf(""), "https://example.org/chat/");
});

test("setting the address adds a history entry, replaces it, or does nothing", () => {
  setUrl(ID, true);
  setUrl(ID, false);
  setUrl("", true);
  assert.deepEqual(entries, [["push", urlOf(ID)], ["replace", urlOf(ID)]]);
});

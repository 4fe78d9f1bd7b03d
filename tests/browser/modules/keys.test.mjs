// What a key means to the page, and where it means nothing.
import assert from "node:assert/strict";
import { test } from "node:test";
import { KEYS, deedOf } from "./static/settings/keys.js";

const press = (key, more = {}) => deedOf({ key, code: `Key${key.toUpperCase()}`, ctrl: false, alt: false, isWriting: false, ...more });

test("each key of the list does what the list says", () => {
  for (const [deed, key] of Object.entries(KEYS)) assert.equal(press(key), deed);
  assert.equal(new Set(Object.values(KEYS)).size, Object.keys(KEYS).length);
});

test("capital letters mean the same", () => assert.equal(press("N"), "fresh"));

test("nothing while somebody writes, but the list can be asked for", () => {
  for (const key of Object.values(KEYS)) assert.equal(press(key, { isWriting: true }), null);
  assert.equal(press("/", { ctrl: true, isWriting: true }), "list");
});

test("what belongs to the browser stays with it", () => {
  for (const key of Object.values(KEYS)) {
    assert.equal(press(key, { ctrl: true }), null);
    assert.equal(press(key, { alt: true }), null);
  }
  for (const key of ["/", "'", " ", "Enter", "Tab", "ArrowUp", "F1", "Escape", "Dead", "Process"]) assert.equal(press(key, { code: key }), null, key);
});

test("where letters are others the key in the same place is meant", () => {
  assert.equal(press("ى", { code: "KeyN" }), "fresh");
  assert.equal(press("о", { code: "KeyJ" }), "after");
  assert.equal(press("؟", { code: "Slash" }), "list");
  assert.equal(press("ظ", { code: "Slash", ctrl: true }), "list");
  assert.equal(press("ß", { code: "Minus" }), null);
});

test("the letter that a keyboard shows counts, not its place", () => assert.equal(press("s", { code: "KeyO" }), "search"));

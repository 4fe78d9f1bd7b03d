// Keyboard shortcuts: the action of each key, and where keys have none.
import assert from "node:assert/strict";
import { test } from "node:test";
import { KEYS, actionForKey } from "./static/settings/keys.js";

const press = (key, more = {}) => actionForKey({ key, code: `Key${key.toUpperCase()}`, ctrl: false, alt: false, isWriting: false, ...more });

test("each key has the action that is listed, and no other action's key", () => {
  for (const [action, key] of Object.entries(KEYS)) assert.equal(press(key), action);
  assert.equal(new Set(Object.values(KEYS)).size, Object.keys(KEYS).length);
});

test("capital letters have the same action", () => assert.equal(press("N"), "fresh"));

test("in a text field only Ctrl+/ has an action", () => {
  for (const key of Object.values(KEYS)) assert.equal(press(key, { isWriting: true }), null);
  assert.equal(press("/", { ctrl: true, isWriting: true }), "list");
});

test("keys that browsers use have no action", () => {
  for (const key of Object.values(KEYS)) {
    assert.equal(press(key, { ctrl: true }), null);
    assert.equal(press(key, { alt: true }), null);
  }
  for (const key of ["/", "'", " ", "Enter", "Tab", "ArrowUp", "F1", "Escape", "Dead", "Process"]) assert.equal(press(key, { code: key }), null, key);
});

test("keyboards without Latin letters go by the position of the key", () => {
  assert.equal(press("ى", { code: "KeyN" }), "fresh");
  assert.equal(press("о", { code: "KeyJ" }), "after");
  assert.equal(press("؟", { code: "Slash" }), "list");
  assert.equal(press("ظ", { code: "Slash", ctrl: true }), "list");
  assert.equal(press("ß", { code: "Minus" }), null);
});

test("Latin keyboards go by the letter, not by its position", () => assert.equal(press("s", { code: "KeyO" }), "search"));

/** Every language says the same things: the same keys, the same arguments, nothing left in English. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { accountWords } from "./static/strings/account.js";
import { refusalWords } from "./static/strings/failures.js";
import { ar } from "./static/strings/ar.js";
import { de } from "./static/strings/de.js";
import { en } from "./static/strings/en.js";
import { es } from "./static/strings/es.js";
import { fr } from "./static/strings/fr.js";
import { language, speak, words } from "./static/strings/words.js";
import { zh } from "./static/strings/zh.js";
import { formatCost, formatCount } from "./static/strings/format.js";

/** Words that are the same in another language on purpose. */
const SHARED = new Set(["Freshet", "Code", "Ctrl", "Shift", "Enter", "Esc", "Message", "Code, {0}, undefined.", "Code, {0}.", "Image {0}", "Sources", "Source {0}", "Conversation", "Tokens/s", "{0} tokens/s", "≈ {0}", "{0} minutes"]);

/** @param {any} value @param {string} path @returns {[string, string][]} */
function leaves(value, path = "") {
  if (typeof value === "string") return [[path, value]];
  if (typeof value === "function") return [[path, value("{0}")]];
  return Object.entries(value).flatMap(([key, inner]) => leaves(inner, `${path}.${key}`));
}

const PARTS = [
  ["the page", { en, ar, de, es, fr, zh }],
  ["the account", accountWords],
  ["refusals", refusalWords],
];

for (const [name, tag] of PARTS.flatMap(([name]) => ["ar", "de", "es", "fr", "zh"].map((tag) => [name, tag]))) {
  test(`${tag} says of ${name} what English says`, () => {
    const all = new Map(PARTS).get(name);
    const theirs = new Map(leaves(all[tag]));
    const ours = leaves(all.en);
    assert.deepEqual([...theirs.keys()].sort(), ours.map(([path]) => path).sort());
    for (const [path, text] of ours) {
      const said = theirs.get(path) ?? "";
      assert.ok(said.trim() !== "", path);
      assert.equal(said.includes("{0}"), text.includes("{0}"), `${path} uses what it is given`);
      assert.ok(said !== text || SHARED.has(text), `${path} is still English: ${text}`);
    }
  });
}

test("the pages of the server say the same in each language", () => {
  const gate = JSON.parse(readFileSync(new URL("./static/strings/gate.json", import.meta.url), "utf8"));
  const keys = Object.keys(gate.en).sort();
  for (const tag of ["ar", "de", "es", "fr", "zh"]) {
    assert.deepEqual(Object.keys(gate[tag]).sort(), keys, tag);
    for (const key of keys) assert.equal(gate[tag][key].includes("{seconds}"), gate.en[key].includes("{seconds}"), `${tag} ${key}`);
  }
});

test("a language is spoken from then on, an unknown one is not", async () => {
  await speak("tlh");
  assert.equal(words, en);
  await speak("de");
  assert.equal(words, de);
  assert.equal(language, "de");
  assert.equal(formatCount(1204), "1.204");
  assert.match(formatCost("0.0036") ?? "", /^0,0036\s\$$/u);
});

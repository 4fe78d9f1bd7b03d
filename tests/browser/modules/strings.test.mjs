/** Every language has the same keys and arguments as English, and nothing is left untranslated. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { accountWords } from "./static/strings/account.js";
import { documentWords } from "./static/strings/documents.js";
import { refusalWords } from "./static/strings/failures.js";
import { importWords } from "./static/strings/imports.js";
import { ar } from "./static/strings/ar.js";
import { de } from "./static/strings/de.js";
import { en } from "./static/strings/en.js";
import { es } from "./static/strings/es.js";
import { fr } from "./static/strings/fr.js";
import { language, setLanguage, words } from "./static/strings/words.js";
import { zh } from "./static/strings/zh.js";
import { formatCost, formatCount } from "./static/strings/format.js";
import { estimateTokens } from "./static/strings/tokens.js";

/** Texts that are the same in another language on purpose. */
const SHARED = new Set(["Freshet", "Code", "Ctrl", "Shift", "Enter", "Esc", "Message", "Code, {0}, undefined.", "Code, {0}.", "Image {0}", "Sources", "Source {0}", "Documents", "{0} pages", "{0} documents", "Conversation", "Instructions", "System", "Chats", "Chat {0}", "Image", "Tokens/s", "{0} tokens/s", "Offline", "≈ {0}", "{0} minutes"]);

/** @param {any} value @param {string} path @returns {[string, string][]} */
function leaves(value, path = "") {
  if (typeof value === "string") return [[path, value]];
  if (typeof value === "function") return [[path, value("{0}")]];
  return Object.entries(value).flatMap(([key, inner]) => leaves(inner, `${path}.${key}`));
}

const PARTS = [
  ["the page", { en, ar, de, es, fr, zh }],
  ["the account", accountWords],
  ["documents", documentWords],
  ["refusals", refusalWords],
  ["the report of an import", importWords],
];

for (const [name, tag] of PARTS.flatMap(([name]) => ["ar", "de", "es", "fr", "zh"].map((tag) => [name, tag]))) {
  test(`${tag} translates ${name}`, () => {
    const all = new Map(PARTS).get(name);
    const theirs = new Map(leaves(all[tag]));
    const ours = leaves(all.en);
    assert.deepEqual([...theirs.keys()].sort(), ours.map(([path]) => path).sort());
    for (const [path, text] of ours) {
      const translation = theirs.get(path) ?? "";
      assert.ok(translation.trim() !== "", path);
      assert.equal(translation.includes("{0}"), text.includes("{0}"), `${path} uses its argument`);
      assert.ok(translation !== text || SHARED.has(text), `${path} is still English: ${text}`);
    }
  });
}

test("the server's pages have the same keys in each language", () => {
  const gate = JSON.parse(readFileSync(new URL("./static/strings/status-pages.json", import.meta.url), "utf8"));
  const keys = Object.keys(gate.en).sort();
  for (const tag of ["ar", "de", "es", "fr", "zh"]) {
    assert.deepEqual(Object.keys(gate[tag]).sort(), keys, tag);
    for (const key of keys) assert.equal(gate[tag][key].includes("{seconds}"), gate.en[key].includes("{seconds}"), `${tag} ${key}`);
  }
});

test("setLanguage switches to a known language and ignores an unknown one", async () => {
  await setLanguage("tlh");
  assert.equal(words, en);
  await setLanguage("de");
  assert.equal(words, de);
  assert.equal(language, "de");
  assert.equal(formatCount(1204), "1.204");
  assert.match(formatCost("0.0036") ?? "", /^0,0036\s\$$/u);
});

test("n30: an estimate of tokens is within a quarter of a tokenizer's count", () => {
  const { samples } = JSON.parse(readFileSync("token-samples.json", "utf8"));
  for (const { name, text, tokens } of samples) {
    const part = estimateTokens(text) / tokens;
    assert.ok(part >= 0.75 && part <= 1.25, `${name}: ${part.toFixed(2)} of ${tokens}`);
  }
  assert.equal(estimateTokens(""), 0);
});

// However a text is cut, the tree at every prefix is the same, and in the end it is the whole text's.
import assert from "node:assert/strict";
import { test } from "node:test";
import spec from "commonmark-spec";
import { Generator } from "./generate.mjs";
import { parse } from "./static/markdown/index.js";
import { Stream } from "./static/markdown/stream.js";

const SEED = Number(process.env.MARKDOWN_SEED ?? 1);
const CASES = Number(process.env.MARKDOWN_STREAMS ?? 1500);

const shown = (stream) => JSON.stringify(stream.root);

function written(text) {
  const stream = new Stream();
  stream.write(text);
  return stream;
}

/** What is settled stays a node of its own: texts beside each other are one text all the same. */
function joined(node) {
  if (!node.children) return node;
  const children = [];
  for (const child of node.children.map(joined)) {
    const last = children.at(-1);
    if (child.type === "text" && last?.type === "text") children[children.length - 1] = { type: "text", value: last.value + child.value };
    else children.push(child);
  }
  return { ...node, children };
}

/** The law of prefixes, and the end. */
function hold(text) {
  const stream = new Stream();
  for (let at = 0; at < text.length; at++) {
    stream.write(text[at]);
    assert.equal(shown(stream), shown(written(text.slice(0, at + 1))), `at ${at + 1} of ${JSON.stringify(text)}`);
  }
  stream.end();
  assert.deepEqual(joined(stream.root), parse(text), JSON.stringify(text));
}

test("every example of the specification", () => {
  for (const { markdown } of spec.tests) hold(markdown.replaceAll("→", "\t"));
});

test(`${CASES} texts of seed ${SEED}`, () => {
  const generator = new Generator(SEED, { isMath: true });
  for (let index = 0; index < CASES; index++) hold(generator.text());
});

test("long texts, cut at random", () => {
  const generator = new Generator(SEED + 1, { isMath: true });
  for (let index = 0; index < 40; index++) {
    const glue = index % 2 ? " " : "\n\n";
    const text = Array.from({ length: 120 }, () => (index % 2 ? generator.inline() : generator.text())).join(glue);
    const [one, other] = [new Stream(), new Stream()];
    let at = 0;
    while (at < text.length) {
      const to = Math.min(text.length, at + 1 + Math.floor(generator.random() ** 3 * 3000));
      one.write(text.slice(at, to));
      for (let from = at; from < to; from += 7) other.write(text.slice(from, Math.min(to, from + 7)));
      assert.equal(shown(one), shown(other), `text ${index} at ${to}`);
      at = to;
    }
    one.end();
    assert.deepEqual(joined(one.root), parse(text), `text ${index}`);
  }
});

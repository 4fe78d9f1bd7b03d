// However a text is cut, the tree at every prefix is the same, and at the end it is that of the complete text.
import assert from "node:assert/strict";
import { test } from "node:test";
import spec from "commonmark-spec";
import { Generator } from "./generate.mjs";
import { parse } from "./static/markdown/index.js";
import { MarkdownStream } from "./static/markdown/stream.js";

const SEED = Number(process.env.MARKDOWN_SEED ?? 1);
const CASES = Number(process.env.MARKDOWN_STREAMS ?? 1500);

const serialized = (stream) => JSON.stringify(stream.root);

function streamOf(text, options) {
  const stream = new MarkdownStream(options);
  stream.write(text);
  return stream;
}

/** Merge adjacent texts: the text of the stable prefix is a node of its own. */
function merged(node) {
  if (!node.children) return node;
  const children = [];
  for (const child of node.children.map(merged)) {
    const last = children.at(-1);
    if (child.type === "text" && last?.type === "text") children[children.length - 1] = { type: "text", value: last.value + child.value };
    else children.push(child);
  }
  return { ...node, children };
}

/** Check the tree at every prefix and at the end. */
function check(text, options) {
  const stream = new MarkdownStream(options);
  for (let at = 0; at < text.length; at++) {
    stream.write(text[at]);
    assert.equal(serialized(stream), serialized(streamOf(text.slice(0, at + 1), options)), `at ${at + 1} of ${JSON.stringify(text)}`);
  }
  stream.end();
  assert.deepEqual(merged(stream.root), parse(text, options), JSON.stringify(text));
}

for (const isChat of [false, true]) {
  const name = isChat ? ", with the extensions for chats" : "";
  const generatorOf = (seed) => new Generator(seed, { isMath: true, isChat });

  test(`the examples of the specification${name}`, () => {
    for (const { markdown } of spec.tests) check(markdown.replaceAll("→", "\t"), { isChat });
  });

  test(`${CASES} generated texts of seed ${SEED}${name}`, () => {
    const generator = generatorOf(SEED);
    for (let index = 0; index < CASES; index++) check(generator.text(), { isChat });
  });

  test(`long texts cut at random positions${name}`, () => {
    const generator = generatorOf(SEED + 1);
    for (let index = 0; index < 40; index++) {
      const glue = index % 2 ? " " : "\n\n";
      const text = Array.from({ length: 120 }, () => (index % 2 ? generator.inline() : generator.text())).join(glue);
      const [one, other] = [new MarkdownStream({ isChat }), new MarkdownStream({ isChat })];
      let at = 0;
      while (at < text.length) {
        const to = Math.min(text.length, at + 1 + Math.floor(generator.random() ** 3 * 3000));
        one.write(text.slice(at, to));
        for (let from = at; from < to; from += 7) other.write(text.slice(from, Math.min(to, from + 7)));
        assert.equal(serialized(one), serialized(other), `text ${index} at ${to}`);
        at = to;
      }
      one.end();
      assert.deepEqual(merged(one.root), parse(text, { isChat }), `text ${index}`);
    }
  });
}

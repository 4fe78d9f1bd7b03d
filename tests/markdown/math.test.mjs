// Formulas take precedence over Markdown; a single dollar is a dollar sign.
import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "./static/markdown/index.js";
import { MarkdownStream } from "./static/markdown/stream.js";

/** Return the formulas of a tree as TeX: display formulas after `=`, blocks after `#`, open ones before `…`. */
function formulas(node) {
  if (node.type === "math") return [`#${node.value}`];
  if (node.type === "inlineMath") return [`${node.display ? "=" : ""}${node.value}${node.isOpen ? "…" : ""}`];
  return (node.children ?? []).flatMap(formulas);
}

const CASES = [
  ["$5 and $6", []],
  ["it costs $$$ there, and $$$ here", []],
  ["\\(a_1*b*c_2\\)", ["a_1*b*c_2"]],
  ["so \\(x\\) and \\(y\\)", ["x", "y"]],
  ["\\[ x = 1 \\]", ["=x = 1"]],
  ["where $$x^2$$ is", ["=x^2"]],
  ["`\\(x\\)` is code", []],
  ["\\\\(x\\)", []],
  ["\\(a \\\\) b\\)", ["a \\\\) b"]],
  ["\\(\\) and \\(+\\)", []],
  ["\\(never closed", []],
  ["[a](b \\(c\\) d", ["c"]],
  ["**bold \\(x**2\\) still**", ["x**2"]],
  ["$$\nx\n$$", ["#x"]],
  ["$$\nx\n\ny\n$$\nafter", ["#x\n\ny"]],
  ["\\[\n- b\n= c\n\\]", ["#- b\n= c"]],
  ["$$\na\\end{b}$$\nafter $$c$$", ["#a\\end{b}", "=c"]],
  ["So:\n$$\nx\n$$\nand on", ["#x"]],
  ["- item\n\n  \\[\n  x\n  \\]\n\n- other", ["#x"]],
  ["> $$\n> x\n> $$\nlazy", ["#x"]],
  ["$$\nnever closed", ["#never closed"]],
  ["| a |\n|---|\n| \\(x \\| y\\) |", ["x | y"]],
];

for (const [text, expected] of CASES) {
  test(JSON.stringify(text), () => {
    assert.deepEqual(formulas(parse(text)), expected);
    const stream = new MarkdownStream();
    for (const char of text) stream.write(char);
    stream.end();
    assert.deepEqual(formulas(stream.root), expected);
  });
}

const OPEN = [
  ["so \\(x^", ["x^…"]],
  ["so \\(x^2\\", ["x^2…"]],
  ["so \\(x^2\\)", ["x^2"]],
  ["where $$x", ["=x…"]],
  ["where $$x$", ["=x…"]],
  ["where $", []],
  ["$$", []],
  ["$$\nx\n$", ["#x"]],
  ["\\[\nx\n\\", ["#x"]],
];

for (const [text, expected] of OPEN) {
  test(`${JSON.stringify(text)} while the text is incomplete`, () => {
    const stream = new MarkdownStream();
    stream.write(text);
    assert.deepEqual(formulas(stream.root), expected);
    assert.doesNotMatch(JSON.stringify(stream.root), /"value":"[^"]*(?:\$|\\\\[([])/);
  });
}

// The tree of an incomplete text shows open constructs as if they were closed, and nothing that is undecided.
import assert from "node:assert/strict";
import { test } from "node:test";
import { MarkdownStream } from "./static/markdown/stream.js";

/** Return a node in short form: its type, then its text or its children. */
function short({ type, value, children }) {
  return children ? [type, ...children.map(short)] : type === "text" ? value : [type, value];
}

function treeOf(text) {
  const stream = new MarkdownStream();
  stream.write(text);
  return stream.root.children.map(short);
}

const UNDECIDED = ["-", "- ", "*", "* *", "+", "#", "## ", "1", "12", "1.", "1. ", ">", "> ", "> -", "|", "=", "`", "```", "```js", "~~~", "<", "<b", "<!-", "    ", "[", "[a", "[a]", "[a]:", "[a]: /b", "[a]: /b 't", "[^a", "[^a]", "- [", "- [ ]"];

for (const line of UNDECIDED) {
  test(`nothing is shown of the undecided line ${JSON.stringify(line)}`, () => {
    const text = JSON.stringify(treeOf(line));
    assert.doesNotMatch(text, /[-*+#>|=`~<\d]|\[ ?\]:/, text);
    // A definition cannot interrupt a paragraph: there it is text.
    if (!/^\[a/.test(line)) assert.deepEqual(treeOf(`word\n${line}`)[0], ["paragraph", "word"]);
  });
}

const OPEN = [
  ["**bo", [["paragraph", ["strong", "bo"]]]],
  ["**bold*", [["paragraph", ["strong", "bold"]]]],
  ["a *b **c", [["paragraph", "a ", ["emphasis", "b ", ["strong", "c"]]]]],
  ["~~gone", [["paragraph", ["delete", "gone"]]]],
  ["about ~100 or", [["paragraph", "about ~100 or"]]],
  ["run `make", [["paragraph", "run ", ["inlineCode", "make"]]]],
  ["``a` b", [["paragraph", ["inlineCode", "a` b"]]]],
  ["see [the pa", [["paragraph", "see ", ["link", "the pa"]]]],
  ["see [it]", [["paragraph", "see ", ["link", "it"]]]],
  ["see [it](htt", [["paragraph", "see ", ["link", "it"]]]],
  ["see [it](/a 'b", [["paragraph", "see ", ["link", "it"]]]],
  ["x[1] = 2", [["paragraph", "x", ["pendingLink", "[1]"], " = 2"]]],
  ["a <span cl", [["paragraph", "a"]]],
  ["a < b", [["paragraph", "a < b"]]],
  ["R&am", [["paragraph", "R"]]],
  ["a\\", [["paragraph", "a"]]],
  ["```js\nlet a", [["code", "let a"]]],
  ["```js\nlet a\n``", [["code", "let a"]]],
  ["# Hea", [["heading", "Hea"]]],
  ["- [x] do", [["list", ["listItem", ["paragraph", "do"]]]]],
  ["| a | *b", [["table", ["tableRow", ["tableCell", "a"], ["tableCell", ["emphasis", "b"]]]]]],
  ["| a | b |\n|--", [["table", ["tableRow", ["tableCell", "a"], ["tableCell", "b"]]]]],
  ["| a | b |\nc", [["paragraph", "| a | b |\nc"]]],
  ["a | b\n-|", [["paragraph", "a | b"]]],
  ["a | b\n-|-\nc", [["table", ["tableRow", ["tableCell", "a"], ["tableCell", "b"]], ["tableRow", ["tableCell", "c"]]]]],
  ["Here is what to do:\n-", [["paragraph", "Here is what to do:"]]],
  ["Here is what to do:\n- a", [["paragraph", "Here is what to do:"], ["list", ["listItem", ["paragraph", "a"]]]]],
  ["a [b]\n\n[b]: /c", [["paragraph", "a ", ["pendingLink", "[b]"]]]],
  ["a [b]\n\n[b]: /c\n\n", [["paragraph", "a ", ["linkReference", "b"]], ["definition", null]]],
];

for (const [text, expected] of OPEN) {
  test(`${JSON.stringify(text)} is shown as if it were closed`, () => {
    assert.deepEqual(JSON.parse(JSON.stringify(treeOf(text))), expected);
  });
}

test("the stable prefix is never parsed again", () => {
  const stream = new MarkdownStream();
  const words = "Some *words* and `code` of one long paragraph. ";
  stream.write(words.repeat(100));
  const before = stream.root.children[0].children.slice(0, 150);
  for (let index = 0; index < 50; index++) stream.write(words);
  const after = stream.root.children[0].children;
  assert.ok(after.length > 250);
  before.forEach((node, index) => assert.equal(after[index], node));
});

test("a leaf is parsed again for the first labels defined after it, and at the end for the rest", () => {
  const stream = new MarkdownStream();
  stream.write("[a] [b] [c] [d] [e]\n\n");
  const links = () => stream.root.children[0].children.filter(({ type }) => type === "linkReference").length;
  const counts = ["a", "b", "c", "d", "e"].map((name) => {
    stream.write(`[${name}]: /x\n\n`);
    return links();
  });
  assert.deepEqual(counts, [1, 2, 3, 3, 3]);
  assert.equal(stream.reparsed.size, 1);
  stream.end();
  assert.equal(links(), 5);
});

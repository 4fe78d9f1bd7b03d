// In the page: compares the DOM at every prefix of a text with that of the prefix rendered at once.
import { parse } from "/static/markdown/index.js";
import { stream } from "/static/render/index.js";
import { draw } from "/static/render/draw.js";

const OPTIONS = {
  id: "m",
  isPlain: true,
  sources: [{ n: 1, title: "One", source: "https://a.example/" }],
  origins: ["https://images.example"],
  clock: { after: () => 0, cancel: () => {} },
};

export function begin() {
  const root = document.createElement("div");
  return { root, ...stream(root, OPTIONS) };
}

export function rendered(text) {
  const view = begin();
  view.write(text);
  return view;
}

export function drawnAtOnce(text) {
  const root = document.createElement("div");
  draw(root, parse(text, { isChat: true }), OPTIONS);
  root.normalize();
  return root;
}

/** Return the first position at which the DOM differs; null if there is none. */
export function mismatch(text, step = 1) {
  const view = begin();
  for (let at = 0; at < text.length; at += step) {
    view.write(text.slice(at, at + step));
    const other = rendered(text.slice(0, at + step)).root;
    if (!view.root.isEqualNode(other)) return { text, at: at + step, one: view.root.innerHTML, other: other.innerHTML };
  }
  view.end();
  view.root.normalize();
  const whole = drawnAtOnce(text);
  return view.root.isEqualNode(whole) ? null : { text, at: "end", one: view.root.innerHTML, other: whole.innerHTML };
}

/** Return the first few mismatches among texts. */
export function mismatches(texts, step = 1) {
  const found = [];
  for (const text of texts) {
    const wrong = mismatch(text, step);
    if (wrong) found.push(wrong);
    if (found.length > 2) break;
  }
  return found;
}

export async function generated(seed, count) {
  const { Generator } = await import("/tests/markdown/generate.mjs");
  const generator = new Generator(seed, { isMath: true, isChat: true });
  return mismatches(Array.from({ length: count }, () => generator.text()));
}

export async function long(seed, count) {
  const { Generator } = await import("/tests/markdown/generate.mjs");
  const generator = new Generator(seed, { isMath: true, isChat: true });
  const text = (index) => Array.from({ length: 120 }, () => (index % 2 ? generator.inline() : generator.text())).join(index % 2 ? " " : "\n\n");
  const words = "Some *words* and `code` of one paragraph that goes on, with [a link](https://a.example) and <b>a tag</b>. ".repeat(90);
  const row = "| a **b** | `c` |\n";
  const table = `| one | two |\n|---|---|\n${row.repeat(100)}`;
  return mismatches([words, table, ...Array.from({ length: count }, (_, index) => text(index))], 97);
}

/** Compare a stream with one that lacks a piece: the check must notice. */
export function broken() {
  const [one, other] = [begin(), begin()];
  one.write("*a* b");
  other.write("*a* ");
  return one.root.isEqualNode(other.root) ? [] : ["noticed"];
}

const BAD = {
  "lone surrogates": "\ud83d\ude00 *\ud800* \udc00 `\ud83d` [\ud83d](https://a.example/\ud83d) \ud83d\n\n- \ude00",
  controls: "a\u0000b \u0007 \u202eright\u202c *\u2066left\u2069* \u0085 \ufeff\u200b\r\nc\rd",
  "an endless fence": `\`\`\`js\n${"let a = 1;\n".repeat(2000)}`,
  "an endless line": "a".repeat(50_000),
};

export function bad(name) {
  const text = BAD[name];
  return mismatch(text, text.length > 1000 ? 997 : 1);
}

/** Return the HTML of a text that has not ended. */
export const shown = (text) => rendered(text).root.innerHTML;

/** Render a text with many links whose labels are never defined; return how many are left, at its end and once it is as drawn at once. */
export async function undefinedLinks(count) {
  const text = "[a]\n\n".repeat(count);
  const { root, end } = rendered(text);
  const left = () => root.querySelectorAll("a").length;
  const lefts = [left()];
  end();
  lefts.push(left());
  while (left() > 0) await new Promise((resolve) => setTimeout(resolve));
  root.normalize();
  return [...lefts, root.textContent === drawnAtOnce(text).textContent];
}

const CORPUS = `# Title

Some *words* of a first paragraph, with \`code\` and [a link](https://a.example/b).

- one
- two
  - three

| a | b |
|---|---|
| 1 | 2 |

\`\`\`js
let a = 1;
\`\`\`

1. first

   and more

> quoted **text**

The end of it.
`;

/** Return the blocks that were replaced or moved although other blocks followed them. */
export function touched() {
  const view = begin();
  const wrong = [];
  let before = [];
  for (const character of CORPUS.repeat(3)) {
    view.write(character);
    const now = [...view.root.querySelectorAll(".blocks > :not(.blocks)")];
    before.slice(0, -1).forEach((element, index) => element !== now[index] && wrong.push(element.outerHTML));
    before = now;
  }
  return wrong;
}

/** Return the nesting depth of the elements of pathological texts. */
export function depths() {
  const texts = {
    quotes: `${"> ".repeat(1000)}a`,
    lists: `${"- ".repeat(1000)}a`,
    emphasis: `${"*a ".repeat(1000)}b${" a*".repeat(1000)}`,
    links: `${"![".repeat(1000)}a${"](b)".repeat(1000)}`,
    tags: `${"<b>".repeat(1000)}a${"</b>".repeat(1000)}`,
    "open tags": `a ${"<i>".repeat(1000)}`,
    details: `${"<details>\n".repeat(1000)}`,
    "details apart": `${"<details>\n\n".repeat(1000)}`,
    mixed: `${"> - *a **b ".repeat(300)}`,
  };
  const depthOf = (element) => 1 + Math.max(0, ...[...element.children].map(depthOf));
  return Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, depthOf(rendered(text).root)]));
}

/** Return the HTML of a text's first paragraph. */
export function firstParagraph(text) {
  return drawnAtOnce(text).querySelector("p").innerHTML;
}

/** Return the HTML of a text's blocks. */
export function blocks(text) {
  return [...drawnAtOnce(text).querySelectorAll(".blocks > :not(.blocks)")].map((block) => block.outerHTML).join("");
}

/** Return the HTML of a text's first paragraph, with `data-src` for `src`: this page may not load images. */
export function withoutLoading(text) {
  const { setAttribute } = HTMLImageElement.prototype;
  HTMLImageElement.prototype.setAttribute = function (name, value) {
    setAttribute.call(this, name === "src" ? "data-src" : name, value);
  };
  try {
    return firstParagraph(text);
  } finally {
    delete HTMLImageElement.prototype.setAttribute;
  }
}

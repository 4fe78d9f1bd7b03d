// In the page: the law of prefixes on the DOM, and the end.
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

export function fresh(text) {
  const view = begin();
  view.write(text);
  return view;
}

export function drawn(text) {
  const root = document.createElement("div");
  draw(root, parse(text), OPTIONS);
  root.normalize();
  return root;
}

/** Say where the law is broken; null where it holds. */
export function breach(text, step = 1) {
  const view = begin();
  for (let at = 0; at < text.length; at += step) {
    view.write(text.slice(at, at + step));
    const other = fresh(text.slice(0, at + step)).root;
    if (!view.root.isEqualNode(other)) return { text, at: at + step, one: view.root.innerHTML, other: other.innerHTML };
  }
  view.end();
  view.root.normalize();
  const whole = drawn(text);
  return view.root.isEqualNode(whole) ? null : { text, at: "end", one: view.root.innerHTML, other: whole.innerHTML };
}

/** The first few breaches among texts. */
export function breaches(texts, step = 1) {
  const found = [];
  for (const text of texts) {
    const wrong = breach(text, step);
    if (wrong) found.push(wrong);
    if (found.length > 2) break;
  }
  return found;
}

export async function generated(seed, count) {
  const { Generator } = await import("/tests/markdown/generate.mjs");
  const generator = new Generator(seed, { isMath: true });
  return breaches(Array.from({ length: count }, () => generator.text()));
}

export async function long(seed, count) {
  const { Generator } = await import("/tests/markdown/generate.mjs");
  const generator = new Generator(seed, { isMath: true });
  const text = (index) => Array.from({ length: 120 }, () => (index % 2 ? generator.inline() : generator.text())).join(index % 2 ? " " : "\n\n");
  const words = "Some *words* and `code` of one paragraph that goes on, with [a link](https://a.example) and <b>a tag</b>. ".repeat(90);
  const row = "| a **b** | `c` |\n";
  const table = `| one | two |\n|---|---|\n${row.repeat(100)}`;
  return breaches([words, table, ...Array.from({ length: count }, (_, index) => text(index))], 97);
}

/** A stream that forgets a piece: the law must notice. */
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
  return breach(text, text.length > 1000 ? 997 : 1);
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

/** Elements that were replaced or moved although something stood behind them. */
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

/** How deep the elements of hostile texts stand within each other. */
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
  return Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, depthOf(fresh(text).root)]));
}

/** What a text's first paragraph holds. */
export function firstParagraph(text) {
  return drawn(text).querySelector("p").innerHTML;
}

/** A text's blocks. */
export function blocks(text) {
  return [...drawn(text).querySelectorAll(".blocks > :not(.blocks)")].map((block) => block.outerHTML).join("");
}

/** What a text's first paragraph holds; its images, of which this page may load none, keep their address elsewhere. */
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

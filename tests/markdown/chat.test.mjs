// N29: what chats show otherwise than CommonMark, by the parser's option `isChat`; of CommonMark's examples the same as without it,
// except those listed here.
import assert from "node:assert/strict";
import { test } from "node:test";
import spec from "commonmark-spec";
import { parse } from "./static/markdown/index.js";
import { MarkdownStream } from "./static/markdown/stream.js";

const TAGS = { emphasis: "em", strong: "strong", delete: "del", paragraph: "p", listItem: "li", tableRow: "tr", tableCell: "td", inlineCode: "code", inlineMath: "math" };

/** Return the HTML of a tree, without what these tests do not look at. */
function html({ type, value, url, children = [] }) {
  const inner = children.map(html).join("");
  if (type === "break") return "<br>";
  if (type === "code") return `<pre>${value}</pre>`;
  if (type === "link") return `<a ${url}>${inner}</a>`;
  const tag = TAGS[type];
  return tag ? `<${tag}>${value ?? inner}</${tag}>` : (value ?? inner);
}

/** Each extension: texts, and how they are shown. What is the same without the extension is a guard. */
const CASES = {
  "n29 emphasis beside Chinese, Japanese and Korean": [
    ["これは**『大切』**なことです。", "<p>これは<strong>『大切』</strong>なことです。</p>"],
    ["**『甲』**と**『乙』**と", "<p><strong>『甲』</strong>と<strong>『乙』</strong>と</p>"],
    ["**提示：**先备份。", "<p><strong>提示：</strong>先备份。</p>"],
    ["**结果:**3 次", "<p><strong>结果:</strong>3 次</p>"],
    ["第3**(请看)**", "<p>第3<strong>(请看)</strong></p>"],
    ["**提示:**先备份", "<p><strong>提示:</strong>先备份</p>"],
    ["**共计：**3 次", "<p><strong>共计：</strong>3 次</p>"],
    ["**先保存。**再退出。", "<p><strong>先保存。</strong>再退出。</p>"],
    ["**注意（必填）**请看", "<p><strong>注意（必填）</strong>请看</p>"],
    ["*斜体（注）*字", "<p><em>斜体（注）</em>字</p>"],
    ["这是**“智能”**的意思", "<p>这是<strong>“智能”</strong>的意思</p>"],
    ["运行**`make`**命令", "<p>运行<strong><code>make</code></strong>命令</p>"],
    ["**스크립트(script)**라고", "<p><strong>스크립트(script)</strong>라고</p>"],
    ["这是~~「旧」~~的", "<p>这是<del>「旧」</del>的</p>"],
    ["𠮷は**「土」**𠮷", "<p>𠮷は<strong>「土」</strong>𠮷</p>"],
    ["**Note:**text stays", "<p>**Note:**text stays</p>", "guard"],
    ["2**3**4 and a * b * c", "<p>2<strong>3</strong>4 and a * b * c</p>", "guard"],
    ["変数_名_です snake_case_x", "<p>変数_名_です snake_case_x</p>", "guard"],
  ],
  "n29 single newlines": [
    ["The sun is up,\nthe sky is blue.", "<p>The sun is up,<br>the sky is blue.</p>"],
    ["**A:** one\n**B:** two\n**C:** three", "<p><strong>A:</strong> one<br><strong>B:</strong> two<br><strong>C:</strong> three</p>"],
    ["- a\n  b", "<li><p>a<br>b</p></li>"],
    ["a  \nb\\\nc", "<p>a<br>b<br>c</p>", "guard"],
    ["a<br>\nb", "<p>a<br>\nb</p>", "guard"],
    ["$$x$$\nb", "<p><math>x</math>\nb</p>", "guard"],
    ["a\n\nb", "<p>a</p><p>b</p>", "guard"],
    ["`a\nb`", "<p><code>a\nb</code></p>", "guard"],
    ["- [ ]\n  a", "<li><p>a</p></li>", "guard"],
  ],
  "n29 a single tilde": [
    ["煮 3~5 分钟，火力 60~70。", "<p>煮 3~5 分钟，火力 60~70。</p>"],
    ["about ~2~4 hours", "<p>about ~2~4 hours</p>"],
    ["知道了~马上来~", "<p>知道了~马上来~</p>"],
    ["~~3~5~~ kept", "<p><del>3~5</del> kept</p>", "guard"],
    ["~~old~~ new", "<p><del>old</del> new</p>", "guard"],
  ],
  "n29 addresses beside Chinese and Japanese": [
    ["见 https://a.example/b，详见", "<p>见 <a https://a.example/b>https://a.example/b</a>，详见</p>"],
    ["看 https://a.example/b（说明）吧", "<p>看 <a https://a.example/b>https://a.example/b</a>（说明）吧</p>"],
    ["（见https://a.example/b.）", "<p>（见<a https://a.example/b>https://a.example/b</a>.）</p>"],
    ["在https://a.example查看", "<p>在<a https://a.example>https://a.example</a>查看</p>"],
    ["在http://a.example:8000查看", "<p>在<a http://a.example:8000>http://a.example:8000</a>查看</p>"],
    ["网址：www.a.example。", "<p>网址：<a http://www.a.example>www.a.example</a>。</p>"],
    ["**https://a.example/b**查看", "<p><strong><a https://a.example/b>https://a.example/b</a></strong>查看</p>"],
    ["[见https://a.example/b，c https://a.example查看", "<p>[见<a https://a.example/b>https://a.example/b</a>，c <a https://a.example>https://a.example</a>查看</p>"],
    ["(a https://a.example/A_(b)) https://b.example/a.", "<p>(a <a https://a.example/A_(b)>https://a.example/A_(b)</a>) <a https://b.example/a>https://b.example/a</a>.</p>", "guard"],
    ["https://a.example/维基/ジョン・レノン", "<p><a https://a.example/维基/ジョン・レノン>https://a.example/维基/ジョン・レノン</a></p>", "guard"],
    ["https://a.example/Category:中文", "<p><a https://a.example/Category:中文>https://a.example/Category:中文</a></p>", "guard"],
    ["https://例え.jp/x", "<p><a https://例え.jp/x>https://例え.jp/x</a></p>", "guard"],
  ],
  "n29 bars in a cell's code": [
    ["| a | b |\n|---|---|\n| `x || y` | or |", "<tr><td>a</td><td>b</td></tr><tr><td><code>x || y</code></td><td>or</td></tr>"],
    ["| `a|b` | c |\n|---|---|", "<tr><td><code>a|b</code></td><td>c</td></tr>"],
    ["| a | b |\n|---|---|\n| ``x ` | y`` | z |", "<tr><td>a</td><td>b</td></tr><tr><td><code>x ` | y</code></td><td>z</td></tr>"],
    ["| a | b |\n|---|---|\n| `x \\| y` | z |", "<tr><td>a</td><td>b</td></tr><tr><td><code>x | y</code></td><td>z</td></tr>", "guard"],
    ["| a | b |\n|---|---|\n| ` | c |", "<tr><td>a</td><td>b</td></tr><tr><td>`</td><td>c</td></tr>", "guard"],
  ],
  "n29 formulas between single dollar signs": [
    ["so $F = ma$ with $a$ here", "<p>so <math>F = ma</math> with <math>a</math> here</p>"],
    ["takes $O(n \\log n)$.", "<p>takes <math>O(n \\log n)</math>.</p>"],
    ["the $n$th, 设$x$为, $2x+1$, $a\\$b$", "<p>the <math>n</math>th, 设<math>x</math>为, <math>2x+1</math>, <math>a\\$b</math></p>"],
    ["**$a_1*b*$**", "<p><strong><math>a_1*b*</math></strong></p>"],
    ["90$^\\circ$, 10$\\mu$m, H$_2$O, 5$\\,\\Omega$", "<p>90<math>^\\circ</math>, 10<math>\\mu</math>m, H<math>_2</math>O, 5<math>\\,\\Omega</math></p>"],
    ["a$b$c, 5$x$, 3$\\times$4", "<p>a$b$c, 5$x$, 3$\\times$4</p>", "guard"],
    ["costs $7 and $12, or $1,500 to $2,500.", "<p>costs $7 and $12, or $1,500 to $2,500.</p>", "guard"],
    ["from $20-$30, fee = $5/month, US$5 to US$6", "<p>from $20-$30, fee = $5/month, US$5 to US$6</p>", "guard"],
    ["5$, 6$; $10 and 20$; $5 (in US$).", "<p>5$, 6$; $10 and 20$; $5 (in US$).</p>", "guard"],
    ["$HOME/$USER, $A:$B, $ a$, $b $", "<p>$HOME/$USER, $A:$B, $ a$, $b $</p>", "guard"],
    ["$x or `a$b`", "<p>$x or <code>a$b</code></p>", "guard"],
    [`$${"a".repeat(500)}$`, `<p>$${"a".repeat(500)}$</p>`, "guard"],
  ],
  "n29 fences within a block of Markdown": [
    ["```md\n# T\n\n```sh\nls\n```\n\nMore\n```\n\nAfter.", "<pre># T\n\n```sh\nls\n```\n\nMore</pre><p>After.</p>"],
    ["```Markdown title\n````js\n```\n````\n```\nAfter.", "<pre>````js\n```\n````</pre><p>After.</p>"],
    ["````md\n```sh\nls\n```\n````\nAfter.", "<pre>```sh\nls\n```</pre><p>After.</p>", "guard"],
    ["- ```md\n  ```sh\n  ls\n  ```\n  b\n  ```\n\nAfter.", "<li><pre>```sh\nls\n```\nb</pre></li><p>After.</p>"],
    ["```sh\nls\n```\ntext\n```\nplain\n```\nOutside", "<pre>ls</pre><p>text</p><pre>plain</pre><p>Outside</p>", "guard"],
    ["```md\n`a` ```b``` c\n```\nAfter.", "<pre>`a` ```b``` c</pre><p>After.</p>", "guard"],
  ],
};

for (const [name, cases] of Object.entries(CASES)) {
  for (const [text, expected, guard] of cases) {
    test(`${name}: ${JSON.stringify(text.slice(0, 60))}`, () => {
      assert.equal(html(parse(text, { isChat: true })), expected);
      const stream = new MarkdownStream({ isChat: true });
      for (const char of text) stream.write(char);
      stream.end();
      assert.equal(html(stream.root), expected);
      const isSame = html(parse(text)) === expected;
      assert.equal(isSame, guard === "guard", isSame ? "the same without the extension" : "a guard that differs without it");
    });
  }
}

const PREVIEWS = [
  ["costs $5 or", "<p>costs $5 or</p>"],
  ["so $E = mc", "<p>so $E = mc</p>"],
  ["from $20-$", "<p>from $20-</p>"],
  ["so $x$ is", "<p>so <math>x</math> is</p>"],
  ["| a | b |\n|---|---|\n| `x |", "<tr><td>a</td><td>b</td></tr><tr><td><code>x |</code></td></tr>"],
  ["**注意：*", "<p><strong>注意：</strong></p>"],
  ["a\n", "<p>a</p>"],
  ["```md\n```sh\nls\n``", "<pre>```sh\nls</pre>"],
];

for (const [text, expected] of PREVIEWS) {
  test(`n29 ${JSON.stringify(text)} while the text is incomplete`, () => {
    const stream = new MarkdownStream({ isChat: true });
    stream.write(text);
    assert.equal(html(stream.root), expected);
  });
}

/** The examples of CommonMark 0.31.2 that the extensions show otherwise, by reason. */
const DIFFERENT = new Map([
  [
    "A line ending within a paragraph or a heading is a line break: models write poems, addresses and labels so, and people read what they see.",
    [
      14, 25, 28, 37, 46, 49, 70, 81, 82, 87, 88, 93, 95, 104, 105, 106, 113, 138, 145, 148, 187, 213, 216, 217, 220, 222, 223, 224, 228, 229, 230, 232,
      233, 238, 243, 247, 250, 251, 253, 254, 285, 286, 287, 288, 290, 291, 292, 293, 304, 312, 334, 367, 384, 394, 405, 423, 432, 490, 494, 505, 543, 552,
      556, 587, 621, 648, 649,
    ],
  ],
]);

/** Return a tree with line endings as text again. */
function withoutBreaks(node) {
  if (node.type === "break" && node.value) return { type: "text", value: node.value };
  if (!node.children) return node;
  const children = [];
  for (const child of node.children.map(withoutBreaks)) {
    const last = children.at(-1);
    if (child.type === "text" && last?.type === "text") children[children.length - 1] = { type: "text", value: last.value + child.value };
    else children.push(child);
  }
  return { ...node, children };
}

test("n29 of CommonMark's 652 examples only the listed ones differ, each by its reason alone", () => {
  const listed = [...DIFFERENT.values()].flat();
  const found = [];
  for (const { number, markdown } of spec.tests) {
    const text = markdown.replaceAll("→", "\t");
    const [plain, chat] = [parse(text), parse(text, { isChat: true })];
    if (JSON.stringify(plain) === JSON.stringify(chat)) continue;
    found.push(number);
    assert.deepEqual(withoutBreaks(chat), plain, `example ${number}`);
  }
  assert.equal(spec.tests.length, 652);
  assert.deepEqual(found, listed);
});

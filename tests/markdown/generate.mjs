// Generates texts that mix constructs, from a seed.

/** Return a random number generator from 0 to 1 (mulberry32). */
export function createRandom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

const WORDS = ["a", "b", "foo", "bar baz", "x1", "é", "水", "…", "“q”", "1", "2.", "10)", "e", "I", "www", "http"];
const MARKS = ["*", "**", "***", "_", "__", "~", "~~", "~~~", "`", "``", "```", "[", "]", "![", "](", ")", "(", "<", ">", "!", "\\", "&", "|", ":", "-", "#", "=", "+", "\"", "'", "^", "[^", "@", ".", "/"];
const SPANS = [
  "*a*", "**b**", "_c_", "***d***", "~e~", "~~f~~", "`g`", "`` h` ``", "` i `", "[a]", "[a][]", "[b][a]", "[x][nope]", "[a](b)", "[a](<b c> 'd')",
  "[a](b \"c\")", "![a](b)", "![a]", "![*a* `b` [c](d)](e)", "[^n]", "[^m]", "![^n]", "<b>", "</b>", "<a href=\"x\">", "<a b='c' d=e f>", "<!-- c -->", "<?p?>",
  "<!D x>", "<![CDATA[x]]>", "<https://a.b/c>", "<me@x.org>", "https://a.b/c_d*e", "http://a.b", "www.x.org/a?b&amp;c.", "(www.a.b)", "me@x.org", "a.b-c_d@x-y.org.",
  "mailto:me@x.org", "xmpp:me@x.org/r", "https://a.b/(c)d).", "&amp;", "&copy;", "&#35;", "&#x22;", "&#0;", "&nope;", "&ngE;", "\\*", "\\[", "\\\\", "\\a", "[ ] ", "[x] ", "[A\u1e9e]", "$x$",
];
/** What the extensions for chats are about. */
const CHAT = ["「a」", "**「a」**", "，", "。", "（b）", "请", "가", "“c”", "https://a.b/c，", "https://a.b（", "www.a.b请", "$x$", "$a_1*b$", "$5", "$10 and ", "$", "\n", "~", "~3", "<br>\n", "| `a || b` |", "`c | d`", "<details open>\n"];
const CHAT_LINES = ["```md", "```markdown t", "```md", "~~~ mdx", "```sh", "```", "| `a|b` | c |", "| ` | c |", "|---|---|", "$$d$$"];
/** Constructs that the reference parsers do not know. */
const MATH = ["\\(a_1 *b*\\)", "\\[c\\]", "$$d$$", "$$", "\\(", "\\)", "\n$$\n", "\n\\[\n", "\\]\n"];
const LINES = [
  "# h", "###### h ##", "####### no", "#", "# *a* #\\#", "===", "---", "--", "- - -", "***", "* * *", "___", "- a", "- ", "-", "* b", "+ c", "1. d", "1) e", "2. f", "10. g", "-   - h",
  "- [ ] i", "- [x] j", "1. [X] k", "- [ ]", "> l", ">", ">> m", "> - n", "> ```", "> # o", "```", "```js x", "~~~", "~~~~ a`b", "    code", "\tcode", "  \tcode", "  para", "   para",
  "<div>", "</div>", "<b>", "<b>x", "<!-- c", "-->", "<pre>", "</pre>", "<script>x</script>", "<?php", "?>", "<!X", ">", "<x-y z=\"1\">", "| a | b |", "|---|---|", "| - | :-: |", "a | b", "-|-", ":-", ":-:|--:", "| c |", "|", "||", "| d | e | f |", "| `\\|` | \\| |",
  "[a]: /url", "[b]: <x y> 't'", "[c]:", "/url2", "\"title\"", "[A\u1e9e]: z", "[a]: /other", "[d]: /u \"t", "t\"", "[e]: /u 'x' y", "[^n]: note", "[^m]:", "    more", "[^n]: again", "[^o]: - a", "", "", "", "  ", "a  ", "b\\", "c\t",
];
const INDENTS = ["", "", "", "", " ", "  ", "   ", "    ", "\t", "     ", "> ", "> ", ">", "- ", "  - ", "1. ", "   1. ", "* "];

export class Generator {
  /** @param {number} seed @param {{isMath?: boolean, isChat?: boolean}} [options] */
  constructor(seed, { isMath = false, isChat = false } = {}) {
    this.random = createRandom(seed);
    this.spans = [...SPANS, ...(isMath ? MATH : []), ...(isChat ? [...CHAT, ...CHAT] : [])];
    this.lines = isChat ? [...LINES, ...CHAT_LINES, ...CHAT_LINES] : LINES;
  }

  pick(list) {
    return list[Math.floor(this.random() * list.length)];
  }

  many(max, make) {
    return Array.from({ length: Math.floor(this.random() * (max + 1)) }, make);
  }

  /** Return a sequence of words, delimiters and spans. */
  inline() {
    const piece = () => {
      const kind = this.random();
      if (kind < 0.3) return this.pick(WORDS);
      if (kind < 0.65) return this.pick(MARKS);
      return this.pick(this.spans);
    };
    return this.many(9, () => piece() + (this.random() < 0.35 ? " " : "")).join("");
  }

  line() {
    const indents = this.many(this.random() < 0.5 ? 1 : 3, () => this.pick(INDENTS)).join("");
    const kind = this.random();
    if (kind < 0.55) return indents + this.pick(this.lines);
    if (kind < 0.65) return indents + this.pick(this.lines) + this.inline();
    return indents + this.inline() + (this.random() < 0.1 ? "  " : "");
  }

  /** Return a complete text. */
  text() {
    const kind = this.random();
    if (kind < 0.35) return `${this.inline()}${this.random() < 0.3 ? `\n${this.inline()}` : ""}\n\n[a]: /u\n[^n]: x\n`;
    return this.many(10, () => this.line()).join("\n") + (this.random() < 0.3 ? "\n" : "");
  }
}

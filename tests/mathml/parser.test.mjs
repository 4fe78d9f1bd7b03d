/** The TeX parser: its trees, what it does not support, and that no text makes it slow or throw. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { COMMANDS } from "./static/mathml/commands.js";
import { parse } from "./static/mathml/parser.js";
import * as symbols from "./static/mathml/symbols.js";

const seed = Number(process.env.FRESHET_TEST_SEED ?? Math.floor(Math.random() * 2 ** 32));
console.log(`FRESHET_TEST_SEED=${seed}`);

/** Format a tree: tags and their children. */
const shape = (formula) =>
  formula === null ? null : typeof formula === "string" ? formula : `${formula.tag}(${formula.children.map(shape).join(" ")})`;

/** @type {[string, string][]} */
const SHAPES = [
  ["x^2", "msup(mi(x) mn(2))"],
  ["x^10", "mrow(msup(mi(x) mn(1)) mn(0))"],
  ["x_i^{n+1}", "msubsup(mi(x) mi(i) mrow(mi(n) mo(+) mn(1)))"],
  ["f'", "mrow(mi(f) mo(′))"],
  ["f''^2", "msup(mrow(mi(f) mo(′′)) mn(2))"],
  ["\\frac12", "mfrac(mn(1) mn(2))"],
  ["\\binom{n}{k}", "mrow(mo(() mfrac(mi(n) mi(k)) mo()))"],
  ["\\sqrt2", "msqrt(mn(2))"],
  ["\\sqrt[3]{x}", "mroot(mi(x) mn(3))"],
  ["\\sum_{i}^n", "munderover(mo(∑) mi(i) mi(n))"],
  ["\\int_0^1", "msubsup(mo(∫) mn(0) mn(1))"],
  ["\\int\\limits_0^1", "munderover(mo(∫) mn(0) mn(1))"],
  ["\\sum\\nolimits_i", "msub(mo(∑) mi(i))"],
  ["\\lim_x", "munder(mo(lim) mi(x))"],
  ["\\limsup", "mo(lim\u2009sup)"],
  ["\\underbrace{x}_n", "munder(munder(mi(x) mo(⏟)) mi(n))"],
  ["\\alpha\\Omega", "mrow(mi(α) mi(Ω))"],
  ["\\hat x", "mover(mi(x) mo(^))"],
  ["\\mathbb{R}", "mi(ℝ)"],
  ["\\mathbf{A1}", "mrow(mi(𝐀) mn(𝟏))"],
  ["\\mathcal{L}A", "mrow(mi(ℒ) mi(A))"],
  ["\\mathrm{kg}", "mi(kg)"],
  ["\\text{if } x", "mrow(mtext(if\u00a0) mi(x))"],
  ["\\left(x\\right.", "mrow(mo(() mi(x) mrow())"],
  ["\\left\\{x\\middle|y\\right\\}", "mrow(mo({) mi(x) mo(|) mi(y) mo(}))"],
  ["2\\sin x", "mrow(mn(2) mspace() mi(sin) mspace() mi(x))"],
  ["\\sin(x)", "mrow(mi(sin) mo(() mi(x) mo()))"],
  ["1,234.5", "mn(1,234.5)"],
  ["a,b", "mrow(mi(a) mo(,) mi(b))"],
  ["\\not\\in", "mo(∉)"],
  ["a%b", null],
  ["\\begin{pmatrix}a&b\\\\c&d\\end{pmatrix}", "mrow(mo(() mtable(mtr(mtd(mi(a)) mtd(mi(b))) mtr(mtd(mi(c)) mtd(mi(d)))) mo()))"],
  ["\\begin{cases}a\\\\[4pt]b\\\\\\end{cases}", "mrow(mo({) mtable(mtr(mtd(mi(a))) mtr(mtd(mi(b)))) mrow())"],
  ["\\begin{align*}a&=b\\end{align*}", "mtable(mtr(mtd(mi(a)) mtd(mrow(mo(=) mi(b)))))"],
  ["\\begin{array}{c|c}a\\\\\\hline b&c\\end{array}", "mtable(mtr(mtd(mi(a)) mtd(mrow())) mtr(mtd(mi(b)) mtd(mi(c))))"],
  ["\\begin{array}{c:c}a&b\\end{array}", null],
  ["\\begin{array}{c}a\\\\\\cline{1-1}b\\end{array}", null],
  ["a\\hline b", null],
  ["a\\\\b", "mtable(mtr(mtd(mi(a))) mtr(mtd(mi(b))))"],
];

test("formulas become trees", () => {
  for (const [tex, expected] of SHAPES) assert.equal(shape(parse(tex)), expected, tex);
});

test("a minus after another operator is a prefix", () => {
  const form = (tex) => parse(tex).children.filter(({ children }) => children[0] === "−").map(({ attributes }) => attributes.form);
  assert.deepEqual(form("a-b"), [undefined]);
  assert.deepEqual(form("a=-b"), ["prefix"]);
  assert.deepEqual(form("(a)-b"), [undefined]);
  assert.deepEqual(form("(-b)"), ["prefix"]);
});

test("every listed command is supported", () => {
  for (const name of ["LETTERS", "UPRIGHT", "OPERATORS", "LARGE", "INTEGRALS", "DELIMITERS", "ACCENTS", "UNDER"]) {
    assert.ok(symbols[name].size > 0, name);
    for (const [command, sign] of symbols[name]) {
      assert.match(command, /^([a-zA-Z]+|[{}|])$/, name);
      assert.equal([...sign].length, 1, command);
      if (!COMMANDS.has(command)) assert.ok(parse(`\\${command}`), command);
    }
  }
  for (const name of symbols.LIMITS) assert.ok(parse(`\\${name}_x`), name);
  for (const name of symbols.SPACES.keys()) assert.ok(parse(`a\\${name} b`), name);
  const special = new Set(["left", "begin", "not", "text"]);
  for (const name of COMMANDS.keys()) if (!special.has(name)) assert.ok(parse(`\\${name}{x}{y}`), name);
  const environments = "matrix pmatrix bmatrix Bmatrix vmatrix Vmatrix cases rcases align align* aligned split gather gathered equation";
  for (const name of environments.split(" ")) assert.ok(parse(`\\begin{${name}}a&b\\\\c&d\\end{${name}}`), name);
  assert.ok(parse("\\begin{array}{l|r}a&b\\end{array}"));
  assert.ok(parse("\\begin{alignat}{2}a&b\\end{alignat}"));
});

test("a formula with an unlisted command is not supported", () => {
  const unsupported = [
    "", " ", "\\foo", "x\\foo", "\\frac{\\foo}{2}", "\\frac", "\\frac1", "x^", "x^{", "{x", "x}", "x^1^2", "x_1_2", "\\left(x", "x\\right)", "\\left x\\right)",
    "\\begin{pmatrix}a", "\\begin{pmatrix}a\\end{bmatrix}", "\\begin{constructor}a\\end{constructor}", "\\begin{tikzpicture}\\end{tikzpicture}", "\\end{matrix}",
    "\\text{$x$}", "\\text{\\foo}", "\\text{a", "\\color{red}x", "\\href{javascript:alert(1)}{x}", "\\def\\x{1}", "\\newcommand{\\x}{1}", "\\require{a}", "$x$", "#1", "\\sqrt[3{x}", "a&b}",
    "\\constructor", "\\__proto__", "\\not x", "\\",
  ];
  for (const tex of unsupported) assert.equal(parse(tex), null, tex);
});

test("formulas share no attributes", () => {
  parse("\\frac12\\limits_x + /\\limits_x");
  assert.equal(parse("\\frac12").attributes.movablelimits, undefined);
  assert.equal(parse("/").attributes.movablelimits, undefined);
});

test("a formula that is too deep or too long is not supported", () => {
  for (const [open, close] of [["{", "}"], ["\\frac{1}{", "}"], ["\\sqrt{", "}"], ["x^{", "}"], ["\\left(", "\\right)"], ["\\hat ", "x"], ["\\begin{matrix}", "\\end{matrix}"]]) {
    assert.ok(parse(`${open.repeat(10)}x${close.repeat(10)}`.replace(/x+$/, "x")), open);
    assert.equal(parse(`${open.repeat(1_000)}x${close.repeat(1_000)}`), null, open);
    assert.equal(parse(open.repeat(100_000)), null, open);
  }
  assert.equal(parse("x".repeat(10_001)), null);
  assert.ok(parse("x".repeat(10_000)));
});

const PIECES = [..."{}^_&'~%$#|()[]+-/.,1aé\u0000 ", "\\\\", "\\", "\\left", "\\right", "\\frac", "\\sqrt", "\\begin{matrix}", "\\end{matrix}", "\\text{", "\\sum", "\\limits", "\\mathbf", "\\big", "\\not", "𝒜", "\ud800"];

test("no text makes it throw, and none makes it slow", () => {
  let state = seed;
  const random = () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32;
  for (let round = 0; round < 20_000; round += 1) {
    let tex = "";
    for (let length = random() * 12; length > 0; length -= 1) tex += PIECES[Math.floor(random() * PIECES.length)];
    assert.doesNotThrow(() => parse(tex), JSON.stringify(tex));
  }
  for (const piece of [...PIECES, "1", "\\,", "x'", "x_1^2", "a&", "a\\\\", "\\text{a}", "\\sin", "\\frac12", "1,000"]) {
    const tex = piece.repeat(Math.floor(10_000 / piece.length));
    let least = Infinity;
    for (let run = 0; run < 5 && least > 150; run += 1) {
      const before = process.cpuUsage();
      parse(tex);
      const { user, system } = process.cpuUsage(before);
      least = Math.min(least, (user + system) / 1000);
    }
    assert.ok(least <= 150, `${JSON.stringify(piece)}: ${least.toFixed(0)} ms`);
  }
});

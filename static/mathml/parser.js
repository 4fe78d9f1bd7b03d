/** Parses TeX into a tree of MathML. A formula with anything that is not listed here is not supported as a whole. */
import { COMMANDS, alignedSide, buildTable, parseLines } from "./commands.js";
import { DELIMITERS, INTEGRALS, LARGE, LETTERS, LIMITS, OPERATORS, SPACES, UPRIGHT, isAlphabet, styled } from "./symbols.js";
import { TIGHT, UnsupportedTex, fixed, node, operator, row, space } from "./tree.js";

/** @typedef {import("./tree.js").Formula} Formula */

/** Longer or deeper formulas would take too long to lay out. */
const MAX_CHARS = 10_000;
const MAX_DEPTH = 40;

const TOKEN = /\\[a-zA-Z]+|\\[^]|[ \t\r\n]+|[^]/gu;
/** Functions, which have a thin space around them. */
const FUNCTION = /^\\(?:(?:arc)?(?:sin|cos|tan)h?|cot|sec|csc|coth|log|ln|lg|exp|arg|dim|hom|ker|deg|operatorname)$/;
/** The tokens that end a row. */
const ROW_ENDS = new Set(["}", "&", "\\\\", "\\right", "\\middle", "\\end", "\\cr", ""]);
/** @type {Record<string, number>} */
const SIZES = { big: 1.2, Big: 1.8, bigg: 2.4, Bigg: 3 };

/** The parser of one formula: recursive descent. */
export class Parser {
  #tokens;
  #at = 0;
  #depth = 0;
  font = "";

  /** @param {string} tex */
  constructor(tex) {
    this.#tokens = tex.match(TOKEN) ?? [];
  }

  /** Return the next token without consuming it; "" at the end. */
  peek() {
    while (/^\s/.test(this.#tokens[this.#at] ?? "")) this.#at += 1;
    return this.#tokens[this.#at] ?? "";
  }

  next() {
    const token = this.peek();
    this.#at += 1;
    return token;
  }

  /** @param {string} token @returns {boolean} whether it was the next token, and is consumed */
  take(token) {
    if (this.peek() !== token) return false;
    this.#at += 1;
    return true;
  }

  /** @param {string} token */
  expect(token) {
    if (!this.take(token)) throw new UnsupportedTex();
  }

  /** Parse one level deeper; the font is restored after it. @template T @param {() => T} parseLevel */
  nested(parseLevel) {
    const { font } = this;
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) throw new UnsupportedTex();
    const result = parseLevel();
    this.#depth -= 1;
    this.font = font;
    return result;
  }

  /** Skip the length after a line break: `\\[2pt]`. */
  skipLength() {
    while (!this.take("]")) if (this.next() === "") throw new UnsupportedTex();
  }

  /** Return the source between braces. */
  rawArgument() {
    this.expect("{");
    let text = "";
    for (let depth = 1; ; ) {
      const token = this.#tokens[this.#at++] ?? "";
      if (token === "{") depth += 1;
      if (token === "}") depth -= 1;
      if (token === "" || /^[$%]/.test(token)) throw new UnsupportedTex();
      if (depth === 0) return text;
      text += token;
    }
  }

  /** Return the text between braces, as of `\text`. */
  text() {
    const text = this.rawArgument().replace(/\\([ {}%$&#_,])/g, "$1");
    if (/[\\{}]/.test(text)) throw new UnsupportedTex();
    // MathML trims spaces at the ends of a token.
    return text.replace(/ +/g, "\u00a0");
  }

  /** @param {string} [end] another token that ends the row @returns {Formula} */
  row(end = "") {
    return this.nested(() => {
      /** @type {Formula[]} */
      const parts = [];
      while (!ROW_ENDS.has(this.peek()) && this.peek() !== end) {
        const isDisplay = this.take("\\displaystyle");
        if (isDisplay || this.take("\\textstyle")) return row([...parts, node("mrow", { displaystyle: String(isDisplay) }, this.row(end))]);
        const before = parts.at(-1);
        const isNamed = FUNCTION.test(this.peek());
        if (isNamed && before && before.tag !== "mo") parts.push(space(0.167));
        parts.push(markPrefix(this.#scripted(), before));
        if (isNamed && !ROW_ENDS.has(this.peek()) && !/^(?:[([{)\]|,]|\\left)$/.test(this.peek())) parts.push(space(0.167));
      }
      return row(parts);
    });
  }

  /** Parse a group or a single token. @returns {Formula} */
  argument() {
    if (this.take("{")) return this.#group();
    if (ROW_ENDS.has(this.peek()) || /^[_^']$/.test(this.peek())) throw new UnsupportedTex();
    return this.nested(() => this.#atom(this.next(), true));
  }

  #group() {
    const group = this.row();
    this.expect("}");
    return group;
  }

  /** Parse an atom with its scripts. */
  #scripted() {
    const token = /^[_^']$/.test(this.peek()) ? "" : this.next();
    const base = token === "" ? row([]) : this.#atom(token, false);
    return this.#scripts(base, base.attributes.movablelimits !== undefined || token.endsWith("brace"));
  }

  /** @param {Formula} base @param {boolean} isStacked @returns {Formula} */
  #scripts(base, isStacked) {
    let primes = "";
    /** @type {Formula | null} */
    let below = null;
    /** @type {Formula | null} */
    let above = null;
    for (;;) {
      if (this.take("\\limits")) {
        isStacked = true;
        base.attributes.movablelimits = "false";
      } else if (this.take("\\nolimits")) isStacked = false;
      else if (!above && this.take("'")) primes += "′";
      else if (this.peek() === "^" && !above && this.take("^")) above = this.argument();
      else if (this.peek() === "_" && !below && this.take("_")) below = this.argument();
      else if (/^[_^']$/.test(this.peek())) throw new UnsupportedTex();
      else break;
    }
    /** Append the primes; their glyph is raised already, so they are no superscript. @param {Formula} to */
    const primed = (to) => (primes ? row([to, operator(primes, TIGHT)]) : to);
    if (below && above) return node(isStacked ? "munderover" : "msubsup", {}, primed(base), below, above);
    if (below) return primed(node(isStacked ? "munder" : "msub", {}, base, below));
    return above ? node(isStacked ? "mover" : "msup", {}, primed(base), above) : primed(base);
  }

  /** @param {string} token @param {boolean} isSingle take one digit or letter only, as after `^` @returns {Formula} */
  #atom(token, isSingle) {
    if (token === "{") return this.#group();
    if (token.startsWith("\\") && token.length > 1) return this.#command(token.slice(1));
    if (/\d/.test(token)) return node("mn", {}, this.#digits(token, isSingle));
    if (/\p{L}/u.test(token)) return this.#letter(token, isSingle);
    if (token === "~") return space(0.25);
    if (/[()[\]|]/.test(token)) return fixed(token);
    if (/[-+*/=<>,;:!.?@"]|[^\x00-\x7f]/.test(token)) return operator(token === "-" ? "−" : token === "*" ? "∗" : token, token === "/" ? TIGHT : {});
    throw new UnsupportedTex();
  }

  /** @param {string} first @param {boolean} isSingle */
  #digits(first, isSingle) {
    let digits = first;
    while (!isSingle && /^(?:\d|\.\d|,\d{3}(?!\d))/.test(this.#tokens.slice(this.#at, this.#at + 5).join(""))) digits += this.#tokens[this.#at++];
    return [...digits].map((digit) => styled(digit, this.font)).join("");
  }

  /** @param {string} first @param {boolean} isSingle @returns {Formula} */
  #letter(first, isSingle) {
    if (this.font !== "mathrm") return node("mi", {}, styled(first, this.font));
    let word = first;
    while (!isSingle && /^\p{L}$/u.test(this.#tokens[this.#at] ?? "")) word += this.#tokens[this.#at++];
    return node("mi", word.length === 1 ? { mathvariant: "normal" } : {}, word);
  }

  /** @param {string} name @returns {Formula} */
  #command(name) {
    for (const [table, build] of SYMBOLS) {
      const sign = table.get(name);
      if (sign !== undefined) return build(sign);
    }
    if (LIMITS.has(name)) return operator(name.replace(/^(lim|arg)(?=.)/, "$1\u2009"), { movablelimits: "true", lspace: "0", rspace: "0.167em" });
    const width = SPACES.get(name);
    if (width !== undefined) return space(width);
    const [, size] = /^([bB]igg?)[lrm]?$/.exec(name) ?? [];
    if (size) return operator(this.delimiter(), { stretchy: "true", symmetric: "true", minsize: `${SIZES[size]}em`, maxsize: `${SIZES[size]}em`, ...TIGHT });
    if (isAlphabet(name) || /^math(rm|it|normal)$/.test(name)) {
      return this.nested(() => {
        this.font = name;
        return this.argument();
      });
    }
    const build = COMMANDS.get(name);
    if (build) return build(this, name);
    if (FUNCTION.test(`\\${name}`)) return node("mi", {}, name);
    throw new UnsupportedTex();
  }

  /** Parse the delimiter after `\left` and the like. */
  delimiter() {
    const token = this.next();
    const sign = DELIMITERS.get(token.slice(1)) ?? { "<": "⟨", ">": "⟩" }[token] ?? token;
    if (!/^[()[\]{}|‖⟨⟩⌊⌋⌈⌉/.]$/.test(sign)) throw new UnsupportedTex();
    return sign;
  }
}

/** Mark a plus or minus after another operator as a prefix. @param {Formula} part @param {Formula | undefined} before */
function markPrefix(part, before) {
  if (part.tag === "mo" && /[+−±∓]/.test(String(part.children)) && before?.tag === "mo" && !/[)\]}|!…⋯]/.test(String(before.children))) part.attributes.form = "prefix";
  return part;
}

/** @type {[Map<string, string>, (sign: string) => Formula][]} */
const SYMBOLS = [
  [LETTERS, (sign) => node("mi", {}, sign)],
  [UPRIGHT, (sign) => node("mi", { mathvariant: "normal" }, sign)],
  [OPERATORS, (sign) => operator(sign)],
  [LARGE, (sign) => operator(sign, { movablelimits: "true" })],
  [INTEGRALS, (sign) => operator(sign)],
  [DELIMITERS, fixed],
  [new Map([..."%$&#_"].map((sign) => [sign, sign])), (sign) => node("mi", { mathvariant: "normal" }, sign)],
];

/** Return the tree of a formula; null when it is not supported. @param {string} tex */
export function parse(tex) {
  if (tex.length > MAX_CHARS || tex.trim() === "") return null;
  try {
    const parser = new Parser(tex);
    const body = parseLines(parser);
    if (parser.peek() !== "") return null;
    const [first = []] = body;
    if (body.length === 1 && first.length === 1) return first[0] ?? null;
    return buildTable(body, { side: first.length > 1 ? alignedSide : undefined, isTight: true, isDisplay: true });
  } catch (error) {
    if (error instanceof UnsupportedTex) return null;
    throw error;
  }
}

/** Reads TeX into a tree of MathML. Whatever is not listed here makes the whole formula unknown. */
import { COMMANDS, aligned, lines, table } from "./commands.js";
import { DELIMITERS, INTEGRALS, LARGE, LETTERS, LIMITS, OPERATORS, SPACES, UPRIGHT, isAlphabet, styled } from "./symbols.js";
import { TIGHT, Unknown, fixed, make, operator, row, space } from "./tree.js";

/** @typedef {import("./tree.js").Formula} Formula */

/** Laying out longer or deeper ones would take the page's time. */
const MOST_CHARS = 10_000;
const MOST_DEPTH = 40;

const TOKEN = /\\[a-zA-Z]+|\\[^]|[ \t\r\n]+|[^]/gu;
/** What keeps a distance. */
const FUNCTION = /^\\(?:(?:arc)?(?:sin|cos|tan)h?|cot|sec|csc|coth|log|ln|lg|exp|arg|dim|hom|ker|deg|operatorname)$/;
/** What ends a row. */
const ENDS = new Set(["}", "&", "\\\\", "\\right", "\\middle", "\\end", "\\cr", ""]);
/** @type {Record<string, number>} */
const SIZES = { big: 1.2, Big: 1.8, bigg: 2.4, Bigg: 3 };

/** Reads one formula. */
export class Parser {
  #tokens;
  #at = 0;
  #depth = 0;
  font = "";

  /** @param {string} tex */
  constructor(tex) {
    this.#tokens = tex.match(TOKEN) ?? [];
  }

  /** The token that comes; "" at the end. */
  peek() {
    while (/^\s/.test(this.#tokens[this.#at] ?? "")) this.#at += 1;
    return this.#tokens[this.#at] ?? "";
  }

  next() {
    const token = this.peek();
    this.#at += 1;
    return token;
  }

  /** @param {string} token @returns {boolean} whether it came and was taken */
  take(token) {
    if (this.peek() !== token) return false;
    this.#at += 1;
    return true;
  }

  /** @param {string} token */
  expect(token) {
    if (!this.take(token)) throw new Unknown();
  }

  /** Read as a level of its own. @template T @param {() => T} read */
  deeper(read) {
    const { font } = this;
    this.#depth += 1;
    if (this.#depth > MOST_DEPTH) throw new Unknown();
    const made = read();
    this.#depth -= 1;
    this.font = font;
    return made;
  }

  /** Pass over the distance between two lines. */
  distance() {
    while (!this.take("]")) if (this.next() === "") throw new Unknown();
  }

  /** What stands between braces, as it was written. */
  raw() {
    this.expect("{");
    let text = "";
    for (let depth = 1; ; ) {
      const token = this.#tokens[this.#at++] ?? "";
      if (token === "{") depth += 1;
      if (token === "}") depth -= 1;
      if (token === "" || /^[$%]/.test(token)) throw new Unknown();
      if (depth === 0) return text;
      text += token;
    }
  }

  /** Words that are not mathematics. */
  words() {
    const text = this.raw().replace(/\\([ {}%$&#_,])/g, "$1");
    if (/[\\{}]/.test(text)) throw new Unknown();
    // Spaces at the ends of a token would vanish.
    return text.replace(/ +/g, "\u00a0");
  }

  /** @param {string} [end] another sign that ends this row @returns {Formula} */
  row(end = "") {
    return this.deeper(() => {
      /** @type {Formula[]} */
      const parts = [];
      while (!ENDS.has(this.peek()) && this.peek() !== end) {
        const isDisplay = this.take("\\displaystyle");
        if (isDisplay || this.take("\\textstyle")) return row([...parts, make("mrow", { displaystyle: String(isDisplay) }, this.row(end))]);
        const before = parts.at(-1);
        const isNamed = FUNCTION.test(this.peek());
        if (isNamed && before && before.tag !== "mo") parts.push(space(0.167));
        parts.push(signed(this.#scripted(), before));
        if (isNamed && !ENDS.has(this.peek()) && !/^(?:[([{)\]|,]|\\left)$/.test(this.peek())) parts.push(space(0.167));
      }
      return row(parts);
    });
  }

  /** A group or one sign. @returns {Formula} */
  argument() {
    if (this.take("{")) return this.#group();
    if (ENDS.has(this.peek()) || /^[_^']$/.test(this.peek())) throw new Unknown();
    return this.deeper(() => this.#atom(this.next(), true));
  }

  #group() {
    const made = this.row();
    this.expect("}");
    return made;
  }

  /** An atom with all that is written above and below it. */
  #scripted() {
    const token = /^[_^']$/.test(this.peek()) ? "" : this.next();
    const base = token === "" ? row([]) : this.#atom(token, false);
    return this.#scripts(base, base.attributes.movablelimits !== undefined || token.endsWith("brace"));
  }

  /** @param {Formula} base @param {boolean} stacked @returns {Formula} */
  #scripts(base, stacked) {
    let primes = "";
    /** @type {Formula | null} */
    let below = null;
    /** @type {Formula | null} */
    let above = null;
    for (;;) {
      if (this.take("\\limits")) {
        stacked = true;
        base.attributes.movablelimits = "false";
      } else if (this.take("\\nolimits")) stacked = false;
      else if (!above && this.take("'")) primes += "′";
      else if (this.peek() === "^" && !above && this.take("^")) above = this.argument();
      else if (this.peek() === "_" && !below && this.take("_")) below = this.argument();
      else if (/^[_^']$/.test(this.peek())) throw new Unknown();
      else break;
    }
    /** The sign is raised already. @param {Formula} to */
    const primed = (to) => (primes ? row([to, operator(primes, TIGHT)]) : to);
    if (below && above) return make(stacked ? "munderover" : "msubsup", {}, primed(base), below, above);
    if (below) return primed(make(stacked ? "munder" : "msub", {}, base, below));
    return above ? make(stacked ? "mover" : "msup", {}, primed(base), above) : primed(base);
  }

  /** @param {string} token @param {boolean} isAlone a digit is a number by itself, as after `^` @returns {Formula} */
  #atom(token, isAlone) {
    if (token === "{") return this.#group();
    if (token.startsWith("\\") && token.length > 1) return this.#command(token.slice(1));
    if (/\d/.test(token)) return make("mn", {}, this.#digits(token, isAlone));
    if (/\p{L}/u.test(token)) return this.#letter(token, isAlone);
    if (token === "~") return space(0.25);
    if (/[()[\]|]/.test(token)) return fixed(token);
    if (/[-+*/=<>,;:!.?@"]|[^\x00-\x7f]/.test(token)) return operator(token === "-" ? "−" : token === "*" ? "∗" : token, token === "/" ? TIGHT : {});
    throw new Unknown();
  }

  /** @param {string} first @param {boolean} isAlone */
  #digits(first, isAlone) {
    let digits = first;
    while (!isAlone && /^(?:\d|\.\d|,\d{3}(?!\d))/.test(this.#tokens.slice(this.#at, this.#at + 5).join(""))) digits += this.#tokens[this.#at++];
    return [...digits].map((digit) => styled(digit, this.font)).join("");
  }

  /** @param {string} first @param {boolean} isAlone @returns {Formula} */
  #letter(first, isAlone) {
    if (this.font !== "mathrm") return make("mi", {}, styled(first, this.font));
    let word = first;
    while (!isAlone && /^\p{L}$/u.test(this.#tokens[this.#at] ?? "")) word += this.#tokens[this.#at++];
    return make("mi", word.length === 1 ? { mathvariant: "normal" } : {}, word);
  }

  /** @param {string} name @returns {Formula} */
  #command(name) {
    for (const [table, build] of SIGNS) {
      const sign = table.get(name);
      if (sign !== undefined) return build(sign);
    }
    if (LIMITS.has(name)) return operator(name.replace(/^(lim|arg)(?=.)/, "$1\u2009"), { movablelimits: "true", lspace: "0", rspace: "0.167em" });
    const width = SPACES.get(name);
    if (width !== undefined) return space(width);
    const [, size] = /^([bB]igg?)[lrm]?$/.exec(name) ?? [];
    if (size) return operator(this.delimiter(), { stretchy: "true", symmetric: "true", minsize: `${SIZES[size]}em`, maxsize: `${SIZES[size]}em`, ...TIGHT });
    if (isAlphabet(name) || /^math(rm|it|normal)$/.test(name)) {
      return this.deeper(() => {
        this.font = name;
        return this.argument();
      });
    }
    const build = COMMANDS.get(name);
    if (build) return build(this, name);
    if (FUNCTION.test(`\\${name}`)) return make("mi", {}, name);
    throw new Unknown();
  }

  /** A delimiter after `\left` and its like. */
  delimiter() {
    const token = this.next();
    const sign = DELIMITERS.get(token.slice(1)) ?? { "<": "⟨", ">": "⟩" }[token] ?? token;
    if (!/^[()[\]{}|‖⟨⟩⌊⌋⌈⌉/.]$/.test(sign)) throw new Unknown();
    return sign;
  }
}

/** A sign after another operator belongs to what follows it. @param {Formula} made @param {Formula | undefined} before */
function signed(made, before) {
  if (made.tag === "mo" && /[+−±∓]/.test(String(made.children)) && before?.tag === "mo" && !/[)\]}|!…⋯]/.test(String(before.children))) made.attributes.form = "prefix";
  return made;
}

/** @type {[Map<string, string>, (sign: string) => Formula][]} */
const SIGNS = [
  [LETTERS, (sign) => make("mi", {}, sign)],
  [UPRIGHT, (sign) => make("mi", { mathvariant: "normal" }, sign)],
  [OPERATORS, (sign) => operator(sign)],
  [LARGE, (sign) => operator(sign, { movablelimits: "true" })],
  [INTEGRALS, (sign) => operator(sign)],
  [DELIMITERS, fixed],
  [new Map([..."%$&#_"].map((sign) => [sign, sign])), (sign) => make("mi", { mathvariant: "normal" }, sign)],
];

/** The tree of a formula, or null. @param {string} tex */
export function read(tex) {
  if (tex.length > MOST_CHARS || tex.trim() === "") return null;
  try {
    const parser = new Parser(tex);
    const body = lines(parser);
    if (parser.peek() !== "") return null;
    const [first = []] = body;
    if (body.length === 1 && first.length === 1) return first[0] ?? null;
    return table(body, { side: first.length > 1 ? aligned : undefined, isTight: true, isDisplay: true });
  } catch (error) {
    if (error instanceof Unknown) return null;
    throw error;
  }
}

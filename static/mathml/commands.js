/**
 * `mathml/`: TeX formulas to MathML. Finding formulas in a text is Markdown's work, in `markdown/math.js`.
 */
/** The commands that take arguments, tables among them. */
import { ACCENTS, UNDER } from "./symbols.js";
import { TIGHT, Unknown, fixed, make, operator, row, space, stretched } from "./tree.js";

/** @typedef {import("./tree.js").Formula} Formula */
/** @typedef {import("./parser.js").Parser} Parser */
/** @typedef {(parser: Parser, name: string) => Formula} Command */

const FENCES = new Map(Object.entries({ matrix: "..", pmatrix: "()", bmatrix: "[]", Bmatrix: "{}", vmatrix: "||", Vmatrix: "‖‖", cases: "{.", rcases: ".}" }));
const ALIGNED = /^(?:align(?:ed)?(?:at)?|split)$/;
const GATHERED = /^(?:gather(?:ed)?|equation)$/;
/** @type {Record<string, string>} */
const SIDES = { l: "left", r: "right" };

/** Lines of cells. @param {Parser} parser */
export function lines(parser) {
  /** @type {Formula[][]} */
  const made = [[]];
  for (;;) {
    made.at(-1)?.push(parser.row());
    if (parser.take("&")) continue;
    if (!parser.take("\\\\") && !parser.take("\\cr")) break;
    if (parser.peek() === "[") parser.distance();
    made.push([]);
  }
  // A break at the end begins no line.
  const last = made.at(-1) ?? [];
  if (made.length > 1 && last.length === 1 && last[0]?.children.length === 0 && last[0].tag === "mrow") made.pop();
  return made;
}

/** @param {Formula[][]} body @param {{side?: (column: number) => string, isTight?: boolean, isDisplay?: boolean}} options */
export function table(body, { side = () => "center", isTight = false, isDisplay = false }) {
  const rows = body.map((cells) =>
    make(
      "mtr",
      {},
      ...cells.map((cell, column) => {
        const padding = isTight ? `${column && column % 2 === 0 ? 2 : 0}em 0` : "0.4em";
        // What a cell holds is a block, which only this moves.
        return make("mtd", { style: { "text-align": `-webkit-${side(column)}`, "padding-inline": padding } }, cell);
      }),
    ),
  );
  return make("mtable", isDisplay ? { displaystyle: "true" } : {}, ...rows);
}

/** @param {number} column */
export const aligned = (column) => (column % 2 ? "left" : "right");

/** @type {Command} */
function environment(parser) {
  const name = parser.raw();
  const kind = name.replace(/\*$/, "");
  const columns = kind === "array" ? parser.raw().replace(/[\s|]/g, "") : "";
  if (kind.endsWith("at")) parser.raw();
  const body = lines(parser);
  parser.expect("\\end");
  if (parser.raw() !== name) throw new Unknown();
  if (ALIGNED.test(kind)) return table(body, { side: aligned, isTight: true, isDisplay: true });
  if (GATHERED.test(kind)) return table(body, { isDisplay: true });
  if (kind === "array" && /^[lcr]+$/.test(columns)) return table(body, { side: (column) => SIDES[columns[column] ?? ""] ?? "center" });
  const [open, close] = FENCES.get(kind) ?? "";
  if (!open || !close) throw new Unknown();
  const made = table(body, /cases/.test(kind) ? { side: () => "left" } : {});
  return row([stretched(open, "prefix"), made, stretched(close, "postfix")]);
}


/** @param {Record<string, string>} attributes @returns {Command} */
const fraction = (attributes) => (parser) => make("mfrac", attributes, parser.argument(), parser.argument());

/** @param {Record<string, string>} attributes @returns {Command} */
const binomial = (attributes) => (parser) =>
  row([stretched("(", "prefix"), make("mfrac", { linethickness: "0", ...attributes }, parser.argument(), parser.argument()), stretched(")", "postfix")]);

/** @type {Command} */
function root(parser) {
  if (!parser.take("[")) return make("msqrt", {}, parser.argument());
  const index = parser.row("]");
  parser.expect("]");
  return make("mroot", {}, parser.argument(), index);
}

/** @type {Command} */
function fenced(parser) {
  const parts = [stretched(parser.delimiter(), "prefix"), parser.row()];
  while (parser.take("\\middle")) parts.push(stretched(parser.delimiter(), "infix"), parser.row());
  parser.expect("\\right");
  return row([...parts, stretched(parser.delimiter(), "postfix")]);
}

/** @type {Command} */
function accent(parser, name) {
  const isUnder = UNDER.has(name);
  const sign = operator((isUnder ? UNDER : ACCENTS).get(name) ?? "", { stretchy: String(/^(wide|over|under)/.test(name)) });
  return make(isUnder ? "munder" : "mover", { [isUnder ? "accentunder" : "accent"]: "true" }, parser.argument(), sign);
}

/** A line is a border: few fonts have one that stretches. @param {string} side @returns {Command} */
const lined = (side) => (parser) => make("mrow", { style: { [`border-block-${side}`]: "1px solid", [`padding-block-${side}`]: "0.12em" } }, parser.argument());

/** @type {Command} */
const text = (parser) => make("mtext", {}, parser.words());

/** @param {"mover" | "munder"} tag @returns {Command} */
const stacked = (tag) => (parser) => {
  const mark = parser.argument();
  return make(tag, {}, parser.argument(), mark);
};

/** @param {string} sign @returns {Command} */
const longArrow = (sign) => (parser) => {
  const below = parser.take("[") ? parser.row("]") : null;
  if (below) parser.expect("]");
  const arrow = operator(sign, { stretchy: "true" });
  const above = row([space(0.4), parser.argument(), space(0.4)]);
  return below ? make("munderover", {}, arrow, below, above) : make("mover", {}, arrow, above);
};

/** @type {Command} */
function named(parser) {
  const isStarred = parser.take("*");
  const name = parser.words().replace(/\u00a0/g, "\u2009");
  return isStarred ? operator(name, { movablelimits: "true", ...TIGHT }) : make("mi", name.length === 1 ? { mathvariant: "normal" } : {}, name);
}

/** @type {Command} */
function negated(parser) {
  const made = parser.argument();
  const [sign] = made.children;
  if (made.tag !== "mo" || typeof sign !== "string") throw new Unknown();
  return operator(`${sign}\u0338`.normalize("NFC"));
}

/** @type {Command} */
const boxed = (parser) => make("mrow", { style: { border: "1px solid", padding: "0.3em 0.4em" } }, parser.argument());

/** @type {Command} */
const substack = (parser) => {
  parser.expect("{");
  const made = table(lines(parser), { isTight: true, side: () => "center" });
  parser.expect("}");
  return made;
};

/** @type {Command} */
const modulo = (parser) => row([space(1), fixed("("), make("mi", {}, "mod"), space(0.333), parser.argument(), fixed(")")]);

/** @type {[string, Command][]} each with the names it goes by */
const LISTED = [
  ["frac cfrac", fraction({})],
  ["dfrac", fraction({ displaystyle: "true" })],
  ["tfrac", fraction({ displaystyle: "false" })],
  ["binom", binomial({})],
  ["dbinom", binomial({ displaystyle: "true" })],
  ["tbinom", binomial({ displaystyle: "false" })],
  ["sqrt", root],
  ["left", fenced],
  ["begin", environment],
  ["text textrm textnormal mbox", text],
  ["overset stackrel", stacked("mover")],
  ["underset", stacked("munder")],
  ["xrightarrow", longArrow("→")],
  ["xleftarrow", longArrow("←")],
  ["operatorname", named],
  ["not", negated],
  ["overline", lined("start")],
  ["underline", lined("end")],
  ["boxed fbox", boxed],
  ["substack", substack],
  ["pmod", modulo],
  ["bmod", () => row([space(0.222), operator("mod", TIGHT), space(0.222)])],
  ["tag", (parser) => row([space(2), make("mtext", {}, `(${parser.words()})`)])],
  ["nonumber notag", () => row([])],
  [[...ACCENTS.keys(), ...UNDER.keys()].join(" "), accent],
];

/** @type {Map<string, Command>} */
export const COMMANDS = new Map(LISTED.flatMap(([names, command]) => names.split(" ").map((name) => [name, command])));

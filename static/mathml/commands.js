/**
 * `mathml/`: TeX formulas to MathML. Finding formulas in a text is Markdown's work, in `markdown/math-syntax.js`.
 */
/** The commands with arguments, and the environments. */
import { ACCENTS, UNDER } from "./symbols.js";
import { TIGHT, UnsupportedTex, fixed, node, operator, row, space, stretchy } from "./tree.js";

/** @typedef {import("./tree.js").Formula} Formula */
/** @typedef {import("./parser.js").Parser} Parser */
/** @typedef {(parser: Parser, name: string) => Formula} Command */

const FENCES = new Map(Object.entries({ matrix: "..", pmatrix: "()", bmatrix: "[]", Bmatrix: "{}", vmatrix: "||", Vmatrix: "‖‖", cases: "{.", rcases: ".}" }));
const ALIGNED = /^(?:align(?:ed)?(?:at)?|split)$/;
const GATHERED = /^(?:gather(?:ed)?|equation)$/;
/** @type {Record<string, string>} */
const SIDES = { l: "left", r: "right" };

/** Parse lines of cells. @param {Parser} parser @param {Set<number>} [rules] is filled with the numbers of the lines that a `\\hline` is above */
export function parseLines(parser, rules) {
  /** @type {Formula[][]} */
  const lines = [[]];
  const readRules = () => {
    while (rules && parser.take("\\hline")) rules.add(lines.length - 1);
  };
  readRules();
  for (;;) {
    lines.at(-1)?.push(parser.row());
    if (parser.take("&")) continue;
    if (!parser.take("\\\\") && !parser.take("\\cr")) break;
    if (parser.peek() === "[") parser.skipLength();
    lines.push([]);
    readRules();
  }
  // A line break at the end does not start another line.
  const last = lines.at(-1) ?? [];
  if (lines.length > 1 && last.length === 1 && last[0]?.children.length === 0 && last[0].tag === "mrow") lines.pop();
  return lines;
}

/**
 * Return the lines beside a cell, as borders.
 * @param {number} line @param {number} column @param {Rules} rules
 */
function borders(line, column, { above, before, lines, columns }) {
  /** @type {[boolean, string][]} */
  const sides = [
    [above.has(line), "block-start"],
    [line === lines - 1 && above.has(lines), "block-end"],
    [before.has(column), "inline-start"],
    [column === columns - 1 && before.has(columns), "inline-end"],
  ];
  return Object.fromEntries(sides.filter(([isDrawn]) => isDrawn).map(([, side]) => [`border-${side}`, "1px solid"]));
}

/** @typedef {{above: Set<number>, before: Set<number>, lines: number, columns: number}} Rules the lines above lines and before columns */

/** @param {Formula[][]} body @param {{side?: (column: number) => string, isTight?: boolean, isDisplay?: boolean, above?: Set<number>, before?: Set<number>}} options */
export function buildTable(body, { side = () => "center", isTight = false, isDisplay = false, above = new Set(), before = new Set() }) {
  const columns = Math.max(...before, ...body.map(({ length }) => length));
  const rules = { above, before, lines: body.length, columns };
  // With lines, every row has all cells: a missing one would interrupt them.
  if (above.size + before.size > 0) for (const cells of body) while (cells.length < columns) cells.push(row([]));
  const rows = body.map((cells, line) =>
    node(
      "mtr",
      {},
      ...cells.map((cell, column) => {
        const padding = isTight ? `${column && column % 2 === 0 ? 2 : 0}em 0` : "0.4em";
        // `-webkit-`: a cell's content is a block, which a plain `text-align` does not align.
        return node("mtd", { style: { "text-align": `-webkit-${side(column)}`, "padding-inline": padding, ...borders(line, column, rules) } }, cell);
      }),
    ),
  );
  return node("mtable", isDisplay ? { displaystyle: "true" } : {}, ...rows);
}

/** @param {number} column */
export const alignedSide = (column) => (column % 2 ? "left" : "right");

/** @type {Command} */
function environment(parser) {
  const name = parser.rawArgument();
  const kind = name.replace(/\*$/, "");
  const format = kind === "array" ? parser.rawArgument().replace(/\s/g, "") : "";
  const columns = format.replaceAll("|", "");
  /** The columns that a bar is before. */
  const before = new Set([...format.matchAll(/\|+/g)].map(({ index }) => format.slice(0, index).replaceAll("|", "").length));
  if (kind.endsWith("at")) parser.rawArgument();
  const above = new Set();
  const body = parseLines(parser, above);
  parser.expect("\\end");
  if (parser.rawArgument() !== name) throw new UnsupportedTex();
  if (ALIGNED.test(kind)) return buildTable(body, { side: alignedSide, isTight: true, isDisplay: true, above });
  if (GATHERED.test(kind)) return buildTable(body, { isDisplay: true, above });
  if (kind === "array" && /^[lcr]+$/.test(columns)) return buildTable(body, { side: (column) => SIDES[columns[column] ?? ""] ?? "center", above, before });
  const [open, close] = FENCES.get(kind) ?? "";
  if (!open || !close) throw new UnsupportedTex();
  const table = buildTable(body, /cases/.test(kind) ? { side: () => "left", above } : { above });
  return row([stretchy(open, "prefix"), table, stretchy(close, "postfix")]);
}


/** @param {Record<string, string>} attributes @returns {Command} */
const fraction = (attributes) => (parser) => node("mfrac", attributes, parser.argument(), parser.argument());

/** @param {Record<string, string>} attributes @returns {Command} */
const binomial = (attributes) => (parser) =>
  row([stretchy("(", "prefix"), node("mfrac", { linethickness: "0", ...attributes }, parser.argument(), parser.argument()), stretchy(")", "postfix")]);

/** @type {Command} */
function root(parser) {
  if (!parser.take("[")) return node("msqrt", {}, parser.argument());
  const index = parser.row("]");
  parser.expect("]");
  return node("mroot", {}, parser.argument(), index);
}

/** @type {Command} */
function delimited(parser) {
  const parts = [stretchy(parser.delimiter(), "prefix"), parser.row()];
  while (parser.take("\\middle")) parts.push(stretchy(parser.delimiter(), "infix"), parser.row());
  parser.expect("\\right");
  return row([...parts, stretchy(parser.delimiter(), "postfix")]);
}

/** @type {Command} */
function accent(parser, name) {
  const isUnder = UNDER.has(name);
  const sign = operator((isUnder ? UNDER : ACCENTS).get(name) ?? "", { stretchy: String(/^(wide|over|under)/.test(name)) });
  return node(isUnder ? "munder" : "mover", { [isUnder ? "accentunder" : "accent"]: "true" }, parser.argument(), sign);
}

/** A line is drawn as a border, because few fonts have a line that stretches. @param {string} side @returns {Command} */
const lined = (side) => (parser) => node("mrow", { style: { [`border-block-${side}`]: "1px solid", [`padding-block-${side}`]: "0.12em" } }, parser.argument());

/** @type {Command} */
const text = (parser) => node("mtext", {}, parser.text());

/** @param {"mover" | "munder"} tag @returns {Command} */
const stacked = (tag) => (parser) => {
  const mark = parser.argument();
  return node(tag, {}, parser.argument(), mark);
};

/** @param {string} sign @returns {Command} */
const longArrow = (sign) => (parser) => {
  const below = parser.take("[") ? parser.row("]") : null;
  if (below) parser.expect("]");
  const arrow = operator(sign, { stretchy: "true" });
  const above = row([space(0.4), parser.argument(), space(0.4)]);
  return below ? node("munderover", {}, arrow, below, above) : node("mover", {}, arrow, above);
};

/** @type {Command} */
function operatorName(parser) {
  const isStarred = parser.take("*");
  const name = parser.text().replace(/\u00a0/g, "\u2009");
  return isStarred ? operator(name, { movablelimits: "true", ...TIGHT }) : node("mi", name.length === 1 ? { mathvariant: "normal" } : {}, name);
}

/** @type {Command} */
function negated(parser) {
  const symbol = parser.argument();
  const [sign] = symbol.children;
  if (symbol.tag !== "mo" || typeof sign !== "string") throw new UnsupportedTex();
  return operator(`${sign}\u0338`.normalize("NFC"));
}

/** @type {Command} */
const boxed = (parser) => node("mrow", { style: { border: "1px solid", padding: "0.3em 0.4em" } }, parser.argument());

/** @type {Command} */
const substack = (parser) => {
  parser.expect("{");
  const table = buildTable(parseLines(parser), { isTight: true, side: () => "center" });
  parser.expect("}");
  return table;
};

/** @type {Command} */
const modulo = (parser) => row([space(1), fixed("("), node("mi", {}, "mod"), space(0.333), parser.argument(), fixed(")")]);

/** @type {[string, Command][]} the names of each command */
const TABLE = [
  ["frac cfrac", fraction({})],
  ["dfrac", fraction({ displaystyle: "true" })],
  ["tfrac", fraction({ displaystyle: "false" })],
  ["binom", binomial({})],
  ["dbinom", binomial({ displaystyle: "true" })],
  ["tbinom", binomial({ displaystyle: "false" })],
  ["sqrt", root],
  ["left", delimited],
  ["begin", environment],
  ["text textrm textnormal mbox", text],
  ["overset stackrel", stacked("mover")],
  ["underset", stacked("munder")],
  ["xrightarrow", longArrow("→")],
  ["xleftarrow", longArrow("←")],
  ["operatorname", operatorName],
  ["not", negated],
  ["overline", lined("start")],
  ["underline", lined("end")],
  ["boxed fbox", boxed],
  ["substack", substack],
  ["pmod", modulo],
  ["bmod", () => row([space(0.222), operator("mod", TIGHT), space(0.222)])],
  ["tag", (parser) => row([space(2), node("mtext", {}, `(${parser.text()})`)])],
  ["nonumber notag", () => row([])],
  [[...ACCENTS.keys(), ...UNDER.keys()].join(" "), accent],
];

/** @type {Map<string, Command>} */
export const COMMANDS = new Map(TABLE.flatMap(([names, command]) => names.split(" ").map((name) => [name, command])));

/**
 * What all parts of one answer share, and the place for its blocks.
 */
import { h } from "../dom/elements.js";
import { BlocksView } from "./blocks.js";
import { FormulaViews } from "./formulas.js";

/** @typedef {import("../stream/frames.js").Source} Source */
/** @typedef {import("../markdown/tree.js").Node} Node */
/** @typedef {import("./policy.js").Scene} Scene */
/** @typedef {import("./settled.js").Settling} Settling */

/**
 * @typedef {object} Options
 * @property {string} [id] begins the ids within the message; each message of a page has another
 * @property {readonly Source[]} [sources] what `[1]` may cite
 * @property {string} [base] the address of the page, below which the server keeps images
 * @property {readonly string[]} [origins] others, from which all images load
 * @property {Pick<import("../stream/types.js").Clock, "after" | "cancel">} [clock]
 * @property {boolean} [isPlain] whether code and formulas stay as their source
 */

/** Blocks are laid out in groups of groups: a browser looks at all children of what holds them whenever one grows. */
const GROUP = 16;
const LEVELS = 3;

let ids = 0;

/**
 * @param {Options} options
 * @param {Pick<Scene, "definition">} known
 * @param {Map<string, Node>} footnotes in the order in which they were defined
 * @param {Settling} settling
 * @returns {Scene}
 */
export function sceneOf({ id = `m${++ids}`, sources = [], base = document.baseURI, origins = [], isPlain = false }, known, footnotes, settling) {
  /** @type {Map<string, number>} */
  const numbers = new Map();
  const number = () => {
    if (numbers.size < footnotes.size) for (const label of [...footnotes.keys()].slice(numbers.size)) numbers.set(label, numbers.size + 1);
    return numbers;
  };
  const formulas = new FormulaViews(isPlain);
  const root = new URL("./", base);
  return {
    ...known,
    id,
    footnote: (identifier) => number().get(identifier) ?? 0,
    sources: new Map(sources.map((source) => [source.n, source])),
    base: root.href,
    origins: new Set(origins.filter((origin) => origin !== root.origin)),
    open: null,
    added: new Map(),
    views: new Map(),
    math: (element, node) => formulas.show(element, node),
    paint: isPlain ? () => {} : paint,
    settle: (element) => settling.complete(element),
  };
}

/**
 * @param {HTMLElement} code
 * @param {string} language
 */
function paint(code, language) {
  import("../highlight/index.js").then(
    ({ highlight }) => highlight(code, language, code.textContent ?? ""),
    () => {}, // it stays plain where the module can't be loaded
  );
}

/**
 * Make the place for the blocks of an answer.
 * @param {HTMLElement} root
 * @param {Scene} scene
 * @param {Settling} settling
 */
export function blocksIn(root, scene, settling) {
  /** @type {HTMLElement[][]} */
  const levels = Array.from({ length: LEVELS }, () => []);
  const box = (/** @type {number} */ index) =>
    levels.reduce((place, groups, level) => {
      const at = Math.floor(index / GROUP ** (LEVELS - level));
      const group = groups[at] ?? h("div", { class: "blocks" });
      if (groups[at]) return group;
      place.append((groups[at] = group));
      if (level === LEVELS - 1) settling.open(group);
      return group;
    }, root);
  return new BlocksView(box, scene, 0);
}

/**
 * The context that all views of one answer share, and the elements that group its blocks.
 */
import { h } from "../dom/elements.js";
import { BlocksView } from "./blocks-view.js";
import { FormulaViews } from "./formulas.js";
import { createScrollWatcher } from "./scroll-boxes.js";

/** @typedef {import("../stream/frames.js").Source} Source */
/** @typedef {import("../markdown/tree.js").Node} Node */
/** @typedef {import("./policy.js").RenderContext} RenderContext */
/** @typedef {import("./settled-groups.js").SettledGroups} SettledGroups */

/**
 * @typedef {object} Options
 * @property {string} [id] prefix of the element ids within the message, unique on the page
 * @property {readonly Source[]} [sources] the sources that `[1]` may cite
 * @property {string} [base] the URL of the page, below which the server serves images
 * @property {readonly string[]} [origins] other origins, from which all images may load
 * @property {Pick<import("../stream/types.js").Clock, "after" | "cancel">} [clock]
 * @property {boolean} [isPlain] whether code and formulas are shown as their source
 */

/** Blocks are put into nested groups, because a browser checks all children of an element whenever one of them grows. */
const GROUP_SIZE = 16;
const GROUP_LEVELS = 3;

let ids = 0;

/**
 * @param {Options} options
 * @param {Pick<RenderContext, "definition">} definitions
 * @param {Map<string, Node>} footnotes in the order of their definitions
 * @param {SettledGroups} groups
 * @returns {RenderContext}
 */
export function createContext({ id = `m${++ids}`, sources = [], base = document.baseURI, origins = [], isPlain = false }, definitions, footnotes, groups) {
  /** @type {Map<string, number>} */
  const numbers = new Map();
  const numberAll = () => {
    if (numbers.size < footnotes.size) for (const label of [...footnotes.keys()].slice(numbers.size)) numbers.set(label, numbers.size + 1);
    return numbers;
  };
  const formulas = new FormulaViews(isPlain);
  /** The highest level of a heading so far, and the level of the last one's element: those of the page are 1 and 2. */
  let top = 6;
  let last = 2;
  const root = new URL("./", base);
  return {
    ...definitions,
    id,
    footnote: (identifier) => numberAll().get(identifier) ?? 0,
    sources: new Map(sources.map((source) => [source.n, source])),
    base: root.href,
    origins: new Set(origins.filter((origin) => origin !== root.origin)),
    openLeaf: null,
    appended: new Map(),
    views: new Map(),
    showFormula: (element, node) => formulas.show(element, node),
    highlight: isPlain ? () => {} : highlightCode,
    complete: (element) => groups.complete(element),
    watchScrolling: createScrollWatcher(),
    headingLevel: (depth) => (last = Math.min(6, last + 1, 3 + depth - (top = Math.min(top, depth)))),
  };
}

/**
 * @param {HTMLElement} code
 * @param {string} language
 */
function highlightCode(code, language) {
  import("../highlight/index.js").then(
    ({ highlight }) => highlight(code, language, code.textContent ?? ""),
    () => {}, // the code stays plain if the module can't be loaded
  );
}

/**
 * Create the view of an answer's blocks.
 * @param {HTMLElement} root
 * @param {RenderContext} context
 * @param {SettledGroups} groups
 */
export function createBlocksView(root, context, groups) {
  /** @type {HTMLElement[][]} */
  const levels = Array.from({ length: GROUP_LEVELS }, () => []);
  const parentOf = (/** @type {number} */ index) =>
    levels.reduce((parent, siblings, level) => {
      const at = Math.floor(index / GROUP_SIZE ** (GROUP_LEVELS - level));
      const group = siblings[at] ?? h("div", { class: "blocks" });
      if (siblings[at]) return group;
      parent.append((siblings[at] = group));
      groups.open(group, level);
      return group;
    }, root);
  return new BlocksView(parentOf, context, 0);
}

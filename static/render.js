/**
 * An answer as elements: `stream` shows Markdown while it comes, `draw` a whole tree. What stands above the end that
 * still changes is never touched again, so that a selection in it survives.
 */
import { clock } from "./clock.js";
import { h } from "./dom.js";
import { Stream } from "./markdown/stream.js";
import { BlocksView } from "./render/blocks.js";
import { listen } from "./render/clicks.js";
import { FormulaViews } from "./render/formulas.js";
import { PART_CHARS } from "./render/paragraph.js";
import { freeKept } from "./render/phrases.js";
import { Rare } from "./render/rare.js";
import { Settling } from "./render/settled.js";

/** @typedef {import("./frames.js").Source} Source */
/** @typedef {import("./markdown/tree.js").Node} Node */
/** @typedef {import("./markdown/tree.js").Parent} Parent */
/** @typedef {import("./render/policy.js").Scene} Scene */

/**
 * @typedef {object} Options
 * @property {string} [id] begins the ids within the message; each message of a page has another
 * @property {readonly Source[]} [sources] what `[1]` may cite
 * @property {readonly string[]} [origins] from which images load, besides the page's own
 * @property {Pick<import("./seams.js").Clock, "after" | "cancel">} [clock]
 * @property {boolean} [isPlain] whether code and formulas stay as their source
 */

/** A line that is only a marker is shown after so long without anything that decides it. */
export const RELEASE_MS = 300;
/** Blocks are laid out in groups of groups: a browser looks at all children of what holds them whenever one grows. */
const GROUP = 16;
const LEVELS = 3;
/** Longer code is not coloured. */
const LONGEST_PAINTED_CHARS = 50_000;

let ids = 0;

/**
 * @param {Options} options
 * @param {Pick<Scene, "definition">} known
 * @param {Map<string, Node>} footnotes in the order in which they were defined
 * @param {Settling} settling
 * @returns {Scene}
 */
function sceneOf({ id = `m${++ids}`, sources = [], origins = [], isPlain = false }, known, footnotes, settling) {
  /** @type {Map<string, number>} */
  const numbers = new Map();
  const number = () => {
    if (numbers.size < footnotes.size) for (const label of [...footnotes.keys()].slice(numbers.size)) numbers.set(label, numbers.size + 1);
    return numbers;
  };
  const formulas = new FormulaViews(isPlain);
  return {
    ...known,
    id,
    footnote: (identifier) => number().get(identifier) ?? 0,
    sources: new Map(sources.map((source) => [source.n, source])),
    origins: new Set([location.origin, ...origins]),
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
  const text = code.textContent ?? "";
  if (text.length > LONGEST_PAINTED_CHARS) return;
  import("./highlight.js").then(
    ({ highlight }) => highlight(code, language, text),
    () => {}, // it stays plain where the module can't be loaded
  );
}

/**
 * Make the place for the blocks of an answer.
 * @param {HTMLElement} root
 * @param {Scene} scene
 * @param {Settling} settling
 */
function blocksIn(root, scene, settling) {
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

/**
 * Show a text while it comes.
 * @param {HTMLElement} root empty
 * @param {Options} [options]
 * @returns {{write: (text: string) => void, end: () => void, close: () => void, isWaiting: boolean}} `close` when nobody
 *   will call `end`; `isWaiting` while the table of rare names is on its way, for which the rest of the text waits
 */
export function stream(root, options = {}) {
  const time = options.clock ?? clock;
  const source = new Stream();
  const settling = new Settling();
  const scene = sceneOf(options, { definition: (identifier) => source.definitions.get(identifier) }, source.footnotes, settling);
  const blocks = blocksIn(root, scene, settling);
  const held = h("p", { class: "held", dir: "auto" });
  let timer = 0;
  const release = () => {
    held.textContent = source.held;
    if (source.held !== "") root.append(held);
  };
  const show = () => {
    scene.open = source.open;
    scene.added = source.added;
    for (const node of source.again) scene.views.get(node)?.show(node);
    source.again.clear();
    blocks.show(source.root.children);
    source.added.clear();
  };
  const hush = () => {
    time.cancel(timer);
    held.remove();
  };
  const rare = new Rare((text) => {
    hush();
    source.write(text);
    show();
    if (source.held !== "") timer = time.after(release, RELEASE_MS);
  });
  const finish = () => {
    hush();
    source.end(PART_CHARS);
    show();
    freeKept(root);
    settling.end();
  };
  listen(root);
  return {
    write: (text) => rare.write(text),
    end: () => rare.end(finish),
    close() {
      hush();
      rare.close();
    },
    get isWaiting() {
      return rare.isWaiting;
    },
  };
}

/**
 * Show a whole tree.
 * @param {HTMLElement} root empty
 * @param {Parent} tree
 * @param {Options} [options]
 */
export function draw(root, tree, options = {}) {
  /** @type {{definition: Map<string, Node>, footnoteDefinition: Map<string, Node>}} */
  const known = { definition: new Map(), footnoteDefinition: new Map() };
  /** @type {Node[]} */
  const left = [tree];
  for (let node = left.pop(); node; node = left.pop()) {
    const { type, identifier, children } = node;
    const all = type === "definition" || type === "footnoteDefinition" ? known[type] : null;
    if (all && identifier !== undefined && !all.has(identifier)) all.set(identifier, node);
    if (children) left.push(...[...children].reverse());
  }
  const settling = new Settling();
  const scene = sceneOf(options, { definition: (identifier) => known.definition.get(identifier) }, known.footnoteDefinition, settling);
  blocksIn(root, scene, settling).show(tree.children);
  settling.end();
  listen(root);
}

/** Something of each kind that most answers have. */
const REHEARSAL = "A *word* [1], `code`, [more](https://example.org) &amp;\n\n- one\n- two\n\n# Head\n\n```\nx\n```\n";

/** Draw an answer that nobody sees: a browser compiles code when it first runs, and the first answer shall not wait. */
export function rehearse() {
  const rehearsal = stream(h("div"), { isPlain: true });
  rehearsal.write(REHEARSAL);
  rehearsal.end();
}

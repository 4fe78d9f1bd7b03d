/**
 * Runs of `*`, `_` and `~`, and what they enclose (https://spec.commonmark.org/0.31.2/#phase-2-inline-structure).
 */
import { characterAt, characterBefore, GAP, kindOf, SIGN } from "./characters.js";

/** @typedef {import("./tree.js").Node} Node */

/**
 * @typedef {object} Run signs not yet used up
 * @property {string} mark
 * @property {number} size how many are left
 * @property {boolean} canOpen
 * @property {boolean} canClose
 */

/** @typedef {{node: Node, run: Run | null, from: number, to: number}} Item a node or a run, and its place in the text */

/**
 * Pair runs among items of one level and make nodes of them.
 * @param {Item[]} items
 * @param {boolean} isStruckFirst whether strikethrough is paired before emphasis
 */
export function pair(items, isStruckFirst) {
  return isStruckFirst ? pairStresses(pairStrikes(items)) : pairStrikes(pairStresses(items));
}

/**
 * Pair runs, and tell from where on more text could pair them otherwise.
 * @param {Item[]} items
 * @param {boolean} isStruckFirst
 */
export function pairSoFar(items, isStruckFirst) {
  const first = isStruckFirst ? pairStrikes(items) : pairStresses(items);
  const open = first.find(({ run }) => run?.canOpen && (run.mark === "~") === isStruckFirst)?.from ?? Infinity;
  const paired = isStruckFirst ? pairStresses(first) : pairStrikes(first);
  return { items: paired, open: Math.min(open, paired.find(({ run }) => run?.canOpen)?.from ?? Infinity) };
}

/**
 * Make nodes of items: runs that enclose nothing are text, texts beside each other are one.
 * @param {Item[]} items
 * @returns {Node[]}
 */
export function nodesOf(items) {
  /** @type {Node[]} */
  const nodes = [];
  for (const { node, run } of items) {
    const value = run ? run.mark.repeat(run.size) : node.value;
    const last = nodes.at(-1);
    if (node.type === "text" && !value) continue;
    if (node.type === "text" && last?.type === "text") last.value = `${last.value}${value}`;
    else if (node.type === "text") nodes.push({ type: "text", value: value ?? "" });
    else nodes.push(node);
  }
  return nodes;
}

/**
 * @param {Item[]} items
 * @param {string} marks
 */
function has(items, marks) {
  return items.some(({ run }) => run !== null && marks.includes(run.mark));
}

/** @typedef {{item: Item, at: number}} Opener */

/**
 * Openers that still wait, by sign, and which kinds of closers have looked for one in vain.
 */
class Waiting {
  /** @type {Map<string, Opener[]>} */
  #openers = new Map();
  /** @type {Map<string, number>} */
  #floors = new Map();

  /**
   * @param {Item} item
   * @param {string} key
   * @param {number} at
   */
  add(item, key, at) {
    this.#of(key).push({ item, at });
  }

  /** @param {string} key */
  #of(key) {
    const all = this.#openers.get(key) ?? [];
    this.#openers.set(key, all);
    return all;
  }

  /**
   * Find the nearest opener that fits; after a search in vain, the like never looks that far again.
   * @param {string} key
   * @param {string} kind
   * @param {(run: Run) => boolean} fits
   */
  find(key, kind, fits) {
    const all = this.#of(key);
    const floor = this.#floors.get(kind) ?? -1;
    for (let index = all.length - 1; index >= 0; index--) {
      const opener = /** @type {Opener} */ (all[index]);
      if (opener.at <= floor) break;
      if (opener.item.run && fits(opener.item.run)) return opener;
    }
    this.#floors.set(kind, all.at(-1)?.at ?? floor);
    return null;
  }

  /**
   * Forget the openers from here on.
   * @param {number} at
   */
  forget(at) {
    for (const all of this.#openers.values()) {
      while ((all.at(-1)?.at ?? -1) >= at) all.pop();
    }
    for (const [kind, floor] of this.#floors) if (floor >= at) this.#floors.set(kind, at - 1);
  }
}

/**
 * @param {Item[]} items
 * @returns {Item[]}
 */
function pairStresses(items) {
  if (!has(items, "*_")) return items;
  /** @type {Item[]} */
  const done = [];
  const waiting = new Waiting();
  for (const item of items) {
    const { run } = item;
    if (run?.canClose && run.mark !== "~") closeStress(item, run, done, waiting);
    if (run && run.size > 0 && run.canOpen && run.mark !== "~") waiting.add(item, run.mark, done.length);
    if (!run || run.size > 0) done.push(item);
  }
  return done;
}

/**
 * @param {Item} closer
 * @param {Run} run
 * @param {Item[]} done
 * @param {Waiting} waiting
 */
function closeStress(closer, run, done, waiting) {
  while (run.size > 0) {
    const kind = `${run.mark}${run.canOpen}${run.size % 3}`;
    const opener = waiting.find(run.mark, kind, (other) => fits(other, run));
    if (!opener?.item.run) return;
    const used = run.size > 1 && opener.item.run.size > 1 ? 2 : 1;
    wrap(done, opener, { type: used > 1 ? "strong" : "emphasis", used, closer }, waiting);
  }
}

/**
 * @param {Run} opener
 * @param {Run} closer
 */
function fits(opener, closer) {
  const isEither = opener.canClose || closer.canOpen;
  return !isEither || closer.size % 3 === 0 || (opener.size + closer.size) % 3 !== 0;
}

/**
 * Enclose everything after an opener.
 * @param {Item[]} done
 * @param {Opener} opener
 * @param {{type: string, used: number, closer: Item}} into
 * @param {Waiting} waiting
 */
function wrap(done, { item, at }, { type, used, closer }, waiting) {
  const inner = done.splice(at + 1).map((each) => plain(each, type));
  const children = nodesOf(type === "delete" ? pairStrikes(pairStresses(inner)) : pairStrikes(inner));
  waiting.forget(at + 1);
  const run = /** @type {Run} */ (item.run);
  run.size -= used;
  if (run.size === 0) {
    waiting.forget(at);
    done.pop();
  }
  if (closer.run) closer.run.size -= used;
  done.push({ node: { type, children }, run: null, from: item.from, to: closer.to });
}

/**
 * A run of the kind just paired that found nothing is text.
 * @param {Item} item
 * @param {string} type
 * @returns {Item}
 */
function plain(item, type) {
  const { run } = item;
  if (!run || (run.mark === "~") !== (type === "delete")) return item;
  return { ...item, run: null, node: { type: "text", value: run.mark.repeat(run.size) } };
}

/**
 * @param {Item[]} items
 * @returns {Item[]}
 */
function pairStrikes(items) {
  if (!has(items, "~")) return items;
  /** @type {Item[]} */
  const done = [];
  const waiting = new Waiting();
  for (const item of items) {
    const { run } = item;
    const key = run?.mark === "~" ? `~${run.size}` : "";
    const opener = key && run?.canClose ? waiting.find(key, key, () => true) : null;
    if (opener && run) wrap(done, opener, { type: "delete", used: run.size, closer: item }, waiting);
    else {
      if (key && run?.canOpen) waiting.add(item, key, done.length);
      done.push(item);
    }
  }
  return done;
}

/**
 * Tell what a run may do by what stands beside it.
 * @param {string} text
 * @param {number} from
 * @param {number} to
 * @param {string} mark
 */
export function sides(text, from, to, mark) {
  const previous = characterBefore(text, from);
  const next = characterAt(text, to);
  const before = kindOf(previous);
  const after = kindOf(next);
  const opens = after !== GAP && (after !== SIGN || before !== 0 || (mark !== "~" && next === "~"));
  const closes = before !== GAP && (before !== SIGN || after !== 0 || (mark !== "~" && previous === "~"));
  if (mark !== "_") return { canOpen: opens, canClose: closes };
  return { canOpen: opens && (before !== 0 || !closes), canClose: closes && (after !== 0 || !opens) };
}

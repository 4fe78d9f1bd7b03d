/**
 * Delimiter runs of `*`, `_` and `~`: emphasis and strikethrough (https://spec.commonmark.org/0.31.2/#phase-2-inline-structure).
 */
import { characterAt, characterBefore, isCjk, LETTER, WHITESPACE, characterClass, PUNCTUATION } from "./characters.js";

/** @typedef {import("./tree.js").Node} Node */

/**
 * @typedef {object} DelimiterRun
 * @property {string} mark its character
 * @property {number} size how many delimiters are left
 * @property {boolean} canOpen
 * @property {boolean} canClose
 */

/** @typedef {{node: Node, run: DelimiterRun | null, from: number, to: number}} Item a node or a delimiter run, and its range in the text */

/**
 * Pair the delimiter runs of one level, and make nodes of what they enclose.
 * @param {Item[]} items
 * @param {boolean} isStrikethroughFirst whether strikethrough is paired before emphasis
 */
export function pairDelimiters(items, isStrikethroughFirst) {
  return isStrikethroughFirst ? pairEmphasis(pairStrikethrough(items)) : pairStrikethrough(pairEmphasis(items));
}

/**
 * Pair delimiter runs; `open` is the position from which more text could pair them differently.
 * @param {Item[]} items
 * @param {boolean} isStrikethroughFirst
 */
export function pairPartial(items, isStrikethroughFirst) {
  const first = isStrikethroughFirst ? pairStrikethrough(items) : pairEmphasis(items);
  const open = first.find(({ run }) => run?.canOpen && (run.mark === "~") === isStrikethroughFirst)?.from ?? Infinity;
  const paired = isStrikethroughFirst ? pairEmphasis(first) : pairStrikethrough(first);
  return { items: paired, open: Math.min(open, paired.find(({ run }) => run?.canOpen)?.from ?? Infinity) };
}

/**
 * Return the items' nodes: unpaired runs become text, adjacent texts are merged.
 * @param {Item[]} items
 * @returns {Node[]}
 */
export function toNodes(items) {
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
function hasRun(items, marks) {
  return items.some(({ run }) => run !== null && marks.includes(run.mark));
}

/** @typedef {{item: Item, at: number}} Opener */

/**
 * The unpaired openers by key, and how far back a kind of closer can still find one (CommonMark's `openers_bottom`).
 */
class Openers {
  /** @type {Map<string, Opener[]>} */
  #openers = new Map();
  /** @type {Map<string, number>} */
  #bottoms = new Map();

  /**
   * @param {Item} item
   * @param {string} key
   * @param {number} at
   */
  add(item, key, at) {
    this.#list(key).push({ item, at });
  }

  /** @param {string} key */
  #list(key) {
    const all = this.#openers.get(key) ?? [];
    this.#openers.set(key, all);
    return all;
  }

  /**
   * Find the nearest matching opener. After a failed search, closers of the same kind do not search as far again.
   * @param {string} key
   * @param {string} kind
   * @param {(run: DelimiterRun) => boolean} matches
   */
  find(key, kind, matches) {
    const all = this.#list(key);
    const bottom = this.#bottoms.get(kind) ?? -1;
    for (let index = all.length - 1; index >= 0; index--) {
      const opener = /** @type {Opener} */ (all[index]);
      if (opener.at <= bottom) break;
      if (opener.item.run && matches(opener.item.run)) return opener;
    }
    this.#bottoms.set(kind, all.at(-1)?.at ?? bottom);
    return null;
  }

  /**
   * Forget the openers from this index on.
   * @param {number} at
   */
  forget(at) {
    for (const all of this.#openers.values()) {
      while ((all.at(-1)?.at ?? -1) >= at) all.pop();
    }
    for (const [kind, bottom] of this.#bottoms) if (bottom >= at) this.#bottoms.set(kind, at - 1);
  }
}

/**
 * @param {Item[]} items
 * @returns {Item[]}
 */
function pairEmphasis(items) {
  if (!hasRun(items, "*_")) return items;
  /** @type {Item[]} */
  const done = [];
  const openers = new Openers();
  for (const item of items) {
    const { run } = item;
    if (run?.canClose && run.mark !== "~") closeEmphasis(item, run, done, openers);
    if (run && run.size > 0 && run.canOpen && run.mark !== "~") openers.add(item, run.mark, done.length);
    if (!run || run.size > 0) done.push(item);
  }
  return done;
}

/**
 * @param {Item} closer
 * @param {DelimiterRun} run
 * @param {Item[]} done
 * @param {Openers} openers
 */
function closeEmphasis(closer, run, done, openers) {
  while (run.size > 0) {
    const kind = `${run.mark}${run.canOpen}${run.size % 3}`;
    const opener = openers.find(run.mark, kind, (other) => canPair(other, run));
    if (!opener?.item.run) return;
    const used = run.size > 1 && opener.item.run.size > 1 ? 2 : 1;
    enclose(done, opener, { type: used > 1 ? "strong" : "emphasis", used, closer }, openers);
  }
}

/**
 * @param {DelimiterRun} opener
 * @param {DelimiterRun} closer
 */
function canPair(opener, closer) {
  const isEither = opener.canClose || closer.canOpen;
  return !isEither || closer.size % 3 === 0 || (opener.size + closer.size) % 3 !== 0;
}

/**
 * Enclose the items after an opener in a node.
 * @param {Item[]} done
 * @param {Opener} opener
 * @param {{type: string, used: number, closer: Item}} into
 * @param {Openers} openers
 */
function enclose(done, { item, at }, { type, used, closer }, openers) {
  const inner = done.splice(at + 1).map((each) => toText(each, type));
  const children = toNodes(type === "delete" ? pairStrikethrough(pairEmphasis(inner)) : pairStrikethrough(inner));
  openers.forget(at + 1);
  const run = /** @type {DelimiterRun} */ (item.run);
  run.size -= used;
  if (run.size === 0) {
    openers.forget(at);
    done.pop();
  }
  if (closer.run) closer.run.size -= used;
  done.push({ node: { type, children }, run: null, from: item.from, to: closer.to });
}

/**
 * Turn an unpaired run of the kind just paired into text.
 * @param {Item} item
 * @param {string} type
 * @returns {Item}
 */
function toText(item, type) {
  const { run } = item;
  if (!run || (run.mark === "~") !== (type === "delete")) return item;
  return { ...item, run: null, node: { type: "text", value: run.mark.repeat(run.size) } };
}

/**
 * @param {Item[]} items
 * @returns {Item[]}
 */
function pairStrikethrough(items) {
  if (!hasRun(items, "~")) return items;
  /** @type {Item[]} */
  const done = [];
  const openers = new Openers();
  for (const item of items) {
    const { run } = item;
    const key = run?.mark === "~" ? `~${run.size}` : "";
    const opener = key && run?.canClose ? openers.find(key, key, () => true) : null;
    if (opener && run) enclose(done, opener, { type: "delete", used: run.size, closer: item }, openers);
    else {
      if (key && run?.canOpen) openers.add(item, key, done.length);
      done.push(item);
    }
  }
  return done;
}

/**
 * Return whether a run can open and close, by the characters beside it (left- and right-flanking runs). The specification's
 * rule relies on spaces between words; in a chat, punctuation of or beside Chinese, Japanese and Korean text is no obstacle.
 * @param {string} text
 * @param {number} from
 * @param {number} to
 * @param {string} mark
 * @param {boolean} [isChat]
 */
export function flanking(text, from, to, mark, isChat = false) {
  const previous = characterBefore(text, from);
  const next = characterAt(text, to);
  const opens = flanks(next, previous, mark) || (isChat && isBesideCjk(next, previous, characterAt(text, to + next.length)));
  const closes = flanks(previous, next, mark) || (isChat && isBesideCjk(previous, next, characterBefore(text, from - previous.length)));
  if (mark !== "_") return { canOpen: opens, canClose: closes };
  const before = characterClass(previous);
  const after = characterClass(next);
  return { canOpen: opens && (before !== LETTER || !closes), canClose: closes && (after !== LETTER || !opens) };
}

/**
 * @param {string} inner the character on the side of the enclosed text
 * @param {string} outer
 * @param {string} mark
 */
function flanks(inner, outer, mark) {
  const kind = characterClass(inner);
  return kind !== WHITESPACE && (kind !== PUNCTUATION || characterClass(outer) !== LETTER || (mark !== "~" && inner === "~"));
}

/**
 * @param {string} inner
 * @param {string} outer
 * @param {string} beyond the character after the inner one
 */
function isBesideCjk(inner, outer, beyond) {
  return characterClass(inner) !== WHITESPACE && [inner, outer, beyond].some(isCjk);
}

/**
 * The view of a list. A browser checks all items of a list whenever one grows, so that a long list is rendered as several,
 * one below the other.
 */
import { h } from "../dom/elements.js";

/** @typedef {import("../markdown/tree.js").Node} Node */
/** @typedef {import("./policy.js").RenderContext} RenderContext */

/** How many items one list element contains. */
const ITEMS_PER_LIST = 100;

/** The view of a list. */
export class ListView {
  element;
  /** @type {HTMLElement[]} the list elements */
  #lists;
  #blocks;
  #context;
  #first;
  #checkedItems = 0;

  /**
   * @param {Node} node
   * @param {(parentOf: (index: number) => HTMLElement) => {show: (nodes: Node[]) => void}} createBlocks
   * @param {RenderContext} context
   */
  constructor({ ordered, start }, createBlocks, context) {
    this.#context = context;
    this.#first = ordered ? (start ?? 1) : null;
    this.element = this.#createList(0);
    this.#lists = [this.element];
    this.#blocks = createBlocks((index) => this.#listOf(index));
  }

  /** @param {Node} node */
  show({ children = [], spread }) {
    this.#blocks.show(children);
    const isLoose = spread || children.slice(this.#checkedItems).some((child) => child.spread);
    if (isLoose) for (const list of this.#lists) if (list.dataset.loose === undefined) list.dataset.loose = "";
    this.#checkedItems = Math.max(0, children.length - 1);
  }

  remove() {
    for (const list of this.#lists) list.remove();
  }

  /** @param {number} index of an item */
  #listOf(index) {
    const at = Math.floor(index / ITEMS_PER_LIST);
    const known = this.#lists[at];
    if (known) return known;
    const before = /** @type {HTMLElement} */ (this.#lists[at - 1]);
    const list = this.#createList(index);
    list.className = "more";
    list.dir = before.dir;
    if (before.dataset.loose !== undefined) list.dataset.loose = "";
    before.after(list);
    this.#context.complete(before);
    this.#lists.push(list);
    return list;
  }

  /** @param {number} index of its first item */
  #createList(index) {
    if (this.#first === null) return h("ul");
    const start = this.#first + index;
    return h("ol", start === 1 ? {} : { start: String(start) });
  }
}

/**
 * Lists. A browser looks at all items of a list whenever one grows, so that a long one is set as several, one below
 * the other.
 */
import { h } from "../dom/elements.js";

/** @typedef {import("../markdown/tree.js").Node} Node */
/** @typedef {import("./policy.js").Scene} Scene */

/** So many items are set as one list. */
const ITEMS_TOGETHER = 100;

/** Shows a list. */
export class ListView {
  element;
  /** @type {HTMLElement[]} what the items stand in */
  #parts;
  #blocks;
  #scene;
  #first;
  #seen = 0;

  /**
   * @param {Node} node
   * @param {(box: (index: number) => HTMLElement) => {show: (nodes: Node[]) => void}} blocksIn
   * @param {Scene} scene
   */
  constructor({ ordered, start }, blocksIn, scene) {
    this.#scene = scene;
    this.#first = ordered ? (start ?? 1) : null;
    this.element = this.#part(0);
    this.#parts = [this.element];
    this.#blocks = blocksIn((index) => this.#boxOf(index));
  }

  /** @param {Node} node */
  show({ children = [], spread }) {
    this.#blocks.show(children);
    const isLoose = spread || children.slice(this.#seen).some((child) => child.spread);
    if (isLoose) for (const part of this.#parts) if (part.dataset.loose === undefined) part.dataset.loose = "";
    this.#seen = Math.max(0, children.length - 1);
  }

  remove() {
    for (const part of this.#parts) part.remove();
  }

  /** @param {number} index of an item */
  #boxOf(index) {
    const at = Math.floor(index / ITEMS_TOGETHER);
    const known = this.#parts[at];
    if (known) return known;
    const before = /** @type {HTMLElement} */ (this.#parts[at - 1]);
    const part = this.#part(index);
    part.className = "more";
    part.dir = before.dir;
    if (before.dataset.loose !== undefined) part.dataset.loose = "";
    before.after(part);
    this.#scene.settle(before);
    this.#parts.push(part);
    return part;
  }

  /** @param {number} index of its first item */
  #part(index) {
    if (this.#first === null) return h("ul");
    const start = this.#first + index;
    return h("ol", start === 1 ? {} : { start: String(start) });
  }
}

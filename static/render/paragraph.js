/**
 * A paragraph of any length. A browser lays out all of a paragraph whenever it grows, so that a very long one is set
 * in parts, of which only the last is laid out again.
 */
import { h } from "../dom/elements.js";
import { isHtml, Phrases } from "./inline-view.js";
import { cite, nest } from "./siblings.js";

/** @typedef {import("../markdown/tree.js").Node} Node */
/** @typedef {import("./policy.js").Scene} Scene */
/** @typedef {{from: number, skip: number, phrases: Phrases, element: HTMLElement | null}} Part the node it begins in, and how much of that stands before it */

/** A part ends at the first blank after so many characters. */
export const PART_CHARS = 2000;

/** @param {Node} node @returns {number} */
function weigh({ value, children }) {
  return value?.length ?? children?.reduce((sum, child) => sum + weigh(child), 1) ?? 1;
}

/** Shows the text of one block. */
export class Paragraph {
  element;
  #scene;
  /** @type {Part[]} */
  #parts = [];
  /** @type {Node[]} what was shown */
  #nodes = [];
  #wasOpen = true;

  /**
   * @param {HTMLElement} element
   * @param {Scene} scene
   */
  constructor(element, scene) {
    this.element = element;
    this.#scene = scene;
  }

  /**
   * @param {Node[]} nodes
   * @param {boolean} isOpen whether more may come
   */
  show(nodes, isOpen) {
    const first = this.#firstChanged(nodes, isOpen);
    let index = this.#parts.length - 1;
    while (index > 0 && !isBefore(this.#parts[index], first)) index--;
    this.#nodes = [...nodes];
    this.#wasOpen = isOpen;
    const { from = 0, skip = 0 } = this.#parts[index] ?? {};
    const tail = nodes.slice(from);
    if (skip > 0 && tail[0]) tail[0] = { ...tail[0], value: tail[0].value?.slice(skip) };
    const size = this.#fill(Math.max(index, 0), nest(tail, isOpen), { from, skip, isOpen });
    for (const { element } of this.#parts.splice(size)) element?.remove();
  }

  /**
   * @param {Node[]} nodes
   * @param {boolean} isOpen
   */
  #firstChanged(nodes, isOpen) {
    const before = this.#nodes;
    let first = 0;
    while (first < before.length && before[first] === nodes[first]) first++;
    // Tags that nothing ended while the text was open turn into text.
    return isOpen === this.#wasOpen || !nodes.some(isHtml) ? first : 0;
  }

  /**
   * Fill the parts from one on.
   * @param {number} index
   * @param {{nodes: Node[], starts: number[]}} content
   * @param {{from: number, skip: number, isOpen: boolean}} begin
   * @returns {number} how many parts there are
   */
  #fill(index, { nodes, starts }, { from, skip, isOpen }) {
    let part = this.#part(index, from, skip);
    /** @type {Node[]} */
    let own = [];
    let size = 0;
    const flush = () => part.phrases.showReady(cite(own, this.#scene), { depth: 0, isLinked: false, isOpen });
    nodes.forEach((node, at) => {
      let rest = node;
      let used = at === 0 ? skip : 0;
      while (rest.type === "text" && size + (rest.value?.length ?? 0) > PART_CHARS) {
        const value = rest.value ?? "";
        const cut = blankAfter(value, PART_CHARS - size);
        const isLast = cut === value.length && at === nodes.length - 1;
        if (cut === 0 || isLast) break;
        own.push({ type: "text", value: value.slice(0, cut) });
        flush();
        used += cut;
        const isWhole = cut === value.length;
        part = this.#part(++index, from + (starts[isWhole ? at + 1 : at] ?? 0), isWhole ? 0 : used);
        own = [];
        size = 0;
        rest = { type: "text", value: value.slice(cut) };
      }
      if (rest.type === "text" && rest.value === "") return;
      own.push(rest);
      size += weigh(rest);
    });
    flush();
    return index + 1;
  }

  /**
   * @param {number} index
   * @param {number} from
   * @param {number} skip
   * @returns {Part}
   */
  #part(index, from, skip) {
    const known = this.#parts[index];
    if (known) Object.assign(known, { from, skip });
    else {
      const element = index > 0 ? h("span", { class: "part" }) : null;
      if (element) this.element.append(element);
      this.#parts[index] = { from, skip, element, phrases: new Phrases(element ?? this.element, this.#scene) };
    }
    return /** @type {Part} */ (this.#parts[index]);
  }
}

/**
 * Tell whether a part begins where nothing changed.
 * @param {Part | undefined} part
 * @param {number} first
 */
function isBefore(part, first) {
  return part !== undefined && (part.skip > 0 ? part.from < first : part.from <= first);
}

/**
 * @param {string} text
 * @param {number} from
 * @returns {number} after the first blank from there; 0 when there is none
 */
function blankAfter(text, from) {
  const start = Math.max(from, 0);
  const at = text.slice(start).search(/[ \n]/);
  return at < 0 ? 0 : start + at + 1;
}

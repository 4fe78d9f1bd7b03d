/**
 * The view of a paragraph or heading. A browser lays out a whole paragraph whenever it grows, so that a very long one is
 * rendered in parts, of which only the last is laid out again.
 */
import { h } from "../dom/elements.js";
import { isHtml, InlineView } from "./inline-view.js";
import { insertCitations, nestTags } from "./inline-transforms.js";

/** @typedef {import("../markdown/tree.js").Node} Node */
/** @typedef {import("./policy.js").RenderContext} RenderContext */
/** @typedef {{from: number, skip: number, view: InlineView, element: HTMLElement | null}} Part the index of its first node, and how much of that is in the part before */

/** A part ends at the first blank or line ending after so many characters. */
export const PART_CHARS = 2000;
/** Later parts are blocks while the text grows: the line breaks between them are not the text's, but no answer is so long. */
const MAX_INLINE_PARTS = 8;

/** @param {Node} node @returns {number} */
function charsOf({ value, children }) {
  return value?.length ?? children?.reduce((sum, child) => sum + charsOf(child), 1) ?? 1;
}

/** The view of one block's inline content. */
export class ParagraphView {
  element;
  #context;
  /** @type {Part[]} */
  #parts = [];
  /** @type {Node[]} the nodes shown last */
  #nodes = [];
  #wasOpen = true;

  /**
   * @param {HTMLElement} element
   * @param {RenderContext} context
   */
  constructor(element, context) {
    this.element = element;
    this.#context = context;
  }

  /**
   * @param {Node[]} nodes
   * @param {boolean} isOpen whether more text may follow
   */
  show(nodes, isOpen) {
    const first = this.#firstChanged(nodes, isOpen);
    let index = this.#parts.length - 1;
    while (index > 0 && !beginsBefore(this.#parts[index], first)) index--;
    this.#nodes = [...nodes];
    this.#wasOpen = isOpen;
    const { from = 0, skip = 0 } = this.#parts[index] ?? {};
    const tail = nodes.slice(from);
    if (skip > 0 && tail[0]) tail[0] = { ...tail[0], value: tail[0].value?.slice(skip) };
    const size = this.#fill(Math.max(index, 0), nestTags(tail, isOpen), { from, skip, isOpen });
    for (const { element } of this.#parts.splice(size)) element?.remove();
    if (!isOpen) for (const { element } of this.#parts) element?.removeAttribute("class");
  }

  /**
   * @param {Node[]} nodes
   * @param {boolean} isOpen
   */
  #firstChanged(nodes, isOpen) {
    const before = this.#nodes;
    let first = 0;
    while (first < before.length && before[first] === nodes[first]) first++;
    // When the text ends, tags without an end turn into text.
    return isOpen === this.#wasOpen || !nodes.some(isHtml) ? first : 0;
  }

  /**
   * Fill the parts from this index on.
   * @param {number} index
   * @param {{nodes: Node[], starts: number[]}} content
   * @param {{from: number, skip: number, isOpen: boolean}} begin
   * @returns {number} the number of parts
   */
  #fill(index, { nodes, starts }, { from, skip, isOpen }) {
    let part = this.#part(index, from, skip);
    /** @type {Node[]} */
    let own = [];
    let size = 0;
    const flush = () => part.view.showPrepared(insertCitations(own, this.#context), { depth: 0, isLinked: false, isOpen });
    nodes.forEach((node, at) => {
      let rest = node;
      let used = at === 0 ? skip : 0;
      while (rest.type === "text" && size + (rest.value?.length ?? 0) > PART_CHARS) {
        const value = rest.value ?? "";
        const cut = afterBlank(value, PART_CHARS - size);
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
      size += charsOf(rest);
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
      const element = index > 0 ? h("span", index < MAX_INLINE_PARTS || !this.#wasOpen ? {} : { class: "part" }) : null;
      if (element) this.element.append(element);
      this.#parts[index] = { from, skip, element, view: new InlineView(element ?? this.element, this.#context) };
    }
    return /** @type {Part} */ (this.#parts[index]);
  }
}

/**
 * Return whether a part begins before the first changed node.
 * @param {Part | undefined} part
 * @param {number} first
 */
function beginsBefore(part, first) {
  return part !== undefined && (part.skip > 0 ? part.from < first : part.from <= first);
}

/**
 * @param {string} text
 * @param {number} from
 * @returns {number} the position after the first blank or line ending; 0 if there is none
 */
function afterBlank(text, from) {
  const start = Math.max(from, 0);
  const at = text.slice(start).search(/[ \n]/);
  return at < 0 ? 0 : start + at + 1;
}

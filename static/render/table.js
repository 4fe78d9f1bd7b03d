/**
 * Tables. A browser lays out all of a table whenever a row is added, so that a long one is set as several, one below
 * the other, in columns of the same widths.
 */
import { h } from "../dom/elements.js";
import { plainText } from "../markdown/texts.js";
import { words } from "../strings/words.js";
import { Phrases } from "./inline-view.js";

/** @typedef {import("../markdown/tree.js").Node} Node */
/** @typedef {import("./policy.js").Scene} Scene */

/** So many rows are set as one table. */
const ROWS_TOGETHER = 40;
/** Characters a column is at least and at most thought to be wide. */
const NARROW = 6;
const WIDE = 40;

/** Shows one row. */
class Row {
  element = h("tr");
  /** @type {{element: HTMLElement, phrases: Phrases}[]} */
  #cells = [];
  #scene;
  #tag;
  #align;

  /**
   * @param {"th" | "td"} tag
   * @param {(string | null)[]} align
   * @param {Scene} scene
   */
  constructor(tag, align, scene) {
    this.#tag = tag;
    this.#align = align;
    this.#scene = scene;
  }

  /** @param {Node} node */
  show(node) {
    const cells = node.children ?? [];
    const isOpen = this.#scene.open === node;
    this.#scene.views.set(node, this);
    const count = this.#align.length || cells.length;
    for (let index = 0; index < count; index++) {
      this.#cell(index).show(cells[index]?.children ?? [], { depth: 0, isLinked: false, isOpen });
    }
    for (const { element } of this.#cells.splice(count)) element.remove();
  }

  /** @param {(string | null)[]} align */
  alignBy(align) {
    this.#align = align;
    this.#cells.forEach(({ element }, index) => set(element, align[index]));
  }

  /** @param {number} index */
  #cell(index) {
    const known = this.#cells[index];
    if (known) return known.phrases;
    const element = h(this.#tag, this.#tag === "th" ? { scope: "col" } : {});
    set(element, this.#align[index]);
    const phrases = new Phrases(element, this.#scene);
    this.#cells[index] = { element, phrases };
    this.element.append(element);
    return phrases;
  }
}

/**
 * @param {HTMLElement} element
 * @param {string | null | undefined} align
 */
function set(element, align) {
  if (align) element.dataset.align = align;
  else delete element.dataset.align;
}

/** Shows a table in a region that scrolls. */
export class TableView {
  element = h("div", { class: "table", role: "group", tabindex: "0", "aria-label": words.table });
  /** @type {Row[]} */
  #rows = [];
  /** @type {HTMLElement[]} one for each table that the rows are set in */
  #bodies = [];
  /** @type {string[]} of the columns, once there are several tables */
  #widths = [];
  #scene;

  /** @param {Scene} scene */
  constructor(scene) {
    this.#scene = scene;
  }

  /** @param {Node} node */
  show({ children = [], align = [] }) {
    this.#rows[0]?.alignBy(align);
    for (let index = Math.max(0, this.#rows.length - 1); index < children.length; index++) {
      const row = this.#rows[index] ?? this.#add(index, align, children);
      row.show(/** @type {Node} */ (children[index]));
    }
  }

  /**
   * @param {number} index
   * @param {(string | null)[]} align
   * @param {Node[]} nodes
   */
  #add(index, align, nodes) {
    const row = new Row(index === 0 ? "th" : "td", align, this.#scene);
    this.#rows.push(row);
    if (index === 0) this.element.append(h("table", {}, h("thead", {}, row.element)));
    else this.#bodyOf(index, nodes).append(row.element);
    return row;
  }

  /**
   * @param {number} index
   * @param {Node[]} nodes
   */
  #bodyOf(index, nodes) {
    const at = Math.floor((index - 1) / ROWS_TOGETHER);
    const known = this.#bodies[at];
    if (known) return known;
    const body = h("tbody");
    this.#bodies.push(body);
    if (at === 0) this.element.firstElementChild?.append(body);
    else {
      if (at === 1) this.#fix(nodes.slice(0, ROWS_TOGETHER + 1));
      this.element.append(h("table", { class: "fixed" }, this.#columns(), body));
    }
    return body;
  }

  /**
   * Give the columns widths by what stands in the first rows.
   * @param {Node[]} nodes
   */
  #fix(nodes) {
    const count = nodes[0]?.children?.length ?? 0;
    const sizes = Array.from({ length: count }, (_, column) => {
      const lengths = nodes.map(({ children = [] }) => plainText(children[column]?.children ?? []).length);
      return Math.min(WIDE, Math.max(NARROW, ...lengths));
    });
    const sum = sizes.reduce((all, size) => all + size, 0);
    this.#widths = sizes.map((size) => `${((100 * size) / sum).toFixed(2)}%`);
    const table = this.element.firstElementChild;
    table?.setAttribute("class", "fixed");
    table?.prepend(this.#columns());
  }

  #columns() {
    const group = h("colgroup");
    for (const width of this.#widths) {
      const column = h("col");
      column.style.inlineSize = width;
      group.append(column);
    }
    return group;
  }
}

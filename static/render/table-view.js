/**
 * The view of a table. A browser lays out a whole table whenever a row is added, so that a long one is rendered as several,
 * one below the other, with the same column widths.
 */
import { h } from "../dom/elements.js";
import { plainText } from "../markdown/text-nodes.js";
import { words } from "../strings/words.js";
import { InlineView } from "./inline-view.js";

/** @typedef {import("../markdown/tree.js").Node} Node */
/** @typedef {import("./policy.js").RenderContext} RenderContext */

/** How many body rows one table element contains. */
const ROWS_PER_TABLE = 40;
/** Bounds of a column's assumed width, in characters; a cell with more keeps its column from becoming narrow. */
const MIN_COLUMN_CHARS = 6;
const MAX_COLUMN_CHARS = 30;

/** The view of one row. */
class RowView {
  element = h("tr");
  /** @type {{element: HTMLElement, view: InlineView}[]} */
  #cells = [];
  #context;
  #tag;
  #align;

  /**
   * @param {"th" | "td"} tag
   * @param {(string | null)[]} align
   * @param {RenderContext} context
   */
  constructor(tag, align, context) {
    this.#tag = tag;
    this.#align = align;
    this.#context = context;
  }

  /** @param {Node} node */
  show(node) {
    const cells = node.children ?? [];
    const isOpen = this.#context.openLeaf === node;
    this.#context.views.set(node, this);
    const count = this.#align.length || cells.length;
    for (let index = 0; index < count; index++) {
      const nodes = cells[index]?.children ?? [];
      this.#cell(index).show(nodes, { depth: 0, isLinked: false, isOpen });
      const { element } = /** @type {{element: HTMLElement}} */ (this.#cells[index]);
      element.toggleAttribute("data-long", plainText(nodes).length > MAX_COLUMN_CHARS);
    }
    for (const { element } of this.#cells.splice(count)) element.remove();
  }

  /** @param {(string | null)[]} align */
  setAligns(align) {
    if (this.#align === align) return;
    this.#align = align;
    this.#cells.forEach(({ element }, index) => setAlign(element, align[index]));
  }

  /** @param {number} index */
  #cell(index) {
    const known = this.#cells[index];
    if (known) return known.view;
    const element = h(this.#tag, this.#tag === "th" ? { scope: "col" } : {});
    setAlign(element, this.#align[index]);
    const view = new InlineView(element, this.#context);
    this.#cells[index] = { element, view };
    this.element.append(element);
    return view;
  }
}

/**
 * @param {HTMLElement} element
 * @param {string | null | undefined} align
 */
function setAlign(element, align) {
  if (align) element.dataset.align = align;
  else element.removeAttribute("data-align");
}

/** The view of a table, in a scrollable element. */
export class TableView {
  element = h("div", { class: "table", role: "group", "aria-label": words.table });
  /** @type {RowView[]} */
  #rows = [];
  /** @type {HTMLElement[]} one for each table element */
  #bodies = [];
  /** @type {string[]} of the columns, once there are several table elements */
  #widths = [];
  #context;

  /** @param {RenderContext} context */
  constructor(context) {
    this.#context = context;
  }

  /** @param {Node} node */
  show({ children = [], align = [] }) {
    this.#rows[0]?.setAligns(align);
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
    const row = new RowView(index === 0 ? "th" : "td", align, this.#context);
    this.#rows.push(row);
    if (index === 0) {
      const table = h("table", {}, h("thead", {}, row.element));
      this.element.append(table);
      this.#context.watchScrolling(this.element, table);
    }
    else this.#bodyOf(index, nodes).append(row.element);
    return row;
  }

  /**
   * @param {number} index
   * @param {Node[]} nodes
   */
  #bodyOf(index, nodes) {
    const at = Math.floor((index - 1) / ROWS_PER_TABLE);
    const known = this.#bodies[at];
    if (known) return known;
    const body = h("tbody");
    this.#bodies.push(body);
    if (at === 0) this.element.firstElementChild?.append(body);
    else {
      if (at === 1) this.#fixWidths(nodes.slice(0, ROWS_PER_TABLE + 1));
      this.element.append(h("table", { class: "fixed" }, this.#columns(), body));
    }
    return body;
  }

  /**
   * Fix the column widths by the text lengths in the first rows.
   * @param {Node[]} nodes
   */
  #fixWidths(nodes) {
    const count = nodes[0]?.children?.length ?? 0;
    const sizes = Array.from({ length: count }, (_, column) => {
      const lengths = nodes.map(({ children = [] }) => plainText(children[column]?.children ?? []).length);
      return Math.min(MAX_COLUMN_CHARS, Math.max(MIN_COLUMN_CHARS, ...lengths));
    });
    const sum = sizes.reduce((all, size) => all + size, 0);
    this.#widths = sizes.map((size) => `${((100 * size) / sum).toFixed(2)}%`);
    // The columns' padding is three characters wide.
    this.element.style.setProperty("--table-width", `${sum + 3 * count}ch`);
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

/**
 * `render/`: Renders a Markdown tree, and updates only what changed as an answer grows. Parsing is in `markdown/`.
 */
/**
 * The views of block nodes. Of a parent's children only the last can have changed; those after it are new.
 */
import { h } from "../dom/elements.js";
import { words } from "../strings/words.js";
import { CodeView, MathView } from "./code-view.js";
import { HtmlView } from "./html-view.js";
import { ListView } from "./list-view.js";
import { ParagraphView } from "./paragraph-view.js";
import { MAX_DEPTH } from "./policy.js";
import { TableView } from "./table-view.js";

/** @typedef {import("../markdown/tree.js").Node} Node */
/** @typedef {import("./policy.js").RenderContext} RenderContext */

/**
 * @typedef {object} View the view of one block
 * @property {HTMLElement | null} element null if the block has none of its own
 * @property {(node: Node) => void} show
 * @property {() => void} [remove] if removing the element is not enough
 */

/** @typedef {(index: number) => HTMLElement} ParentOf returns the parent element of the child at this index */
/** @typedef {{node: Node, type: string, view: View}} Child */

/** Node types whose views can show another node, because they compare all of its content. */
const REUSABLE = new Set(["paragraph", "table"]);

/** The child blocks of one block. */
export class BlocksView {
  /** @type {Child[]} */
  #children = [];
  /** @type {HTMLElement[]} open elements of HTML blocks, which contain the blocks that follow */
  #openElements = [];
  #parentOf;
  #context;
  #depth;

  /**
   * @param {ParentOf} parentOf
   * @param {RenderContext} context
   * @param {number} depth
   */
  constructor(parentOf, context, depth) {
    this.#parentOf = parentOf;
    this.#context = context;
    this.#depth = depth;
  }

  /** @param {Node[]} nodes */
  show(nodes) {
    let index = Math.max(0, this.#children.length - 1);
    const known = this.#children[index];
    const node = nodes[index];
    if (known && (!node || !canShow(known, node))) this.#drop(index);
    for (; index < nodes.length; index++) this.#put(index, /** @type {Node} */ (nodes[index]));
  }

  remove() {
    this.#drop(0);
  }

  /** @param {number} from */
  #drop(from) {
    for (const { view } of this.#children.splice(from).reverse()) {
      if (view instanceof HtmlView) this.#openElements = view.openBefore;
      view.remove?.();
      view.element?.remove();
    }
  }

  /**
   * @param {number} index
   * @param {Node} node
   */
  #put(index, node) {
    const known = this.#children[index];
    const view = known?.view ?? this.#make(index, node);
    this.#children[index] = { node, type: node.type, view };
    view.show(node);
    if (view instanceof HtmlView) this.#openElements = view.openElements;
  }

  /**
   * @param {number} index
   * @param {Node} node
   * @returns {View}
   */
  #make(index, node) {
    const parent = this.#openElements.at(-1) ?? this.#parentOf(index);
    if (node.type === "html") return new HtmlView(parent, this.#openElements, this.#context);
    const view = viewOf(node, parent, this.#context, this.#depth);
    if (view.element && this.#depth === 0 && !view.element.dir) view.element.dir = "auto";
    if (view.element) parent.append(view.element);
    return view;
  }
}

/**
 * @param {Child} child
 * @param {Node} node
 */
function canShow({ node: before, type }, node) {
  return type === node.type && (before === node || REUSABLE.has(type));
}

/**
 * @param {Node} node
 * @param {HTMLElement} parent
 * @param {RenderContext} context
 * @param {number} depth
 * @returns {View}
 */
function viewOf(node, parent, context, depth) {
  switch (node.type) {
    case "paragraph":
      return leaf(h("p"), context);
    case "heading":
      return leaf(h(/** @type {"h3"} */ (`h${context.headingLevel(node.depth ?? 1)}`)), context);
    case "code":
      return new CodeView(context);
    case "math":
      return new MathView(context);
    case "table":
      return new TableView(context);
    case "thematicBreak":
      return { element: h("hr"), show: () => {} };
    case "definition":
      return { element: null, show: () => {} };
    default:
      return depth < MAX_DEPTH ? container(node, context, depth) : flat(parent, context, depth);
  }
}

/**
 * @param {HTMLElement} element
 * @param {RenderContext} context
 * @returns {View}
 */
function leaf(element, context) {
  const paragraph = new ParagraphView(element, context);
  const view = {
    element,
    show: (/** @type {Node} */ node) => {
      context.views.set(node, view);
      paragraph.show(node.children ?? [], context.openLeaf === node);
    },
  };
  return view;
}

/**
 * @param {Node} node
 * @param {RenderContext} context
 * @param {number} depth
 * @returns {View}
 */
function container(node, context, depth) {
  if (node.type === "list") return new ListView(node, (parentOf) => new BlocksView(parentOf, context, depth + 1), context);
  if (node.type === "listItem") return item(context, depth);
  if (node.type === "footnoteDefinition") return footnote(node, context, depth);
  const element = h("blockquote");
  const blocks = new BlocksView(() => element, context, depth + 1);
  return { element, show: ({ children = [] }) => blocks.show(children) };
}

/**
 * Return a view without an element: blocks nested deeper than the limit are put into the innermost parent.
 * @param {HTMLElement} parent
 * @param {RenderContext} context
 * @param {number} depth
 * @returns {View}
 */
function flat(parent, context, depth) {
  const blocks = new BlocksView(() => parent, context, depth + 1);
  return { element: null, show: ({ children = [] }) => blocks.show(children), remove: () => blocks.remove() };
}

/**
 * @param {RenderContext} context
 * @param {number} depth
 * @returns {View}
 */
function item(context, depth) {
  const element = h("li");
  const blocks = new BlocksView(() => element, context, depth + 1);
  /** @type {HTMLInputElement | null} */
  let checkbox = null;
  return {
    element,
    show: ({ children = [], checked }) => {
      if (typeof checked !== "boolean") {
        checkbox?.remove();
        checkbox = null;
        element.removeAttribute("class");
      } else if (!checkbox) {
        checkbox = h("input", { type: "checkbox", disabled: true, "aria-label": words.task });
        element.prepend(checkbox);
        element.className = "task";
      }
      if (checkbox) checkbox.toggleAttribute("checked", checked === true);
      blocks.show(children);
    },
  };
}

/**
 * @param {Node} node
 * @param {RenderContext} context
 * @param {number} depth
 * @returns {View}
 */
function footnote({ identifier = "" }, context, depth) {
  const number = String(context.footnote(identifier));
  const mark = h("a", { class: "back", href: `#${context.id}-ref-${number}`, "aria-label": words.footnote(number) }, number);
  const body = h("div");
  const element = h("div", { class: "footnote", role: "note", id: `${context.id}-note-${number}`, tabindex: "-1" }, mark, body);
  const blocks = new BlocksView(() => body, context, depth + 1);
  return { element, show: ({ children = [] }) => blocks.show(children) };
}

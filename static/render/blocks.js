/**
 * `render/`: Draws a Markdown tree, and redraws only what changed as an answer grows. Parsing is in `markdown/`.
 */
/**
 * Blocks within blocks. Only the last child of each can have changed, and what came behind it is new.
 */
import { h } from "../dom/elements.js";
import { words } from "../strings/words.js";
import { CodeView, MathView } from "./code.js";
import { HtmlView } from "./html.js";
import { ListView } from "./list.js";
import { Paragraph } from "./paragraph.js";
import { DEEPEST } from "./policy.js";
import { TableView } from "./table.js";

/** @typedef {import("../markdown/tree.js").Node} Node */
/** @typedef {import("./policy.js").Scene} Scene */

/**
 * @typedef {object} View what shows one block
 * @property {HTMLElement | null} element null for what has none of its own
 * @property {(node: Node) => void} show
 * @property {() => void} [remove] where removing the element is not enough
 */

/** @typedef {(index: number) => HTMLElement} Box where the child with this number goes */
/** @typedef {{node: Node, type: string, view: View}} Child */

/** Headings of an answer stand below those of the page. */
const HIGHEST_HEADING = 3;
/** Kinds of which a view can take over another node: it looks at all of it again. */
const RENEWABLE = new Set(["paragraph", "table"]);

/** The blocks within one block. */
export class BlocksView {
  /** @type {Child[]} */
  #children = [];
  /** @type {HTMLElement[]} elements of HTML that blocks go into as long as they are open */
  #boxes = [];
  #box;
  #scene;
  #depth;

  /**
   * @param {Box} box
   * @param {Scene} scene
   * @param {number} depth
   */
  constructor(box, scene, depth) {
    this.#box = box;
    this.#scene = scene;
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
      if (view instanceof HtmlView) this.#boxes = view.before;
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
    if (view instanceof HtmlView) this.#boxes = view.boxes;
  }

  /**
   * @param {number} index
   * @param {Node} node
   * @returns {View}
   */
  #make(index, node) {
    const box = this.#boxes.at(-1) ?? this.#box(index);
    if (node.type === "html") return new HtmlView(box, this.#boxes, this.#scene);
    const view = viewOf(node, box, this.#scene, this.#depth);
    if (view.element && this.#depth === 0 && !view.element.dir) view.element.dir = "auto";
    if (view.element) box.append(view.element);
    return view;
  }
}

/**
 * @param {Child} child
 * @param {Node} node
 */
function canShow({ node: before, type }, node) {
  return type === node.type && (before === node || RENEWABLE.has(type));
}

/**
 * @param {Node} node
 * @param {HTMLElement} box
 * @param {Scene} scene
 * @param {number} depth
 * @returns {View}
 */
function viewOf(node, box, scene, depth) {
  switch (node.type) {
    case "paragraph":
      return leaf(h("p"), scene);
    case "heading":
      return leaf(headingOf(node.depth ?? 1), scene);
    case "code":
      return new CodeView(scene);
    case "math":
      return new MathView(scene);
    case "table":
      return new TableView(scene);
    case "thematicBreak":
      return { element: h("hr"), show: () => {} };
    case "definition":
      return { element: null, show: () => {} };
    default:
      return depth < DEEPEST ? container(node, scene, depth) : flat(box, scene, depth);
  }
}

/** @param {number} depth */
function headingOf(depth) {
  const level = Math.min(6, depth + HIGHEST_HEADING - 1);
  return h(/** @type {"h3"} */ (`h${level}`));
}

/**
 * @param {HTMLElement} element
 * @param {Scene} scene
 * @returns {View}
 */
function leaf(element, scene) {
  const paragraph = new Paragraph(element, scene);
  const view = {
    element,
    show: (/** @type {Node} */ node) => {
      scene.views.set(node, view);
      paragraph.show(node.children ?? [], scene.open === node);
    },
  };
  return view;
}

/**
 * @param {Node} node
 * @param {Scene} scene
 * @param {number} depth
 * @returns {View}
 */
function container(node, scene, depth) {
  if (node.type === "list") return new ListView(node, (box) => new BlocksView(box, scene, depth + 1), scene);
  if (node.type === "listItem") return item(scene, depth);
  if (node.type === "footnoteDefinition") return footnote(node, scene, depth);
  const element = h("blockquote");
  const blocks = new BlocksView(() => element, scene, depth + 1);
  return { element, show: ({ children = [] }) => blocks.show(children) };
}

/**
 * Beyond the depth that a browser bears, blocks stand in the last box that there is.
 * @param {HTMLElement} box
 * @param {Scene} scene
 * @param {number} depth
 * @returns {View}
 */
function flat(box, scene, depth) {
  const blocks = new BlocksView(() => box, scene, depth + 1);
  return { element: null, show: ({ children = [] }) => blocks.show(children), remove: () => blocks.remove() };
}

/**
 * @param {Scene} scene
 * @param {number} depth
 * @returns {View}
 */
function item(scene, depth) {
  const element = h("li");
  const blocks = new BlocksView(() => element, scene, depth + 1);
  /** @type {HTMLInputElement | null} */
  let box = null;
  return {
    element,
    show: ({ children = [], checked }) => {
      if (typeof checked !== "boolean") {
        box?.remove();
        box = null;
        element.removeAttribute("class");
      } else if (!box) {
        box = h("input", { type: "checkbox", disabled: true, "aria-label": words.task });
        element.prepend(box);
        element.className = "task";
      }
      if (box) box.toggleAttribute("checked", checked === true);
      blocks.show(children);
    },
  };
}

/**
 * @param {Node} node
 * @param {Scene} scene
 * @param {number} depth
 * @returns {View}
 */
function footnote({ identifier = "" }, scene, depth) {
  const number = String(scene.footnote(identifier));
  const mark = h("a", { class: "back", href: `#${scene.id}-ref-${number}`, "aria-label": words.footnote(number) }, number);
  const body = h("div");
  const element = h("div", { class: "footnote", role: "note", id: `${scene.id}-note-${number}`, tabindex: "-1" }, mark, body);
  const blocks = new BlocksView(() => body, scene, depth + 1);
  return { element, show: ({ children = [] }) => blocks.show(children) };
}

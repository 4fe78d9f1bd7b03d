/**
 * The view of inline nodes. On an update, an element is reused as long as its tag is the same, and only changed text is replaced.
 */
import { h } from "../dom/elements.js";
import { SlicedTask } from "../dom/idle-slices.js";
import { plainText } from "../markdown/text-nodes.js";
import { MAX_DEPTH, imageAt, linkAttributes, sourceLink } from "./policy.js";
import { insertCitations, nestTags } from "./inline-transforms.js";

/** @typedef {import("../markdown/tree.js").Node} Node */
/** @typedef {import("./policy.js").RenderContext} RenderContext */

const LINKS_AT_ONCE = 64;

/**
 * @typedef {object} Shape the element or text that a node is shown as
 * @property {string} tag empty for plain text
 * @property {Record<string, string>} attributes
 * @property {Node[]} children
 * @property {string} text if it is plain text
 */

/** @typedef {{node: Node, tag: string, attributes: Record<string, string>, dom: HTMLElement | Text, inner: InlineView | null}} Shown */
/** @typedef {{depth: number, isLinked: boolean, isOpen: boolean}} Position */

const BARE = Object.freeze({});
/** The attributes of a pending link. */
const PENDING = Object.freeze({ class: "unresolved" });
/** @type {Record<string, string>} */
const ELEMENTS = { emphasis: "em", strong: "strong", delete: "del", break: "br" };

/**
 * @param {string} tag
 * @param {Record<string, string>} attributes
 * @param {Node[]} [children]
 * @returns {Shape}
 */
const shape = (tag, attributes, children = []) => ({ tag, attributes, children, text: "" });

/**
 * @param {string} text
 * @returns {Shape}
 */
const textShape = (text) => ({ tag: "", attributes: BARE, children: [], text });

/** @param {string} value */
const literal = (value) => [{ type: "literal", value }];

/**
 * Return what a node is shown as.
 * @param {Node} node
 * @param {RenderContext} context
 * @returns {Shape}
 */
function shapeOf(node, context) {
  const { type, value, children = [] } = node;
  const plain = ELEMENTS[type] ?? (type.startsWith("<") ? type.slice(1, -1) : null);
  if (plain) return shape(plain, BARE, children);
  switch (type) {
    case "pendingLink":
      return shape("a", PENDING, children);
    case "inlineCode":
      return shape("code", BARE, literal((value ?? "").replaceAll("\n", " ")));
    case "link":
    case "linkReference":
      return linkShape(node, context, children);
    case "image":
    case "imageReference":
      return imageShape(node, context);
    case "footnoteReference":
      return shape("sup", BARE, [{ type: "footnoteLink", identifier: node.identifier }]);
    case "footnoteLink":
      return noteShape(context.footnote(node.identifier ?? ""), context);
    case "citation":
      return citationShape(value ?? "", context);
    case "inlineMath":
      return shape("span", { class: node.display ? "math display" : "math" });
    default:
      return textShape(value ?? "");
  }
}

/**
 * @param {Node} node
 * @param {RenderContext} context
 */
function targetOf(node, context) {
  return node.type.endsWith("Reference") ? context.definition(node.identifier ?? "") : node;
}

/** @param {Node | undefined} target */
function titleOf(target) {
  return target?.title ? { title: target.title } : BARE;
}

/**
 * @param {Node} node
 * @param {RenderContext} context
 * @param {Node[]} children
 */
function linkShape(node, context, children) {
  const target = targetOf(node, context);
  return shape("a", { ...linkAttributes(target?.url), ...titleOf(target) }, children);
}

/**
 * Return an image, or a link if the policy does not let it load: loading it would reveal the reader to another site.
 * @param {Node} node
 * @param {RenderContext} context
 */
function imageShape(node, context) {
  const target = targetOf(node, context);
  const src = imageAt(target?.url, context);
  if (src) return shape("img", { src, alt: node.alt ?? "", loading: "lazy", ...titleOf(target) });
  return shape("a", { ...linkAttributes(target?.url), ...titleOf(target) }, literal(node.alt || target?.url || ""));
}

/**
 * @param {number} number
 * @param {RenderContext} context
 */
function noteShape(number, { id }) {
  return shape("a", { href: `#${id}-note-${number}`, class: "note", role: "doc-noteref" }, literal(String(number)));
}

/**
 * @param {string} number
 * @param {RenderContext} context
 */
function citationShape(number, { sources }) {
  const source = sources.get(Number(number));
  return shape("a", { ...sourceLink(source?.source), class: "citation", title: source?.title || number }, literal(number));
}

/** @param {Node} node */
export const isHtml = ({ type }) => type === "html";

/** The inline content of one element. */
export class InlineView {
  #parent;
  #context;
  /** @type {Shown[]} */
  #shown = [];

  /**
   * @param {HTMLElement} parent whose first child nodes only this view changes
   * @param {RenderContext} context
   */
  constructor(parent, context) {
    this.#parent = parent;
    this.#context = context;
  }

  /**
   * Show nodes as the parser returns them.
   * @param {Node[]} nodes
   * @param {Position} position
   */
  show(nodes, position) {
    const nested = nodes.some(isHtml) ? nestTags(nodes, position.isOpen).nodes : nodes;
    this.showPrepared(position.isLinked ? nested : insertCitations(nested, this.#context), position);
  }

  /**
   * Show nodes in which tags are nested and citations inserted.
   * @param {Node[]} nodes
   * @param {Position} position
   */
  showPrepared(nodes, position) {
    nodes.forEach((node, index) => {
      if (this.#shown[index]?.node !== node) this.#put(index, node, position);
    });
    for (const { dom } of this.#shown.splice(nodes.length)) dom.remove();
  }

  /**
   * @param {number} index
   * @param {Node} node
   * @param {Position} position
   */
  #put(index, node, position) {
    const isDeep = position.depth > MAX_DEPTH && node.children !== undefined;
    const wanted = isDeep ? textShape(plainText([node])) : shapeOf(node, this.#context);
    const known = this.#shown[index];
    if (known?.tag === wanted.tag) {
      known.node = node;
      this.#fill(known, wanted, position);
      return;
    }
    const dom = wanted.tag ? h(/** @type {"a"} */ (wanted.tag)) : document.createTextNode(wanted.text);
    const shown = { node, tag: wanted.tag, attributes: BARE, dom, inner: null };
    this.#shown[index] = shown;
    // Filled before it is in the page, so that its style is computed once.
    if (wanted.tag) this.#fill(shown, wanted, position);
    if (known) known.dom.replaceWith(dom);
    else this.#parent.insertBefore(dom, this.#shown[index - 1]?.dom.nextSibling ?? (index ? null : this.#parent.firstChild));
  }

  /**
   * @param {Shown} shown
   * @param {Shape} wanted
   * @param {Position} position
   */
  #fill(shown, { attributes, children, text }, position) {
    const { dom, node } = shown;
    if (dom instanceof Text) return updateText(dom, text);
    setAttributes(dom, shown.attributes, attributes);
    shown.attributes = attributes;
    if (node.type === "inlineMath") return this.#context.showFormula(dom, node);
    if (!shown.inner && children.length === 0) return;
    shown.inner ??= new InlineView(dom, this.#context);
    shown.inner.show(children, { ...position, depth: position.depth + 1, isLinked: position.isLinked || shown.tag === "a" });
  }
}

/**
 * Replace the part of a text that differs, so that a selection in it survives.
 * @param {Text} dom
 * @param {string} text
 */
export function updateText(dom, text) {
  const before = dom.data;
  if (text === before) return;
  if (text.startsWith(before)) return dom.appendData(text.slice(before.length));
  let same = 0;
  while (before.charCodeAt(same) === text.charCodeAt(same)) same++;
  dom.replaceData(same, before.length - same, text.slice(same));
}

/**
 * @param {HTMLElement} element
 * @param {Record<string, string>} before
 * @param {Record<string, string>} after
 */
function setAttributes(element, before, after) {
  if (before === after) return;
  for (const name of Object.keys(before)) if (!(name in after)) element.removeAttribute(name);
  for (const [name, value] of Object.entries(after)) if (before[name] !== value) element.setAttribute(name, value);
}

/**
 * Replace the pending links by their content: a few at once, the rest of hundreds later, so that no frame takes long.
 * @param {HTMLElement} root of a renderer that has ended
 */
export function unwrapPendingLinks(root) {
  const links = [...root.querySelectorAll("a.unresolved")];
  const unwrapSome = () => {
    for (const link of links.splice(0, LINKS_AT_ONCE)) link.replaceWith(...link.childNodes);
    return links.length > 0;
  };
  if (unwrapSome()) new SlicedTask(unwrapSome).schedule();
}

/**
 * Text and what stands in it, shown and kept current: an element stays as long as its kind does, a text only grows.
 */
import { h } from "../dom/elements.js";
import { plainText } from "../markdown/texts.js";
import { DEEPEST, imageAt, linkAttributes } from "./policy.js";
import { cite, nest } from "./siblings.js";

/** @typedef {import("../markdown/tree.js").Node} Node */
/** @typedef {import("./policy.js").Scene} Scene */

/**
 * @typedef {object} Shape what is shown of a node
 * @property {string} tag empty for plain text
 * @property {Record<string, string>} attributes
 * @property {Node[]} children
 * @property {string} text of plain text
 */

/** @typedef {{node: Node, tag: string, attributes: Record<string, string>, dom: HTMLElement | Text, inner: Phrases | null}} Shown */
/** @typedef {{depth: number, isLinked: boolean, isOpen: boolean}} Where */

const BARE = Object.freeze({});
/** Of brackets that a definition may yet make a link of. */
const KEPT = Object.freeze({ class: "kept" });
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
 * Say what a node is shown as.
 * @param {Node} node
 * @param {Scene} scene
 * @returns {Shape}
 */
function shapeOf(node, scene) {
  const { type, value, children = [] } = node;
  const plain = ELEMENTS[type] ?? (type.startsWith("<") ? type.slice(1, -1) : null);
  if (plain) return shape(plain, BARE, children);
  switch (type) {
    case "waiting":
      return shape("a", KEPT, children);
    case "inlineCode":
      return shape("code", BARE, literal((value ?? "").replaceAll("\n", " ")));
    case "link":
    case "linkReference":
      return linkShape(node, scene, children);
    case "image":
    case "imageReference":
      return imageShape(node, scene);
    case "footnoteReference":
      return shape("sup", BARE, [{ type: "footnoteLink", identifier: node.identifier }]);
    case "footnoteLink":
      return noteShape(scene.footnote(node.identifier ?? ""), scene);
    case "citation":
      return citationShape(value ?? "", scene);
    case "inlineMath":
      return shape("span", { class: node.display ? "math display" : "math" });
    default:
      return textShape(value ?? "");
  }
}

/**
 * @param {Node} node
 * @param {Scene} scene
 */
function targetOf(node, scene) {
  return node.type.endsWith("Reference") ? scene.definition(node.identifier ?? "") : node;
}

/** @param {Node | undefined} target */
function titleOf(target) {
  return target?.title ? { title: target.title } : BARE;
}

/**
 * @param {Node} node
 * @param {Scene} scene
 * @param {Node[]} children
 */
function linkShape(node, scene, children) {
  const target = targetOf(node, scene);
  return shape("a", { ...linkAttributes(target?.url), ...titleOf(target) }, children);
}

/**
 * An image from elsewhere would tell that place who reads: it is a link.
 * @param {Node} node
 * @param {Scene} scene
 */
function imageShape(node, scene) {
  const target = targetOf(node, scene);
  const src = imageAt(target?.url, scene);
  if (src) return shape("img", { src, alt: node.alt ?? "", loading: "lazy", ...titleOf(target) });
  return shape("a", { ...linkAttributes(target?.url), ...titleOf(target) }, literal(node.alt || target?.url || ""));
}

/**
 * @param {number} number
 * @param {Scene} scene
 */
function noteShape(number, { id }) {
  return shape("a", { href: `#${id}-note-${number}`, class: "note", role: "doc-noteref" }, literal(String(number)));
}

/**
 * @param {string} number
 * @param {Scene} scene
 */
function citationShape(number, { sources }) {
  const source = sources.get(Number(number));
  return shape("a", { ...linkAttributes(source?.source || "-"), class: "citation", title: source?.title || number }, literal(number));
}

/** @param {Node} node */
export const isHtml = ({ type }) => type === "html";

/** The content of one element. */
export class Phrases {
  #parent;
  #scene;
  /** @type {Shown[]} */
  #shown = [];

  /**
   * @param {HTMLElement} parent of which nobody else changes the beginning
   * @param {Scene} scene
   */
  constructor(parent, scene) {
    this.#parent = parent;
    this.#scene = scene;
  }

  /**
   * Show nodes as they came from the parser.
   * @param {Node[]} nodes
   * @param {Where} where
   */
  show(nodes, where) {
    const nested = nodes.some(isHtml) ? nest(nodes, where.isOpen).nodes : nodes;
    this.showReady(where.isLinked ? nested : cite(nested, this.#scene), where);
  }

  /**
   * Show nodes of which tags and citations are made.
   * @param {Node[]} nodes
   * @param {Where} where
   */
  showReady(nodes, where) {
    nodes.forEach((node, index) => {
      if (this.#shown[index]?.node !== node) this.#put(index, node, where);
    });
    for (const { dom } of this.#shown.splice(nodes.length)) dom.remove();
  }

  /**
   * @param {number} index
   * @param {Node} node
   * @param {Where} where
   */
  #put(index, node, where) {
    const isDeep = where.depth > DEEPEST && node.children !== undefined;
    const wanted = isDeep ? textShape(plainText([node])) : shapeOf(node, this.#scene);
    let shown = this.#shown[index];
    if (shown?.tag !== wanted.tag) {
      const dom = wanted.tag ? h(/** @type {"a"} */ (wanted.tag)) : document.createTextNode("");
      if (shown) shown.dom.replaceWith(dom);
      else this.#parent.insertBefore(dom, this.#shown[index - 1]?.dom.nextSibling ?? (index ? null : this.#parent.firstChild));
      shown = { node, tag: wanted.tag, attributes: BARE, dom, inner: null };
      this.#shown[index] = shown;
    }
    shown.node = node;
    this.#fill(shown, wanted, where);
  }

  /**
   * @param {Shown} shown
   * @param {Shape} wanted
   * @param {Where} where
   */
  #fill(shown, { attributes, children, text }, where) {
    const { dom, node } = shown;
    if (dom instanceof Text) return become(dom, text);
    setAttributes(dom, shown.attributes, attributes);
    shown.attributes = attributes;
    if (node.type === "inlineMath") return this.#scene.math(dom, node);
    if (!shown.inner && children.length === 0) return;
    shown.inner ??= new Phrases(dom, this.#scene);
    shown.inner.show(children, { ...where, depth: where.depth + 1, isLinked: where.isLinked || shown.tag === "a" });
  }
}

/**
 * Change a text as little as possible: what is selected in it stays so.
 * @param {Text} dom
 * @param {string} text
 */
export function become(dom, text) {
  const before = dom.data;
  let same = 0;
  while (same < before.length && before.charCodeAt(same) === text.charCodeAt(same)) same++;
  if (same < before.length) dom.replaceData(same, before.length - same, text.slice(same));
  else if (same < text.length) dom.appendData(text.slice(same));
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
 * Give kept brackets back to the text around them, in one step each: there may be hundreds.
 * @param {HTMLElement} root nothing is shown in it after that
 */
export function freeKept(root) {
  for (const kept of root.querySelectorAll("a.kept")) kept.replaceWith(...kept.childNodes);
}

/**
 * The view of an HTML block: a few tags become elements, without their attributes, the rest is text. An open `<details>` contains
 * the blocks that follow.
 */
import { h } from "../dom/elements.js";
import { TextChunks } from "./text-chunks.js";
import { InlineView } from "./inline-view.js";
import { MAX_DEPTH, readElement } from "./policy.js";

/** @typedef {import("../markdown/tree.js").Node} Node */
/** @typedef {import("./policy.js").RenderContext} RenderContext */

/** A longer block is shown as text. */
const MAX_HTML_CHARS = 4096;
const TAGS = /(<\/?[a-z]+(?:\s+[\w:-]+(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'=<>`]+))?)*\s*\/?>)/i;
/**
 * An incomplete tag at the end, and any `<details>` before it whose summary has not begun. Without one it would have the browser's
 * own, a list item, and the browser would count all list items of the answer again.
 */
const OPEN_TAG = /(<details(\s[^<>]{0,200})?>\s*)*(<\/?[a-z]*(\s[^<>]{0,200})?)?$/i;

/** The view of one HTML block. */
export class HtmlView {
  element = null;
  /** The elements open after this block, the innermost last: they contain the blocks that follow. */
  openElements;
  openBefore;
  #parent;
  #context;
  /** @type {HTMLElement[]} */
  #made = [];
  #value = "";
  /** @type {TextChunks | null} */
  #chunks = null;

  /**
   * @param {HTMLElement} parent
   * @param {HTMLElement[]} openBefore the elements that earlier blocks left open
   * @param {RenderContext} context
   */
  constructor(parent, openBefore, context) {
    this.#parent = parent;
    this.openBefore = openBefore;
    this.openElements = openBefore;
    this.#context = context;
  }

  /** @param {Node} node */
  show(node) {
    const isOpen = this.#context.openLeaf === node;
    const added = this.#context.appended.get(node);
    if (this.#chunks) return this.#chunks.add(added ?? "");
    const value = node.value ?? "";
    if (value === this.#value && isOpen) return;
    this.#value = value;
    this.remove();
    this.openElements = this.openBefore;
    if (value.length > MAX_HTML_CHARS) this.#showText(value);
    else this.#showTags(isOpen ? value.replace(OPEN_TAG, "") : value, isOpen);
  }

  remove() {
    for (const element of this.#made) element.remove();
    this.#made = [];
  }

  /** @param {string} value */
  #showText(value) {
    const element = this.#make("p", this.#parent);
    element.className = "html";
    this.#chunks = new TextChunks(element);
    this.#chunks.add(value);
  }

  /**
   * @param {"p" | "details" | "summary"} tag
   * @param {HTMLElement} parent
   */
  #make(tag, parent) {
    const element = h(tag);
    parent.append(element);
    if (parent === this.#parent || !this.#made.some((made) => made.contains(element))) this.#made.push(element);
    return element;
  }

  /**
   * @param {string} value
   * @param {boolean} isOpen
   */
  #showTags(value, isOpen) {
    /** @type {Node[]} */
    let run = [];
    let inner = this.#parent;
    const flush = () => {
      if (run.some((node) => node.value?.trim())) this.#showRun(run, inner, isOpen);
      run = [];
    };
    for (const text of value.split(TAGS)) {
      const found = readElement(text);
      const isBlock = found?.tag === "details" || found?.tag === "summary";
      const innermost = inner.localName;
      if (isBlock && !found.isEnd && this.openElements.length < MAX_DEPTH && innermost !== "summary") {
        flush();
        inner = this.#make(/** @type {"details"} */ (found.tag), inner);
        if (found.tag === "details") inner.toggleAttribute("open", found.isUnfolded);
        this.openElements = [...this.openElements, inner];
      } else if (isBlock && found.isEnd && innermost === found.tag && this.openElements.length > 0) {
        flush();
        this.openElements = this.openElements.slice(0, -1);
        inner = this.openElements.at(-1) ?? /** @type {HTMLElement} */ (inner.parentElement);
      } else if (text) run.push({ type: found && !isBlock ? "html" : "text", value: text });
    }
    flush();
  }

  /**
   * @param {Node[]} run
   * @param {HTMLElement} parent
   * @param {boolean} isOpen
   */
  #showRun(run, parent, isOpen) {
    const trimmed = run.map((node) => ({ ...node, value: node.value }));
    const [first] = trimmed;
    const last = trimmed.at(-1);
    if (first) first.value = first.value?.trimStart();
    if (last) last.value = last.value?.trimEnd();
    const element = parent.localName === "summary" ? parent : this.#make("p", parent);
    if (element !== parent) element.className = "html";
    new InlineView(element, this.#context).show(trimmed, { depth: 0, isLinked: false, isOpen });
  }
}

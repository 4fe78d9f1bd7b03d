/**
 * A block that Markdown calls HTML: a few tags without attributes are elements, all the rest is text. What `<details>`
 * begins goes on through the blocks behind it.
 */
import { h } from "../dom/elements.js";
import { Chunks } from "./chunks.js";
import { Phrases } from "./inline-view.js";
import { DEEPEST, readElement } from "./policy.js";

/** @typedef {import("../markdown/tree.js").Node} Node */
/** @typedef {import("./policy.js").Scene} Scene */

/** A longer block is text. */
const LONGEST_HTML_CHARS = 4096;
const TAGS = /(<\/?[a-z]+[ \t\n]*\/?>)/i;
/** A tag of which the end is still to come. */
const BEGUN = /<[^<>\n]{0,20}$/;

/** Shows one such block. */
export class HtmlView {
  element = null;
  /** Where the blocks behind it go: elements that it leaves open, the innermost last. */
  boxes;
  before;
  #box;
  #scene;
  /** @type {HTMLElement[]} */
  #made = [];
  #value = "";
  /** @type {Chunks | null} */
  #chunks = null;

  /**
   * @param {HTMLElement} box where blocks go now
   * @param {HTMLElement[]} before elements that earlier blocks left open
   * @param {Scene} scene
   */
  constructor(box, before, scene) {
    this.#box = box;
    this.before = before;
    this.boxes = before;
    this.#scene = scene;
  }

  /** @param {Node} node */
  show(node) {
    const isOpen = this.#scene.open === node;
    const added = this.#scene.added.get(node);
    if (this.#chunks) return this.#chunks.add(added ?? "");
    const value = node.value ?? "";
    if (value === this.#value && isOpen) return;
    this.#value = value;
    this.remove();
    this.boxes = this.before;
    if (value.length > LONGEST_HTML_CHARS) this.#showText(value);
    else this.#showTags(isOpen ? value.replace(BEGUN, "") : value, isOpen);
  }

  remove() {
    for (const element of this.#made) element.remove();
    this.#made = [];
  }

  /** @param {string} value */
  #showText(value) {
    const element = this.#make("p", this.#box);
    element.className = "html";
    this.#chunks = new Chunks(element);
    this.#chunks.add(value);
  }

  /**
   * @param {"p" | "details" | "summary"} tag
   * @param {HTMLElement} box
   */
  #make(tag, box) {
    const element = h(tag);
    box.append(element);
    if (box === this.#box || !this.#made.some((made) => made.contains(element))) this.#made.push(element);
    return element;
  }

  /**
   * @param {string} value
   * @param {boolean} isOpen
   */
  #showTags(value, isOpen) {
    /** @type {Node[]} */
    let run = [];
    let inner = this.#box;
    const flush = () => {
      if (run.some((node) => node.value?.trim())) this.#showRun(run, inner, isOpen);
      run = [];
    };
    for (const text of value.split(TAGS)) {
      const found = readElement(text);
      const isBlock = found?.tag === "details" || found?.tag === "summary";
      const innermost = inner.localName;
      if (isBlock && !found.isEnd && this.boxes.length < DEEPEST && innermost !== "summary") {
        flush();
        inner = this.#make(/** @type {"details"} */ (found.tag), inner);
        this.boxes = [...this.boxes, inner];
      } else if (isBlock && found.isEnd && innermost === found.tag && this.boxes.length > 0) {
        flush();
        this.boxes = this.boxes.slice(0, -1);
        inner = this.boxes.at(-1) ?? /** @type {HTMLElement} */ (inner.parentElement);
      } else if (text) run.push({ type: found && !isBlock ? "html" : "text", value: text });
    }
    flush();
  }

  /**
   * @param {Node[]} run
   * @param {HTMLElement} box
   * @param {boolean} isOpen
   */
  #showRun(run, box, isOpen) {
    const trimmed = run.map((node) => ({ ...node, value: node.value }));
    const [first] = trimmed;
    const last = trimmed.at(-1);
    if (first) first.value = first.value?.trimStart();
    if (last) last.value = last.value?.trimEnd();
    const element = box.localName === "summary" ? box : this.#make("p", box);
    if (element !== box) element.className = "html";
    new Phrases(element, this.#scene).show(trimmed, { depth: 0, isLinked: false, isOpen });
  }
}

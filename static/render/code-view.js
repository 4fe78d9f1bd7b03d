/**
 * The views of code blocks, with their language and a copy button, and of display formulas.
 */
import { h } from "../dom/elements.js";
import { words } from "../strings/words.js";
import { TextChunks } from "./text-chunks.js";

/** @typedef {import("../markdown/tree.js").Node} Node */
/** @typedef {import("./policy.js").RenderContext} RenderContext */

/** The view of a code block; it is highlighted when it is complete. */
export class CodeView {
  #code = h("code");
  #label = h("span", { class: "language" });
  element = h(
    "div",
    { class: "code", dir: "ltr" },
    h("div", { class: "code-head" }, this.#label, h("button", { type: "button", class: "copy" }, words.copy)),
    h("pre", { role: "group", "aria-label": words.code }, this.#code),
  );
  #chunks = new TextChunks(this.#code);
  #context;
  #hasText = false;
  #isHighlighted = false;

  /** @param {RenderContext} context */
  constructor(context) {
    this.#context = context;
  }

  /** @param {Node} node */
  show(node) {
    const context = this.#context;
    if (!this.#hasText) {
      this.#label.textContent = node.lang ?? "";
      this.#chunks.add(node.value ?? "");
    } else this.#chunks.add(context.appended.get(node) ?? "");
    this.#hasText = true;
    if (context.openLeaf === node || this.#isHighlighted) return;
    context.watchScrolling(/** @type {HTMLElement} */ (this.#code.parentElement));
    this.#isHighlighted = true;
    if (node.lang) context.highlight(this.#code, node.lang);
  }
}

/** The view of a display formula. */
export class MathView {
  element = h("div", { class: "math display", dir: "ltr" });
  #context;

  /** @param {RenderContext} context */
  constructor(context) {
    this.#context = context;
  }

  /** @param {Node} node */
  show(node) {
    this.#context.showFormula(this.element, { ...node, display: true, isOpen: this.#context.openLeaf === node });
    this.#context.watchScrolling(this.element);
  }
}

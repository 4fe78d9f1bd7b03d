/**
 * Code with its language and a button to copy it, and formulas set apart. Neither is read as anything but text.
 */
import { h } from "../dom/elements.js";
import { words } from "../strings/words.js";
import { Chunks } from "./chunks.js";

/** @typedef {import("../markdown/tree.js").Node} Node */
/** @typedef {import("./policy.js").Scene} Scene */

/** Shows a block of code. */
export class CodeView {
  #code = h("code");
  #label = h("span", { class: "language" });
  element = h(
    "div",
    { class: "code", dir: "ltr" },
    h("div", { class: "code-head" }, this.#label, h("button", { type: "button", class: "copy" }, words.copy)),
    h("pre", { tabindex: "0", role: "group", "aria-label": words.code }, this.#code),
  );
  #chunks = new Chunks(this.#code);
  #scene;
  #isBegun = false;
  #isPainted = false;

  /** @param {Scene} scene */
  constructor(scene) {
    this.#scene = scene;
  }

  /** @param {Node} node */
  show(node) {
    const scene = this.#scene;
    if (!this.#isBegun) {
      this.#label.textContent = node.lang ?? "";
      this.#chunks.add(node.value ?? "");
    } else this.#chunks.add(scene.added.get(node) ?? "");
    this.#isBegun = true;
    if (scene.open === node || this.#isPainted) return;
    this.#isPainted = true;
    if (node.lang) scene.paint(this.#code, node.lang);
  }
}

/** Shows a formula that stands for itself. */
export class MathView {
  element = h("div", { class: "math display", tabindex: "0", dir: "ltr" });
  #scene;

  /** @param {Scene} scene */
  constructor(scene) {
    this.#scene = scene;
  }

  /** @param {Node} node */
  show(node) {
    this.#scene.math(this.element, { ...node, display: true, isOpen: this.#scene.open === node });
  }
}

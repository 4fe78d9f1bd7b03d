/**
 * Formulas: their TeX, which is what is copied, and beside it what the module for mathematics makes of it, as soon as
 * they are whole. The module is loaded when the first one comes.
 */
import { h } from "../dom/elements.js";

/** @typedef {import("../markdown/tree.js").Node} Node */
/** @typedef {(tex: string, options: {display: boolean}) => Element | null} Build */

/** @type {Promise<Build> | null} */
let loading = null;
/** @type {Build | null} */
let build = null;

/** Load the module for mathematics; what is missing leaves formulas as their source. */
export function loadFormulas() {
  loading ??= import("../mathml/index.js").then(
    ({ mathml }) => (build = mathml),
    () => () => null,
  );
  return loading;
}

/** Shows the formulas of one message. */
export class FormulaViews {
  /** @type {WeakMap<HTMLElement, string>} what each element shows */
  #shown = new WeakMap();
  #isPlain;

  /** @param {boolean} isPlain whether formulas stay as their source */
  constructor(isPlain) {
    this.#isPlain = isPlain;
  }

  /**
   * @param {HTMLElement} element
   * @param {Node} node
   */
  show(element, { value, display = false, isOpen = false }) {
    const tex = value ?? "";
    const known = element.firstElementChild;
    if (this.#shown.get(element) !== tex || !known) {
      this.#shown.set(element, tex);
      element.replaceChildren(h("code", { class: "tex" }, tex));
      element.classList.remove("built");
    }
    if (isOpen || this.#isPlain || element.childElementCount > 1) return;
    if (build) this.#add(element, tex, build(tex, { display }));
    else loadFormulas().then((made) => this.#shown.get(element) === tex && this.#add(element, tex, made(tex, { display })));
  }

  /**
   * @param {HTMLElement} element
   * @param {string} tex
   * @param {Element | null} formula
   */
  #add(element, tex, formula) {
    if (!formula || element.childElementCount > 1 || this.#shown.get(element) !== tex) return;
    element.append(formula);
    element.classList.add("built");
  }
}

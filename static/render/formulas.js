/**
 * The views of formulas: the TeX source, which is what is copied, and the MathML built from it when the formula is complete.
 * The MathML module is loaded for the first formula.
 */
import { h } from "../dom/elements.js";

/** @typedef {import("../markdown/tree.js").Node} Node */
/** @typedef {(tex: string, options: {display: boolean}) => Element | null} Build */

/** @type {Promise<Build> | null} */
let loading = null;
/** @type {Build | null} */
let build = null;

/** Load the MathML module. If it can't be loaded, formulas are shown as their source. */
export function loadFormulas() {
  loading ??= import("../mathml/index.js").then(
    ({ toMathml }) => (build = toMathml),
    () => () => null,
  );
  return loading;
}

/** The formulas of one message. */
export class FormulaViews {
  /** @type {WeakMap<HTMLElement, string>} the TeX that each element shows */
  #shown = new WeakMap();
  #isPlain;

  /** @param {boolean} isPlain whether formulas are shown as their source */
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

/** Converts TeX formulas to MathML elements. */
import { parse } from "./parser.js";
import { node } from "./tree.js";

/** @typedef {import("./tree.js").Formula} Formula */

const MATHML = "http://www.w3.org/1998/Math/MathML";
/** Fonts that can stretch brackets; not every system maps `math` to one. */
const FONTS = '"STIX Two Math", "Cambria Math", "Latin Modern Math", "DejaVu Math TeX Gyre", math';

/**
 * Convert a formula to an element.
 * @param {string} tex
 * @param {{display?: boolean}} [options]
 * @returns {Element | null} null when it contains TeX that is not supported; show its source then
 */
export function toMathml(tex, { display = false } = {}) {
  const formula = parse(tex);
  if (!formula) return null;
  const semantics = node("semantics", {}, formula, node("annotation", { encoding: "application/x-tex" }, tex));
  return build(node("math", { display: display ? "block" : "inline", dir: "ltr", style: { "font-family": FONTS } }, semantics));
}

/** @param {Formula} formula @returns {Element} */
function build({ tag, attributes, children }) {
  const element = /** @type {MathMLElement} */ (document.createElementNS(MATHML, tag));
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "string") element.setAttribute(name, value);
    else for (const [property, setting] of Object.entries(value)) element.style.setProperty(property, setting);
  }
  element.append(...children.map((child) => (typeof child === "string" ? child : build(child))));
  return element;
}

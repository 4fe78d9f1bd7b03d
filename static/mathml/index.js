/** Mathematics as native MathML. */
import { read } from "./parser.js";
import { make } from "./tree.js";

/** @typedef {import("./tree.js").Formula} Formula */

const MATHML = "http://www.w3.org/1998/Math/MathML";
/** Only these stretch a bracket, and not every system knows its own as `math`. */
const FONTS = '"STIX Two Math", "Cambria Math", "Latin Modern Math", "DejaVu Math TeX Gyre", math';

/**
 * A formula as an element, or null where it holds what is not known: then its source is shown.
 * @param {string} tex
 * @param {{display?: boolean}} [options]
 * @returns {Element | null}
 */
export function mathml(tex, { display = false } = {}) {
  const formula = read(tex);
  if (!formula) return null;
  const semantics = make("semantics", {}, formula, make("annotation", { encoding: "application/x-tex" }, tex));
  return built(make("math", { display: display ? "block" : "inline", dir: "ltr", style: { "font-family": FONTS } }, semantics));
}

/** @param {Formula} formula @returns {Element} */
function built({ tag, attributes, children }) {
  const element = /** @type {MathMLElement} */ (document.createElementNS(MATHML, tag));
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "string") element.setAttribute(name, value);
    else for (const [property, set] of Object.entries(value)) element.style.setProperty(property, set);
  }
  element.append(...children.map((child) => (typeof child === "string" ? child : built(child))));
  return element;
}

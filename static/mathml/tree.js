/** The tree of a formula's MathML elements, without a document. */

/** @typedef {Record<string, string | Record<string, string>>} Attributes `style` is an object of CSS properties */
/** @typedef {{tag: string, attributes: Attributes, children: (Formula | string)[]}} Formula */

/** @param {string} tag @param {Attributes} attributes @param {...(Formula | string)} children @returns {Formula} */
export const node = (tag, attributes, ...children) => ({ tag, attributes: { ...attributes }, children });

/** @param {Formula[]} parts */
export const row = (parts) => (parts.length === 1 && parts[0] ? parts[0] : node("mrow", {}, ...parts));

/** @param {number} em */
export const space = (em) => node("mspace", { width: `${em}em` });

/** @param {string} sign @param {Attributes} [attributes] */
export const operator = (sign, attributes = {}) => node("mo", attributes, sign);

export const TIGHT = { lspace: "0", rspace: "0" };

/** A delimiter of fixed size. @param {string} sign */
export const fixed = (sign) => operator(sign, { stretchy: "false", ...(/[|‖]/.test(sign) && TIGHT) });

/** A delimiter that stretches to the height of its row; "." is an empty one. @param {string} sign @param {string} form */
export const stretchy = (sign, form) => (sign === "." ? row([]) : operator(sign, { stretchy: "true", fence: "true", form, ...TIGHT }));

/** The formula contains TeX that is not supported. */
export class UnsupportedTex extends Error {}

/** The formula as a tree, before there is a document: an element is its tag, its attributes and what it holds. */

/** @typedef {Record<string, string | Record<string, string>>} Attributes `style` holds properties */
/** @typedef {{tag: string, attributes: Attributes, children: (Formula | string)[]}} Formula */

/** @param {string} tag @param {Attributes} attributes @param {...(Formula | string)} children @returns {Formula} */
export const make = (tag, attributes, ...children) => ({ tag, attributes: { ...attributes }, children });

/** @param {Formula[]} parts */
export const row = (parts) => (parts.length === 1 && parts[0] ? parts[0] : make("mrow", {}, ...parts));

/** @param {number} em */
export const space = (em) => make("mspace", { width: `${em}em` });

/** @param {string} sign @param {Attributes} [attributes] */
export const operator = (sign, attributes = {}) => make("mo", attributes, sign);

export const TIGHT = { lspace: "0", rspace: "0" };

/** A delimiter that keeps its size. @param {string} sign */
export const fixed = (sign) => operator(sign, { stretchy: "false", ...(/[|‖]/.test(sign) && TIGHT) });

/** A delimiter that grows with what stands beside it; "." is none. @param {string} sign @param {string} form */
export const stretched = (sign, form) => (sign === "." ? row([]) : operator(sign, { stretchy: "true", fence: "true", form, ...TIGHT }));

/** What is not understood. */
export class Unknown extends Error {}

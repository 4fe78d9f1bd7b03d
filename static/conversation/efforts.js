/** How much a model may be asked to reason. */

/** @typedef {import("../stream/types.js").Effort} Effort */

/** The levels, from the least. @type {Effort[]} */
export const EFFORTS = ["none", "low", "medium", "high", "xhigh", "max"];

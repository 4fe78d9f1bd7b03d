/** What an answer draws on, as numbered notes beneath it. */
import { h } from "../dom/elements.js";
import { formatCount } from "../strings/format.js";
import { linkFor } from "../render/index.js";
import { words } from "../strings/words.js";

/** @typedef {import("../stream/frames.js").Source} Source */

/** So much of a passage is shown. */
const MOST_CHARS = 300;

/**
 * Write the notes, in the order of their numbers.
 * @param {readonly Source[]} sources
 * @returns {HTMLElement[]}
 */
export function notes(sources) {
  const inOrder = [...sources].sort((one, other) => one.n - other.n);
  return [h("h3", {}, words.sources), h("ol", {}, ...inOrder.map(note))];
}

/** @param {Source} source */
function note({ n, title, source, snippet }) {
  const link = linkFor(source);
  const name = title || source || words.source(formatCount(n));
  const head = link.href ? h("a", { ...link, dir: "auto" }, name) : h("span", { class: "title", dir: "auto", title: source }, name);
  const passage = snippet ? [h("p", { dir: "auto" }, snippet.slice(0, MOST_CHARS))] : [];
  return h("li", {}, h("span", { class: "number" }, formatCount(n)), h("div", {}, head, ...passage));
}

/** The numbered list of sources under an answer. The chat loads it with the first answer that has sources. */
import { h } from "../dom/elements.js";
import { formatCount } from "../strings/format.js";
import { linkFor } from "../render/index.js";
import { words } from "../strings/words.js";

/** @typedef {import("../stream/frames.js").Source} Source */

/** Longer snippets are cut. */
const MAX_CHARS = 300;

/**
 * Return a heading and the list, ordered by number.
 * @param {readonly Source[]} sources
 * @returns {HTMLElement[]}
 */
export function sourceNotes(sources) {
  const inOrder = [...sources].sort((one, other) => one.n - other.n);
  return [h("h3", {}, words.sources), h("ol", {}, ...inOrder.map(note))];
}

/** @param {Source} source */
function note({ n, title = "", source = "", snippet = "" }) {
  const link = linkFor(source);
  const name = title || source || words.source(formatCount(n));
  const head = link.href ? h("a", { ...link, dir: "auto" }, name) : h("span", { class: "title", dir: "auto", title: source }, name);
  const excerpt = snippet ? [h("p", { dir: "auto" }, snippet.slice(0, MAX_CHARS))] : [];
  return h("li", {}, h("span", { class: "number" }, formatCount(n)), h("div", {}, head, ...excerpt));
}

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
 * @param {((source: Source) => void) | null} [open] shows a passage in its document; null: that is not possible here
 * @returns {HTMLElement[]}
 */
export function sourceNotes(sources, open = null) {
  const inOrder = [...sources].sort((one, other) => one.n - other.n);
  return [h("h3", {}, words.sources), h("ol", {}, ...inOrder.map((source) => note(source, open)))];
}

/**
 * @param {Source} source
 * @param {((source: Source) => void) | null} open
 */
function note(source, open) {
  const { n, snippet = "" } = source;
  const head = headOf(source, open);
  const excerpt = snippet ? [h("p", { dir: "auto" }, snippet.slice(0, MAX_CHARS))] : [];
  return h("li", {}, h("span", { class: "number" }, formatCount(n)), h("div", {}, head, ...excerpt));
}

/**
 * @param {Source} cited
 * @param {((source: Source) => void) | null} open
 */
function headOf(cited, open) {
  const { n, title = "", source = "", document: id = "", page = null } = cited;
  const link = linkFor(source);
  const place = page === null ? "" : ` · ${words.page(formatCount(page))}`;
  const name = (title || source || words.source(formatCount(n))) + place;
  if (link.href) return h("a", { ...link, dir: "auto" }, name);
  if (!id || !open) return h("span", { class: "title", dir: "auto", title: source }, name);
  const button = h("button", { type: "button", class: "title", dir: "auto", title: source }, name);
  button.addEventListener("click", () => open(cited));
  return button;
}

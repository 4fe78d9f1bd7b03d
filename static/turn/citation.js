/** Finds the passage whose number was clicked in an answer's text. */

/** @typedef {import("../stream/frames.js").Source} Source */

/**
 * Return the source of a document that a click in the text is about; undefined if there is none.
 * @param {Event} event
 * @param {readonly Source[]} sources
 */
export function findCited(event, sources) {
  const number = event.target instanceof Element ? event.target.closest("a.citation:not([href])")?.textContent : null;
  return sources.find((source) => source.document && String(source.n) === number);
}

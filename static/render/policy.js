/**
 * What may become of a model's words: which addresses lead anywhere, which images load, which tags are elements.
 * The README lists these rules, and a test holds each of them.
 */

/** @typedef {import("../markdown/tree.js").Node} Node */
/** @typedef {import("../stream/frames.js").Source} Source */

/**
 * @typedef {object} Scene what all parts of one message share
 * @property {string} id begins the ids within the message
 * @property {(identifier: string) => Node | undefined} definition
 * @property {(identifier: string) => number} footnote its number; 0 when there is none
 * @property {Map<number, Source>} sources
 * @property {string} base the address below which the server keeps images
 * @property {Set<string>} origins other ones, from which all images load
 * @property {Node | null} open the leaf that is still being written
 * @property {Map<Node, string>} added what came to open code since it was last shown
 * @property {Map<Node, {show: (node: Node) => void}>} views what shows a leaf that may be read again
 * @property {(element: HTMLElement, node: Node) => void} math shows a formula
 * @property {(code: HTMLElement, language: string) => void} paint colours code that is whole
 * @property {(element: HTMLElement) => void} settle is told the elements that nothing is added to any more
 */

/** Elements may stand within each other up to here; deeper ones are left out, their text stays. */
export const DEEPEST = 24;

const SCHEMES = new Set(["http:", "https:", "mailto:"]);
/** An image of a conversation, or of one that is shared. */
const KEPT_IMAGE = /^(?:conversations\/[\w-]{22}|shared\/[\w-]{16,64})\/images\/[0-9a-f]{64}$/;
const ELEMENT = /^<(\/?)(br|sub|sup|kbd|mark|u|ins|del|small|b|i|details|summary)[ \t\n]*\/?>$/i;

/**
 * @param {string | undefined} address
 * @returns {URL | null}
 */
function parsed(address) {
  try {
    return new URL(address ?? "");
  } catch {
    return null;
  }
}

/**
 * Say where an address may lead.
 * @param {string | undefined} address
 * @returns {Record<string, string>} attributes of the link; one that leads nowhere has none
 */
export function linkAttributes(address) {
  if (!address) return { class: "becoming" };
  const url = parsed(address);
  if (!url || !SCHEMES.has(url.protocol)) return {};
  return { href: url.href, rel: "noopener noreferrer nofollow", target: "_blank" };
}

/**
 * Return the address that an image loads from. Of the page's own server only images do: to ask for anything else could
 * start an answer, each time that somebody reads this one.
 * @param {string | undefined} address
 * @param {Pick<Scene, "base" | "origins">} scene
 * @returns {string | null} null when it may not load
 */
export function imageAt(address, { base, origins }) {
  const url = parsed(address);
  if (!url || !/^https?:$/.test(url.protocol)) return null;
  const isKept = url.href.startsWith(base) && KEPT_IMAGE.test(url.href.slice(base.length));
  return isKept || origins.has(url.origin) ? url.href : null;
}

/**
 * Read a tag that may become an element.
 * @param {string} text
 * @returns {{tag: string, isEnd: boolean} | null}
 */
export function readElement(text) {
  const found = ELEMENT.exec(text);
  return found ? { tag: (found[2] ?? "").toLowerCase(), isEnd: found[1] === "/" } : null;
}

/**
 * The security policy for a model's Markdown: which links are active, which images load, which HTML tags become elements.
 * `docs/markdown.md` lists these rules, and `tests/render/test_policy.py` checks each of them.
 */

/** @typedef {import("../markdown/tree.js").Node} Node */
/** @typedef {import("../stream/frames.js").Source} Source */

/**
 * @typedef {object} RenderContext what all views of one message share
 * @property {string} id prefix of the element ids within the message
 * @property {(identifier: string) => Node | undefined} definition
 * @property {(identifier: string) => number} footnote returns its number; 0 if it is undefined
 * @property {Map<number, Source>} sources
 * @property {string} base the URL below which the server serves images
 * @property {Set<string>} origins other origins, from which all images may load
 * @property {Node | null} openLeaf the leaf block to which text may be added
 * @property {Map<Node, string>} appended text appended to open code or HTML since the last update
 * @property {Map<Node, {show: (node: Node) => void}>} views the views of leaf blocks, which may be parsed again
 * @property {(element: HTMLElement, node: Node) => void} showFormula
 * @property {(code: HTMLElement, language: string) => void} highlight called for complete code
 * @property {(...elements: Element[]) => void} watchScrolling keeps boxes that scroll focusable, and only these
 * @property {(depth: number) => number} headingLevel returns the level of the next heading's element: no level is left out
 * @property {(element: HTMLElement) => void} complete called with elements that do not change any more
 */

/** The deepest nesting of elements; of deeper nodes only the text is shown. */
export const MAX_DEPTH = 24;

const SCHEMES = new Set(["http:", "https:", "mailto:"]);
/** The path of an image in a conversation or in a shared one. */
const STORED_IMAGE = /^(?:conversations\/[\w-]{22}|shared\/[\w-]{16,64})\/images\/[0-9a-f]{64}$/;
const ELEMENT = /^<(\/?)(br|sub|sup|kbd|mark|u|ins|del|small|b|i|details|summary)(?=[\s/>])[^]*>$/i;

/**
 * @param {string | undefined} address
 * @returns {URL | null}
 */
function parseUrl(address) {
  try {
    return new URL(address ?? "");
  } catch {
    return null;
  }
}

/**
 * Return the attributes of a link to this URL.
 * @param {string | undefined} address
 * @returns {Record<string, string>} without `href` if the policy does not allow it
 */
export function linkAttributes(address) {
  if (!address) return { class: "unfinished" };
  const url = parseUrl(address);
  if (!url || !SCHEMES.has(url.protocol)) return {};
  return { href: url.href, rel: "noopener noreferrer nofollow", target: "_blank" };
}

/**
 * Return the attributes of a link to a source: only web addresses are links.
 * @param {string | undefined} address
 * @returns {Record<string, string>}
 */
export function sourceLink(address) {
  return /^https?:/i.test(address ?? "") ? linkAttributes(address) : {};
}

/**
 * Return the URL that an image loads from. From the page's own server only stored images load: a request for anything else
 * could start an answer, each time that somebody opens this one.
 * @param {string | undefined} address
 * @param {Pick<RenderContext, "base" | "origins">} context
 * @returns {string | null} null if it may not load
 */
export function imageAt(address, { base, origins }) {
  const url = parseUrl(address);
  if (!url || !/^https?:$/.test(url.protocol)) return null;
  const isStored = url.href.startsWith(base) && STORED_IMAGE.test(url.href.slice(base.length));
  return isStored || origins.has(url.origin) ? url.href : null;
}

/**
 * Parse a complete tag that may become an element. Its attributes are left out, except that `<details>` may be open.
 * @param {string} text
 * @returns {{tag: string, isEnd: boolean, isUnfolded: boolean} | null}
 */
export function readElement(text) {
  const found = ELEMENT.exec(text);
  return found ? { tag: (found[2] ?? "").toLowerCase(), isEnd: found[1] === "/", isUnfolded: /\sopen[\s=/>]/i.test(text) } : null;
}

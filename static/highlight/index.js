/**
 * `highlight/`: Syntax highlighting of code with the CSS Custom Highlight API. Code blocks themselves are drawn
 * in `render/`.
 */
/**
 * Colours code with the CSS Custom Highlight API. It adds no nodes, so text nodes and selections stay as they are. Browsers
 * check every range whenever the page changes, so only elements near the screen have ranges.
 */
import { languageOf } from "./languages.js";
import { tokenize } from "./lexer.js";
import { highlightCss } from "../styles/highlight.js";

/** A longer block stays plain. */
const MAX_CHARS = 50_000;
/** Slices should end within 8 ms; the last step of a slice may exceed this. */
const SLICE_MS = 6;

/** @typedef {[kind: string, range: StaticRange][]} Ranges */

/** @type {WeakMap<Element, Ranges>} by the parent of the text node */
const ranges = new WeakMap();
/** @type {Set<Element>} */
const near = new Set();
/** In forced colours Chromium paints every range like a selection, so there are none. */
const forced = matchMedia("(forced-colors: active)");
forced.addEventListener("change", () => near.forEach(paint));

const sheet = new CSSStyleSheet();
sheet.replaceSync(highlightCss);

const margins = { rootMargin: "50%", scrollMargin: "50%" };
/** Also called when an element leaves the document. */
const observer = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    if (isIntersecting) near.add(target);
    else near.delete(target);
    paint(target);
  }
}, margins);

/** @param {Element} element */
function paint(element) {
  const isShown = near.has(element) && !forced.matches;
  for (const [kind, range] of ranges.get(element) ?? []) {
    const name = `freshet-${kind}`;
    const group = CSS.highlights.get(name) ?? new Highlight();
    if (!group.size) CSS.highlights.set(name, group);
    if (isShown) group.add(range);
    else group.delete(range);
  }
}

/**
 * Colour a block of code. It stays plain if its language is unknown, it is too long, or the browser lacks the API.
 * @param {Element} element contains the text, in any depth
 * @param {string} language
 * @param {string} text
 */
export async function highlight(element, language, text) {
  const name = languageOf(language);
  if (!name || text.length > MAX_CHARS || !globalThis.CSS?.highlights || element.textContent !== text) return;
  const found = await createRanges(element, name, text);
  if (!element.isConnected) return;
  const root = /** @type {Document | ShadowRoot} */ (element.getRootNode());
  if (!root.adoptedStyleSheets.includes(sheet)) root.adoptedStyleSheets.push(sheet);
  for (const [parent, list] of found) {
    near.delete(parent);
    paint(parent);
    ranges.set(parent, list);
    observer.unobserve(parent);
    observer.observe(parent);
  }
}

/** @param {Element} element @param {string} language @param {string} text */
async function createRanges(element, language, text) {
  /** @type {Map<Element, Ranges>} */
  const found = new Map();
  const add = rangeAdder(element, found);
  let [until, from, to, last] = [0, 0, 0, ""];
  for (const { start, end, kind = "" } of tokenize(text, language)) {
    if (performance.now() >= until) until = await idle();
    // Spaces have no colour, so a range may contain them.
    if (!kind && !text.slice(start, end).trim()) continue;
    if (kind !== last) {
      add(last, from, to);
      [from, last] = [start, kind];
    }
    to = end;
  }
  add(last, from, to);
  return found;
}

/** Return a function that adds a range, split at the ends of text nodes; call it in text order. @param {Element} element @param {Map<Element, Ranges>} found */
function rangeAdder(element, found) {
  const nodes = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  let node = /** @type {Text} */ (nodes.nextNode());
  let before = 0;
  /** @param {string} kind @param {number} start @param {number} end */
  return (kind, start, end) => {
    while (kind && start < end) {
      while (start - before >= node.length) {
        before += node.length;
        node = /** @type {Text} */ (nodes.nextNode());
      }
      const stop = Math.min(end, before + node.length);
      const parent = /** @type {Element} */ (node.parentNode);
      const range = new StaticRange({ startContainer: node, startOffset: start - before, endContainer: node, endOffset: stop - before });
      const list = found.get(parent) ?? [];
      list.push([kind, range]);
      found.set(parent, list);
      start = stop;
    }
  };
}

/** Wait until the browser is idle; return the time at which the slice must end. */
function idle() {
  return new Promise((/** @type {(until: number) => void} */ resolve) => {
    const start = () => resolve(performance.now() + SLICE_MS);
    if (typeof requestIdleCallback === "function") requestIdleCallback(start, { timeout: 500 });
    else setTimeout(start, 16);
  });
}

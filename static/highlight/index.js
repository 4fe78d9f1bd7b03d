/**
 * `highlight/`: Syntax highlighting of code with the CSS Custom Highlight API. Code blocks themselves are drawn
 * in `render/`.
 */
/**
 * Colour code with the CSS Custom Highlight API: no node is added, so copies and selections stay what they were.
 * Whenever the page changes the browser looks at each range again, so only what is near the screen has any.
 */
import { known } from "./languages.js";
import { tokens } from "./lexer.js";
import { highlightCss } from "../styles/highlight.js";

/** A block longer than this stays plain. */
const MOST_CHARS = 50_000;
/** A slice is to end within 8 ms; the step it is in when time is up has the rest. */
const SLICE_MS = 6;

/** @typedef {[kind: string, range: StaticRange][]} Ranges */

/** @type {WeakMap<Element, Ranges>} by the parent of their text */
const ranges = new WeakMap();
/** @type {Set<Element>} */
const near = new Set();
/** Here Chromium would paint every range as if it were selected. */
const forced = matchMedia("(forced-colors: active)");
forced.addEventListener("change", () => near.forEach(paint));

const sheet = new CSSStyleSheet();
sheet.replaceSync(highlightCss);

const margins = { rootMargin: "50%", scrollMargin: "50%" };
/** Tells also when an element has left the document. */
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
    const layer = CSS.highlights.get(name) ?? new Highlight();
    if (!layer.size) CSS.highlights.set(name, layer);
    if (isShown) layer.add(range);
    else layer.delete(range);
  }
}

/**
 * Colour a block of code. It stays plain where its language is unknown, it is too long or the API missing.
 * @param {Element} element holds the text, itself or in elements
 * @param {string} language
 * @param {string} text
 */
export async function highlight(element, language, text) {
  const name = known(language);
  if (!name || text.length > MOST_CHARS || !globalThis.CSS?.highlights || element.textContent !== text) return;
  const made = await lexed(element, name, text);
  if (!element.isConnected) return;
  const root = /** @type {Document | ShadowRoot} */ (element.getRootNode());
  if (!root.adoptedStyleSheets.includes(sheet)) root.adoptedStyleSheets.push(sheet);
  for (const [parent, list] of made) {
    near.delete(parent);
    paint(parent);
    ranges.set(parent, list);
    observer.unobserve(parent);
    observer.observe(parent);
  }
}

/** @param {Element} element @param {string} language @param {string} text */
async function lexed(element, language, text) {
  /** @type {Map<Element, Ranges>} */
  const made = new Map();
  const add = adder(element, made);
  let [until, from, to, last] = [0, 0, 0, ""];
  for (const { start, end, kind = "" } of tokens(text, language)) {
    if (performance.now() >= until) until = await idle();
    // One range reaches across spaces: they have no colour.
    if (!kind && !text.slice(start, end).trim()) continue;
    if (kind !== last) {
      add(last, from, to);
      [from, last] = [start, kind];
    }
    to = end;
  }
  add(last, from, to);
  return made;
}

/** Adds ranges, in order, cut where nodes end. @param {Element} element @param {Map<Element, Ranges>} made */
function adder(element, made) {
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
      const list = made.get(parent) ?? [];
      list.push([kind, range]);
      made.set(parent, list);
      start = stop;
    }
  };
}

/** Wait for time to work in, and learn when it is up. */
function idle() {
  return new Promise((/** @type {(until: number) => void} */ resolve) => {
    const start = () => resolve(performance.now() + SLICE_MS);
    if (typeof requestIdleCallback === "function") requestIdleCallback(start, { timeout: 500 });
    else setTimeout(start, 16);
  });
}

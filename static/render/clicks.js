/**
 * Event handlers of an answer: copying code, following footnote links, and copying lists and formulas as they read. Fragment links do not
 * work in a shadow root, so that their targets are found here.
 */
import { setText } from "../dom/elements.js";
import { htmlOf, plainTextOf } from "./copying.js";
import { words } from "../strings/words.js";

/** How long a button shows that the code was copied. */
const COPIED_MS = 2000;

/** What browsers copy otherwise than it reads: lists without their marks, formulas, what only screen readers read. */
const OTHERWISE_COPIED = "li, math, .visually-hidden";

/** @type {WeakSet<HTMLElement>} */
const handled = new WeakSet();

/**
 * Add the event listeners of an answer; a second call does nothing.
 * @param {HTMLElement} root
 */
export function addListeners(root) {
  if (handled.has(root)) return;
  handled.add(root);
  root.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    const button = target?.closest("button.copy");
    const link = /** @type {HTMLAnchorElement | null | undefined} */ (target?.closest("a.note, a.back"));
    if (button) copy(button);
    else if (link && follow(link, root)) event.preventDefault();
  });
  root.addEventListener("copy", (event) => {
    copyAsRead(event, root);
  });
}

/**
 * Copy a selection with lists or formulas as it reads; of all else the browser makes that itself.
 * @param {ClipboardEvent} event
 * @param {HTMLElement} root
 */
function copyAsRead(event, root) {
  const range = selectedRange(root);
  if (!event.clipboardData || !range || !root.contains(range.commonAncestorContainer)) return;
  copyRange(event, event.clipboardData, range);
}

/**
 * @param {ClipboardEvent} event
 * @param {DataTransfer} data
 * @param {Range} range
 */
function copyRange(event, data, range) {
  if (!range.cloneContents().querySelector(OTHERWISE_COPIED)) return;
  data.setData("text/plain", plainTextOf(range));
  data.setData("text/html", htmlOf(range));
  event.preventDefault();
}

/**
 * Copy a selection over several messages as it reads, without what it has beyond them.
 * @param {HTMLElement} log
 */
export function addCopyListener(log) {
  log.getRootNode().addEventListener("copy", (event) => {
    const range = event instanceof ClipboardEvent && !event.defaultPrevented ? selectedRange(log) : null;
    if (!range?.intersectsNode(log)) return;
    if (!log.contains(range.startContainer)) range.setStart(log, 0);
    if (!log.contains(range.endContainer)) range.setEnd(log, log.childNodes.length);
    const { clipboardData } = /** @type {ClipboardEvent} */ (event);
    if (clipboardData) copyRange(/** @type {ClipboardEvent} */ (event), clipboardData, range);
  });
}

/**
 * Return the selected range. Of a selection in a shadow tree, Chromium's and Safari's `getRangeAt` have only the host.
 * @param {HTMLElement} root
 */
function selectedRange(root) {
  const selection = getSelection();
  const tree = root.getRootNode();
  if (!selection?.rangeCount) return null;
  if (!(tree instanceof ShadowRoot)) return selection.getRangeAt(0);
  const composed = composedRange(selection, tree);
  if (!composed) return /** @type {ShadowRoot & {getSelection?: () => Selection}} */ (tree).getSelection?.().getRangeAt(0) ?? selection.getRangeAt(0);
  const range = document.createRange();
  range.setStart(composed.startContainer, composed.startOffset);
  range.setEnd(composed.endContainer, composed.endOffset);
  return range;
}

/**
 * @param {Selection} selection
 * @param {ShadowRoot} tree
 * @returns {StaticRange | null} null: the browser has no such method
 */
function composedRange(selection, tree) {
  if (!("getComposedRanges" in selection)) return null;
  const get = /** @type {(...trees: unknown[]) => StaticRange[]} */ (selection.getComposedRanges).bind(selection);
  try {
    return get({ shadowRoots: [tree] })[0] ?? null;
  } catch {
    return get(tree)[0] ?? null; // as Safari had it first
  }
}

/** @param {Element} button of a code block */
async function copy(button) {
  const code = button.closest(".code")?.querySelector("code");
  if (!code) return;
  const isCopied = await writeClipboard(code);
  setText(button, isCopied ? words.copied : words.copyFailed);
  setTimeout(() => setText(button, words.copy), COPIED_MS);
}

/**
 * Copy an element's text. Over plain http there is no `navigator.clipboard`: the text is selected and copied by command.
 * @param {Element} code
 */
async function writeClipboard(code) {
  try {
    await navigator.clipboard.writeText(code.textContent ?? "");
    return true;
  } catch {
    getSelection()?.selectAllChildren(code);
    return document.execCommand("copy");
  }
}

/**
 * Focus a footnote, or the reference to it.
 * @param {HTMLAnchorElement} link
 * @param {HTMLElement} root
 * @returns {boolean} whether the target exists
 */
function follow(link, root) {
  const note = link.matches(".back") ? link.closest(".footnote") : null;
  const target = root.querySelector(note ? `a.note[href="#${CSS.escape(note.id)}"]` : `[id="${CSS.escape(link.hash.slice(1))}"]`);
  if (!(target instanceof HTMLElement)) return false;
  target.focus({ preventScroll: true });
  target.scrollIntoView({ block: "nearest" });
  return true;
}

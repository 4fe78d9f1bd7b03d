/** The panel beside the chat that shows where a passage stands in its document: its page, with the passage marked. */
import { ICONS, h, icon, setText } from "../dom/elements.js";
import { formatCount } from "../strings/format.js";
import { words } from "../strings/words.js";
import { passagesCss } from "../styles/passages.js";
import { sheetOf } from "../styles/sheets.js";

/** @typedef {import("../stream/frames.js").Source} Source */
/** @typedef {{page: number | null, pages: number, start: number, end: number, length: number, text: string}} Part offsets in code points */

const TIMEOUT_MS = 10_000;

/** @type {WeakSet<ShadowRoot>} those that have the panel's styles */
const styled = new WeakSet();

/**
 * Open the panel.
 * @param {ShadowRoot} root its parent
 * @param {string} base the address below which the documents are
 * @param {Source} source a passage of a document
 */
export function showPassage(root, base, source) {
  if (!styled.has(root)) root.adoptedStyleSheets.push(sheetOf(passagesCss));
  styled.add(root);
  const panel = new PassagePanel(base, source);
  root.append(panel.dialog);
  panel.dialog.showModal();
  void panel.load(source.start ?? 0, source.page ?? null);
}

/**
 * Return the pieces of a part's text before, within and after a passage.
 * @param {Part} part
 * @param {Source} source
 * @returns {[string, string, string]}
 */
export function splitAt({ text, start }, { start: from = 0, snippet = "" }) {
  const characters = [...text];
  const begin = Math.max(0, from - start);
  const end = Math.max(begin, from + [...snippet].length - start);
  const join = (/** @type {string[]} */ piece) => piece.join("");
  return [join(characters.slice(0, begin)), join(characters.slice(begin, end)), join(characters.slice(end))];
}

class PassagePanel {
  #base;
  #source;
  #place = h("p", { class: "place" });
  #text = h("div", { class: "text", dir: "auto", tabindex: "0" });
  #status = h("p", { class: "status", role: "status" });
  #previous = turnButton(words.previousPage, ICONS.previous);
  #next = turnButton(words.nextPage, ICONS.next);
  /** @type {Part | null} */
  #part = null;
  dialog;

  /**
   * @param {string} base
   * @param {Source} source
   */
  constructor(base, source) {
    this.#base = base;
    this.#source = source;
    const name = source.title || source.source || "";
    const close = h("button", { type: "button", "aria-label": words.close, title: words.close, autofocus: true }, icon(ICONS.close));
    this.dialog = h(
      "dialog",
      { class: "passages", "aria-label": name },
      h("header", {}, h("h2", { dir: "auto", title: source.source ?? "" }, name), close),
      this.#status,
      this.#text,
      h("footer", {}, this.#previous, this.#place, this.#next),
    );
    close.addEventListener("click", () => this.dialog.close());
    this.dialog.addEventListener("click", (event) => event.target === this.dialog && this.dialog.close());
    // Escape closes the dialog; outside it would stop the answer.
    this.dialog.addEventListener("keydown", (event) => event.key === "Escape" && event.stopPropagation());
    this.dialog.addEventListener("close", () => this.dialog.remove());
    this.#previous.addEventListener("click", () => this.#part && void this.load(this.#part.start - 1));
    this.#next.addEventListener("click", () => this.#part && void this.load(this.#part.end + 1));
  }

  /**
   * Show a page, or the one around an offset into the document's text.
   * @param {number} at
   * @param {number | null} [page]
   */
  async load(at, page = null) {
    setText(this.#status, "");
    const place = page === null ? `at=${Math.max(0, at)}` : `page=${page}`;
    const address = new URL(`${this.#source.document}/text?${place}`, this.#base);
    const response = await fetch(address, { signal: AbortSignal.timeout(TIMEOUT_MS) }).catch(() => null);
    const part = response?.ok ? await response.json().catch(() => null) : null;
    if (part) this.#show(part);
    else setText(this.#status, response?.status === 404 ? words.documentGone : words.actionFailed);
  }

  /** @param {Part} part */
  #show(part) {
    this.#part = part;
    const [before, passage, after] = splitAt(part, this.#source);
    const mark = h("mark", {}, passage);
    this.#text.replaceChildren(before, ...(passage ? [mark] : []), after);
    setText(this.#place, part.page === null ? "" : words.pageOf(formatCount(part.page), formatCount(part.pages)));
    this.#previous.disabled = part.start <= 0;
    this.#next.disabled = part.end >= part.length;
    this.#text.scrollTop = 0;
    if (passage) mark.scrollIntoView({ block: "center" });
  }
}

/**
 * @param {string} name
 * @param {string} path
 */
function turnButton(name, path) {
  return h("button", { type: "button", class: "turn-page", "aria-label": name, title: name, disabled: true }, icon(path));
}

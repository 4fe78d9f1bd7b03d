/** A single-line notice above the composer, at most with one button. It floats; a tall one makes room for itself below the last message. */
import { h, setText } from "../dom/elements.js";
import { words } from "../strings/words.js";

/** Connection trouble that ends sooner is not shown. */
const NOTICE_AFTER_MS = 700;

/** @typedef {{name: string, act: () => void}} NoticeButton */

/**
 * @typedef {object} ChatState
 * @property {string} draftNotice about the message being written; empty: none
 * @property {boolean} isAnswering
 * @property {"fine" | "lost" | "busy"} link
 * @property {boolean} isUnsaved
 * @property {(() => void) | null} reload null unless the server has a newer version of the page
 */

/** Shows one notice at a time. */
export class Notices {
  #text = h("span", {});
  #button = h("button", { type: "button", hidden: true });
  element = h("p", { class: "notice", hidden: true }, this.#text, this.#button);
  /** @type {NoticeButton | null} */
  #action = null;
  #current = "";
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer = undefined;
  #announce;

  /**
   * @param {(text: string) => void} announce called with each notice shown, for screen readers
   * @param {(height_px: number) => void} resized called with the height of the notice; 0: there is none
   */
  constructor(announce, resized) {
    this.#announce = announce;
    new ResizeObserver(() => resized(this.element.offsetHeight)).observe(this.element);
    this.#button.addEventListener("click", () => this.#action?.act());
  }

  /**
   * Show the most important notice for a state, or none.
   * @param {ChatState} state
   */
  update({ draftNotice, isAnswering, link, isUnsaved, reload }) {
    if (draftNotice) this.#show(draftNotice, { isImmediate: true });
    else if (isAnswering && !navigator.onLine) this.#show(words.offline, { isImmediate: true });
    else if (isAnswering && link !== "fine") this.#show(words[link]);
    else if (isUnsaved) this.#show(words.notices.not_saved ?? "");
    else if (reload && !isAnswering) this.#show(words.notices.new_version ?? "", { button: { name: words.reload, act: reload } });
    else this.#show("");
  }

  /**
   * Show a notice, or hide the current one.
   * @param {string} text empty: hide
   * @param {{isImmediate?: boolean, button?: NoticeButton | null}} [options]
   */
  #show(text, { isImmediate = false, button = null } = {}) {
    if (text === this.#current) return;
    this.#action = button;
    this.#current = text;
    clearTimeout(this.#timer);
    if (text === "" || isImmediate || !this.element.hidden) this.#draw();
    else this.#timer = setTimeout(() => this.#draw(), NOTICE_AFTER_MS);
  }

  #draw() {
    setText(this.#text, this.#current);
    setText(this.#button, this.#action?.name ?? "");
    this.#button.hidden = this.#action === null;
    this.element.hidden = this.#current === "";
    if (this.#current !== "") this.#announce(this.#current);
  }
}

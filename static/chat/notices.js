/**
 * One quiet line above the composer for what passes by itself, or asks for one press. It floats, so nothing moves when
 * it comes or goes.
 */
import { h, setText } from "../dom/elements.js";
import { words } from "../strings/words.js";

/** Trouble that is over sooner than this is not worth a word. */
const NOTICE_AFTER_MS = 700;

/** @typedef {{name: string, act: () => void}} Press */

/**
 * @typedef {object} State of a chat
 * @property {string} remark on what is being written
 * @property {boolean} isAnswering
 * @property {"fine" | "lost" | "busy"} link
 * @property {boolean} isUnsaved
 * @property {(() => void) | null} reload where the server has a newer version of the page
 */

/** Shows one notice at a time. */
export class Notices {
  #text = h("span", {});
  #button = h("button", { type: "button", hidden: true });
  element = h("p", { class: "notice", hidden: true }, this.#text, this.#button);
  /** @type {Press | null} */
  #press = null;
  #wanted = "";
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer = undefined;
  #say;

  /** @param {(text: string) => void} say tell those who don't see it */
  constructor(say) {
    this.#say = say;
    this.#button.addEventListener("click", () => this.#press?.act());
  }

  /**
   * Show what matters most now, if anything does.
   * @param {State} state
   */
  tell({ remark, isAnswering, link, isUnsaved, reload }) {
    if (remark) this.show(remark, { at_once: true });
    else if (isAnswering && !navigator.onLine) this.show(words.offline, { at_once: true });
    else if (isAnswering && link !== "fine") this.show(words[link]);
    else if (isUnsaved) this.show(words.notices.not_saved ?? null);
    else if (reload && !isAnswering) this.show(words.notices.new_version ?? null, { press: { name: words.reload, act: reload } });
    else this.show(null);
  }

  /**
   * Show a notice, or take it away.
   * @param {string | null} text
   * @param {{at_once?: boolean, press?: Press | null}} [how] `press`: the button at its end
   */
  show(text, { at_once = false, press = null } = {}) {
    if ((text ?? "") === this.#wanted) return;
    this.#press = press;
    this.#wanted = text ?? "";
    clearTimeout(this.#timer);
    if (this.#wanted === "" || at_once || !this.element.hidden) this.#draw();
    else this.#timer = setTimeout(() => this.#draw(), NOTICE_AFTER_MS);
  }

  #draw() {
    setText(this.#text, this.#wanted);
    setText(this.#button, this.#press?.name ?? "");
    this.#button.hidden = this.#press === null;
    this.element.hidden = this.#wanted === "";
    if (this.#wanted !== "") this.#say(this.#wanted);
  }
}

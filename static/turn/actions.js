/**
 * `turn/`: One question with its answer, as it is drawn in the log. The log itself is in `chat/`, Markdown in
 * `render/`.
 */
/** Controls under a message: icon buttons, and the switch between branches. */
import { ICONS, h, icon, setText } from "../dom/elements.js";
import { formatCount } from "../strings/format.js";
import { words } from "../strings/words.js";

/** @typedef {import("../conversation/conversation.js").Versions} Versions */

/**
 * Create a small icon button.
 * @param {string} path SVG path of the icon
 * @param {string} name its accessible name and tooltip
 * @param {() => void} act
 */
export function iconButton(path, name, act) {
  const button = h("button", { type: "button", class: "small", "aria-label": name, title: name }, icon(path));
  button.addEventListener("click", act);
  return button;
}

/** Switches between the versions of a message: ‹ 2/3 ›. */
export class BranchSwitch {
  #count = h("span", { class: "count" });
  #previous = iconButton(ICONS.before, words.previousVersion, () => this.#go(-1));
  #next = iconButton(ICONS.next, words.nextVersion, () => this.#go(1));
  element;
  /** @type {Versions} */
  #versions = { ids: [], at: 0 };
  #showBranch;

  /**
   * @param {string} name accessible name
   * @param {(message: string) => void} showBranch
   */
  constructor(name, showBranch) {
    this.#showBranch = showBranch;
    this.element = h("div", { class: "switch", role: "group", "aria-label": name, hidden: true }, this.#previous, this.#count, this.#next);
  }

  /**
   * Show the current version.
   * @param {Versions} versions
   * @param {boolean} isEnabled
   */
  show(versions, isEnabled) {
    this.#versions = versions;
    const { ids, at } = versions;
    this.element.hidden = ids.length < 2;
    setText(this.#count, `${formatCount(at + 1)}/${formatCount(ids.length)}`);
    this.#previous.disabled = !isEnabled || at === 0;
    this.#next.disabled = !isEnabled || at >= ids.length - 1;
  }

  /** Focus a button that is enabled. */
  focus() {
    (this.#previous.disabled ? this.#next : this.#previous).focus();
  }

  /** @param {number} by */
  #go(by) {
    const message = this.#versions.ids[this.#versions.at + by];
    if (message !== undefined) this.#showBranch(message);
  }
}

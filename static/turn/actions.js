/**
 * `turn/`: One question with its answer, as it is drawn in the log. The log itself is in `chat/`, Markdown in
 * `render/`.
 */
/** What a person can do to a message: small buttons under it, and the way to what stands in the same place. */
import { ICONS, h, icon, setText } from "../dom/elements.js";
import { formatCount } from "../strings/format.js";
import { words } from "../strings/words.js";

/** @typedef {import("../conversation/conversation.js").Versions} Versions */

/**
 * Make a small button that is an icon.
 * @param {string} path of the icon
 * @param {string} name
 * @param {() => void} act
 */
export function small(path, name, act) {
  const button = h("button", { type: "button", class: "small", "aria-label": name, title: name }, icon(path));
  button.addEventListener("click", act);
  return button;
}

/** Leads from one message to the others in its place: ‹ 2/3 ›. */
export class Switch {
  #count = h("span", { class: "count" });
  #before = small(ICONS.before, words.earlierVersion, () => this.#go(-1));
  #after = small(ICONS.next, words.laterVersion, () => this.#go(1));
  element;
  /** @type {Versions} */
  #versions = { ids: [], at: 0 };
  #turnTo;

  /**
   * @param {string} name what there are versions of
   * @param {(message: string) => void} turnTo
   */
  constructor(name, turnTo) {
    this.#turnTo = turnTo;
    this.element = h("div", { class: "switch", role: "group", "aria-label": name, hidden: true }, this.#before, this.#count, this.#after);
  }

  /**
   * Show where one is.
   * @param {Versions} versions
   * @param {boolean} isOpen whether one may go elsewhere now
   */
  show(versions, isOpen) {
    this.#versions = versions;
    const { ids, at } = versions;
    this.element.hidden = ids.length < 2;
    setText(this.#count, `${formatCount(at + 1)}/${formatCount(ids.length)}`);
    this.#before.disabled = !isOpen || at === 0;
    this.#after.disabled = !isOpen || at >= ids.length - 1;
  }

  /** Stand on it, where there is somewhere to go. */
  focus() {
    (this.#before.disabled ? this.#after : this.#before).focus();
  }

  /** @param {number} by */
  #go(by) {
    const message = this.#versions.ids[this.#versions.at + by];
    if (message !== undefined) this.#turnTo(message);
  }
}

/** Bringing a conversation back from the file that it was saved in. What is wrong with one is said in plain words. */
import { ICONS, h, icon } from "../dom/elements.js";
import { shownName } from "../strings/filenames.js";
import { language, words } from "../strings/words.js";

/** @typedef {import("../conversation/api.js").Brought} Brought */

/**
 * @typedef {object} BringActions
 * @property {(file: Blob) => Promise<Brought>} bring
 * @property {(id: string) => void} brought it is there now
 * @property {(sentence: string | null) => void} say what happens, or that nothing does any more
 */

/** What names a whole file wrong, where anything else names a place in it. */
const WHOLE = new Set(["body", "freshet", "messages"]);

/** A button that takes one file at a time. */
export class Bring {
  #picker = h("input", { type: "file", accept: ".json,application/json", hidden: true, "aria-label": words.bring });
  #button = h("button", { type: "button", class: "small bring", "aria-label": words.bring, title: words.bring }, icon(ICONS.bring));
  element = h("div", { class: "bringing" }, this.#button, this.#picker);
  #actions;
  #mostBytes;
  #isBusy = false;

  /**
   * @param {number} mostBytes what the server takes
   * @param {BringActions} actions
   */
  constructor(mostBytes, actions) {
    this.#mostBytes = mostBytes;
    this.#actions = actions;
    this.#button.addEventListener("click", () => this.#isBusy || this.#picker.click());
    this.#picker.addEventListener("change", () => {
      const file = this.#picker.files?.[0];
      if (file) void this.#take(file, shownName(file.name));
      this.#picker.value = ""; // the same file may be chosen again
    });
  }

  /**
   * @param {File} file
   * @param {string} name
   */
  async #take(file, name) {
    const { say, bring, brought } = this.#actions;
    if (file.size > this.#mostBytes) return say(words.notBrought.large(name, formatSize(this.#mostBytes)));
    this.#isBusy = true;
    this.#button.setAttribute("aria-disabled", "true");
    say(words.bringing(name));
    const found = await bring(file);
    this.#isBusy = false;
    this.#button.removeAttribute("aria-disabled");
    if (!("id" in found)) return say(this.#why(found, name));
    say(null);
    brought(found.id);
  }

  /**
   * @param {Exclude<Brought, {id: string}>} refusal
   * @param {string} name
   */
  #why({ status, code, param }, name) {
    const { notBrought } = words;
    if (code === "storage_full") return notBrought.full(name);
    if (code === "too_many_messages") return notBrought.many(name);
    if (status === 413) return notBrought.large(name, formatSize(this.#mostBytes));
    if (status !== 400) return notBrought.away(name);
    if (code === "not_json") return notBrought.json(name);
    return WHOLE.has(param) ? notBrought.foreign(name) : notBrought.broken(name, param);
  }
}

/** @param {number} bytes */
function formatSize(bytes) {
  return new Intl.NumberFormat(language, { style: "unit", unit: "megabyte", maximumFractionDigits: 1 }).format(bytes / 1e6);
}

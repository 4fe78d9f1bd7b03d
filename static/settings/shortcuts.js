/** The list of the keys that do something, in a dialog of its own. It is loaded when it is first asked for. */
import { ICONS, h, icon } from "../dom/elements.js";
import { KEYS } from "./keys.js";
import { words } from "../strings/words.js";

/** The list of keys. */
export class Shortcuts {
  #close = h("button", { type: "button", class: "tool", "aria-label": words.close, title: words.close }, icon(ICONS.close));
  #single = h("input", { type: "checkbox", id: "single-keys", "aria-describedby": "single-keys-hint" });
  dialog;

  /**
   * @param {boolean} isSingle whether single keys do something
   * @param {(isSingle: boolean) => void} changed
   */
  constructor(isSingle, changed) {
    this.#single.checked = isSingle;
    this.#single.addEventListener("change", () => changed(this.#single.checked));
    this.#close.addEventListener("click", () => this.dialog.close());
    const top = h("div", { class: "top" }, h("h2", { id: "shortcuts" }, words.shortcuts), this.#close);
    const choice = h("div", { class: "choice" }, this.#single, h("label", { for: "single-keys" }, words.singleKeys));
    const hint = h("p", { id: "single-keys-hint" }, words.singleKeysHint);
    this.dialog = h("dialog", { class: "panel keys", "aria-labelledby": "shortcuts" }, top, list(everywhere()), choice, hint, list(single()));
    this.dialog.addEventListener("click", (event) => event.target === this.dialog && this.dialog.close());
  }

  /** Show it, or close it where it is shown. */
  toggle() {
    if (this.dialog.open) this.dialog.close();
    else this.dialog.showModal();
  }
}

/** @typedef {[name: string, keys: string[]]} Line */

/** @returns {Line[]} */
function everywhere() {
  const { ctrl, shift, enter, escape } = words.keyNames;
  const isApple = /Mac|iP(hone|ad|od)/.test(navigator.platform);
  return [
    [words.send, [enter]],
    [words.deeds.line, [shift, enter]],
    [words.deeds.stop, [escape]],
    [words.deeds.list, [isApple ? "⌘" : ctrl, "/"]],
  ];
}

/** @returns {Line[]} */
function single() {
  const { deeds, newChat, searchList } = words;
  const names = { ...deeds, fresh: newChat, search: searchList };
  return Object.entries(KEYS).map(([deed, key]) => [names[/** @type {keyof typeof KEYS} */ (deed)], [key.toUpperCase()]]);
}

/** @param {Line[]} lines */
function list(lines) {
  const rows = lines.map(([name, keys]) => h("div", {}, h("dt", {}, name), h("dd", {}, ...keys.map((key) => h("kbd", {}, key)))));
  return h("dl", {}, ...rows);
}

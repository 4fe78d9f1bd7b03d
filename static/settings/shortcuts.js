/** The dialog that lists the keyboard shortcuts. Loaded when it is first opened. */
import { ICONS, h, icon } from "../dom/elements.js";
import { KEYS } from "./keys.js";
import { words } from "../strings/words.js";

/** Lists the shortcuts, with a checkbox that turns single keys off. */
export class ShortcutsDialog {
  #close = h("button", { type: "button", class: "tool", "aria-label": words.close, title: words.close }, icon(ICONS.close));
  #singleKeys = h("input", { type: "checkbox", id: "single-keys", "aria-describedby": "single-keys-hint" });
  dialog;

  /**
   * @param {boolean} isSingle whether single keys are on
   * @param {(isSingle: boolean) => void} changed
   */
  constructor(isSingle, changed) {
    this.#singleKeys.checked = isSingle;
    this.#singleKeys.addEventListener("change", () => changed(this.#singleKeys.checked));
    this.#close.addEventListener("click", () => this.dialog.close());
    const top = h("div", { class: "top" }, h("h2", { id: "shortcuts" }, words.shortcuts), this.#close);
    const choice = h("div", { class: "choice" }, this.#singleKeys, h("label", { for: "single-keys" }, words.singleKeys));
    const hint = h("p", { id: "single-keys-hint" }, words.singleKeysHint);
    this.dialog = h("dialog", { class: "panel keys", "aria-labelledby": "shortcuts" }, top, shortcutList(globalShortcuts()), choice, hint, shortcutList(singleKeyShortcuts()));
    this.dialog.addEventListener("click", (event) => event.target === this.dialog && this.dialog.close());
  }

  /** Open or close it. */
  toggle() {
    if (this.dialog.open) this.dialog.close();
    else this.dialog.showModal();
  }
}

/** @typedef {[name: string, keys: string[]]} Shortcut */

/** @returns {Shortcut[]} */
function globalShortcuts() {
  const { ctrl, shift, enter, escape } = words.keyNames;
  const isApple = /Mac|iP(hone|ad|od)/.test(navigator.platform);
  return [
    [words.send, [enter]],
    [words.keyActions.line, [shift, enter]],
    [words.keyActions.stop, [escape]],
    [words.keyActions.list, [isApple ? "⌘" : ctrl, "/"]],
  ];
}

/** @returns {Shortcut[]} */
function singleKeyShortcuts() {
  const { keyActions, newChat, searchList } = words;
  const names = { ...keyActions, fresh: newChat, search: searchList };
  return Object.entries(KEYS).map(([action, key]) => [names[/** @type {keyof typeof KEYS} */ (action)], [key.toUpperCase()]]);
}

/** @param {Shortcut[]} shortcuts */
function shortcutList(shortcuts) {
  const rows = shortcuts.map(([name, keys]) => h("div", {}, h("dt", {}, name), h("dd", {}, ...keys.map((key) => h("kbd", {}, key)))));
  return h("dl", {}, ...rows);
}

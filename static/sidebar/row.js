/** One conversation in the list: a link with its title, and what can be done to it, folded away. */
import { ICONS, h, icon, setText } from "../dom/elements.js";
import { words } from "../strings/words.js";

/** @typedef {import("../conversation/api.js").Head} Head */

/**
 * @typedef {object} RowActions
 * @property {(id: string) => string} address of the page that shows it
 * @property {(id: string, format: "markdown" | "json") => string} file
 * @property {(id: string) => void} open
 * @property {(id: string, title: string) => void} rename
 * @property {(head: Head) => void} share
 * @property {(head: Head) => void} remove
 */

/** The server takes no longer titles. */
const MOST_TITLE_CHARS = 200;

/** Shows one conversation. */
export class Row {
  #head;
  #actions;
  #title = h("span", { class: "title", dir: "auto" });
  #dot = h("span", { class: "dot", role: "img", "aria-label": words.running, title: words.running, hidden: true });
  #link;
  #more = h("button", { type: "button", class: "small more", "aria-expanded": "false" }, icon(ICONS.more));
  #deeds = h("div", { class: "deeds", hidden: true });
  #line;
  /** @type {HTMLFormElement | null} */
  #form = null;
  element;

  /**
   * @param {Head} head
   * @param {RowActions} actions
   */
  constructor(head, actions) {
    this.#head = head;
    this.#actions = actions;
    this.#link = h("a", { href: actions.address(head.id) }, this.#title, this.#dot);
    this.#line = h("div", { class: "line" }, this.#link, this.#more);
    this.element = h("li", {}, this.#line, this.#deeds);
    this.#link.addEventListener("click", (event) => {
      if (event.metaKey || event.ctrlKey || event.shiftKey) return; // another tab is wanted
      event.preventDefault();
      actions.open(head.id);
    });
    this.#more.addEventListener("click", () => this.#fold(!this.#deeds.hidden));
    this.#deeds.addEventListener("keydown", (event) => this.#escape(event, () => this.#fold(true)));
    this.show(head, false);
  }

  /** Whether its title is being written. */
  get isEditing() {
    return this.#form !== null;
  }

  /**
   * @param {Head} head
   * @param {boolean} isCurrent
   */
  show(head, isCurrent) {
    this.#head = head;
    setText(this.#title, head.title);
    this.#link.title = head.title;
    this.#more.setAttribute("aria-label", words.more(head.title));
    this.#more.title = words.more(head.title);
    this.#dot.hidden = head.run === null;
    if (isCurrent) this.#link.setAttribute("aria-current", "page");
    else this.#link.removeAttribute("aria-current");
  }

  /** @param {boolean} isFolded */
  #fold(isFolded) {
    if (isFolded && this.#deeds.contains(document.activeElement)) this.#more.focus();
    this.#deeds.hidden = isFolded;
    this.#more.setAttribute("aria-expanded", String(!isFolded));
    this.#deeds.replaceChildren(...(isFolded ? [] : this.#choices()));
  }

  #choices() {
    const { id } = this.#head;
    const rename = h("button", { type: "button" }, words.rename);
    const share = h("button", { type: "button", "aria-haspopup": "dialog" }, words.share);
    const remove = h("button", { type: "button", class: "danger" }, words.remove);
    rename.addEventListener("click", () => this.#rename());
    share.addEventListener("click", () => this.#actions.share(this.#head));
    remove.addEventListener("click", () => this.#actions.remove(this.#head));
    const markdown = h("a", { href: this.#actions.file(id, "markdown"), download: true }, words.asMarkdown);
    const json = h("a", { href: this.#actions.file(id, "json"), download: true }, words.asJson);
    return [rename, share, markdown, json, remove];
  }

  #rename() {
    const field = h("input", { type: "text", maxlength: String(MOST_TITLE_CHARS), "aria-label": words.title, dir: "auto" });
    const form = h("form", { class: "renaming" }, field);
    field.value = this.#head.title;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#renamed(field.value.trim());
    });
    field.addEventListener("keydown", (event) => this.#escape(event, () => this.#renamed("")));
    field.addEventListener("blur", () => this.#renamed(field.value.trim()));
    this.#form = form;
    this.#fold(true);
    this.#line.hidden = true;
    this.element.prepend(form);
    field.select();
  }

  /** @param {string} title empty: it stays as it is */
  #renamed(title) {
    const form = this.#form;
    if (!form) return;
    const hadFocus = form.contains(document.activeElement);
    this.#form = null;
    form.remove();
    this.#line.hidden = false;
    if (hadFocus) this.#link.focus();
    if (title !== "" && title !== this.#head.title) this.#actions.rename(this.#head.id, title);
  }

  /**
   * Escape ends the smallest thing that is open, and nothing around it.
   * @param {KeyboardEvent} event
   * @param {() => void} end
   */
  #escape(event, end) {
    if (event.key !== "Escape" || event.isComposing) return;
    event.preventDefault();
    event.stopPropagation();
    end();
  }
}

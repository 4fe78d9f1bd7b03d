/** One conversation in the list: a link with its title, and a button that opens the menu of its actions. */
import { ICONS, h, icon, setText } from "../dom/elements.js";
import { words } from "../strings/words.js";

/** @typedef {import("../conversation/api.js").ConversationSummary} ConversationSummary */

/**
 * @typedef {object} ConversationRowActions
 * @property {(id: string) => string} address of the conversation's page
 * @property {(id: string, format: "markdown" | "json") => string} exportAddress
 * @property {(id: string, message?: string) => void} open `message` is what a search found
 * @property {(id: string, title: string) => void} rename
 * @property {(head: ConversationSummary) => void} share
 * @property {(head: ConversationSummary) => void} remove
 * @property {() => void} closed its menu or the field of its title was closed
 */

const MARGIN_PX = 8;
/** The server's limit. */
const MAX_TITLE_CHARS = 200;

/** The row of one conversation. */
export class ConversationRow {
  #head;
  #actions;
  #title = h("span", { class: "title", dir: "auto" });
  #snippet = h("span", { class: "snippet", dir: "auto", hidden: true });
  #dot = h("span", { class: "dot", role: "img", "aria-label": words.generating, title: words.generating, hidden: true });
  #link;
  #more = h("button", { type: "button", class: "small more", "aria-expanded": "false" }, icon(ICONS.more));
  #rowActions = h("div", { class: "row-actions", popover: "auto" });
  #line;
  /** @type {HTMLFormElement | null} */
  #form = null;
  element;

  /**
   * @param {ConversationSummary} head
   * @param {ConversationRowActions} actions
   */
  constructor(head, actions) {
    this.#head = head;
    this.#actions = actions;
    this.#link = h("a", { href: actions.address(head.id) }, h("span", { class: "texts" }, this.#title, this.#snippet), this.#dot);
    this.#line = h("div", { class: "line" }, this.#link, this.#more);
    this.element = h("li", {}, this.#line, this.#rowActions);
    this.#link.addEventListener("click", (event) => {
      if (event.metaKey || event.ctrlKey || event.shiftKey) return; // the browser opens another tab or window
      event.preventDefault();
      actions.open(head.id, this.#head.match?.message);
    });
    let wasOpen = false;
    // A press on the button closes the menu before the button's click, which must not open it again.
    this.#more.addEventListener("pointerdown", () => (wasOpen = this.#isExpanded));
    this.#more.addEventListener("click", () => {
      this.#setExpanded(!(wasOpen || this.#isExpanded));
      wasOpen = false;
    });
    this.#rowActions.addEventListener("keydown", (event) => this.#escape(event, () => this.#setExpanded(false)));
    this.#more.addEventListener("keydown", (event) => this.#isExpanded && this.#escape(event, () => this.#setExpanded(false)));
    // It stays after a download, so that the other format is at hand.
    this.#rowActions.addEventListener("click", (event) => event.target instanceof HTMLButtonElement && this.#setExpanded(false));
    this.#rowActions.addEventListener("toggle", () => {
      this.#more.setAttribute("aria-expanded", String(this.#isExpanded));
      if (!this.#isExpanded) actions.closed();
    });
    this.show(head, false);
  }

  /** Whether its title is being edited, or its menu is open: it must stay where it is. */
  get isInUse() {
    return this.#form !== null || this.#isExpanded;
  }

  /**
   * @param {ConversationSummary} head
   * @param {boolean} isCurrent
   */
  show(head, isCurrent) {
    this.#head = head;
    setText(this.#title, head.title);
    this.#snippet.hidden = head.match === undefined;
    this.#snippet.replaceChildren(...(head.match ? markWords(head.match) : []));
    this.#link.title = head.title;
    this.#more.setAttribute("aria-label", words.more(head.title));
    this.#more.title = words.more(head.title);
    this.#dot.hidden = head.run === null;
    if (isCurrent) this.#link.setAttribute("aria-current", "page");
    else this.#link.removeAttribute("aria-current");
  }

  /** Whether the Tab key stops at it. The arrow keys reach the other rows. */
  set isTabStop(/** @type {boolean} */ isTabStop) {
    this.#link.tabIndex = isTabStop ? 0 : -1;
    this.#more.tabIndex = -1;
  }

  /**
   * Focus the link or the button.
   * @param {"link" | "more"} part
   */
  focus(part) {
    (part === "link" ? this.#link : this.#more).focus();
  }

  /** Close the menu. */
  closeMenu() {
    this.#setExpanded(false);
  }

  get #isExpanded() {
    return this.#rowActions.matches(":popover-open");
  }

  /** @param {boolean} isExpanded */
  #setExpanded(isExpanded) {
    if (isExpanded === this.#isExpanded) return;
    if (!isExpanded) {
      if (this.#rowActions.contains(document.activeElement)) this.#more.focus();
      return this.#rowActions.hidePopover();
    }
    this.#rowActions.replaceChildren(...this.#createActions());
    this.#rowActions.showPopover();
    this.#place();
    // The menu does not move with its row.
    addEventListener("scroll", () => this.closeMenu(), { capture: true, once: true, passive: true });
  }

  /** Put the menu below its button, or above it where there is no room. */
  #place() {
    const button = this.#more.getBoundingClientRect();
    const { width, height } = this.#rowActions.getBoundingClientRect();
    const start = document.dir === "rtl" ? button.right - width : button.left;
    const isBelow = button.bottom + height + MARGIN_PX <= innerHeight;
    this.#rowActions.style.left = `${Math.round(Math.min(Math.max(MARGIN_PX, start), innerWidth - width - MARGIN_PX))}px`;
    this.#rowActions.style.top = `${Math.round(isBelow ? button.bottom + 2 : Math.max(MARGIN_PX, button.top - height - 2))}px`;
  }

  #createActions() {
    const { id } = this.#head;
    const rename = h("button", { type: "button" }, words.rename);
    const share = h("button", { type: "button", "aria-haspopup": "dialog" }, words.share);
    const remove = h("button", { type: "button", class: "danger" }, words.remove);
    rename.addEventListener("click", () => this.#startRename());
    share.addEventListener("click", () => {
      this.closeMenu(); // so that the dialog returns the focus to the menu's button
      this.#actions.share(this.#head);
    });
    remove.addEventListener("click", () => this.#actions.remove(this.#head));
    const markdown = h("a", { href: this.#actions.exportAddress(id, "markdown"), download: true }, words.asMarkdown);
    const json = h("a", { href: this.#actions.exportAddress(id, "json"), download: true }, words.asJson);
    return [rename, share, markdown, json, remove];
  }

  #startRename() {
    const field = h("input", { type: "text", maxlength: String(MAX_TITLE_CHARS), "aria-label": words.title, dir: "auto" });
    const form = h("form", { class: "renaming" }, field);
    field.value = this.#head.title;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#endRename(field.value.trim());
    });
    field.addEventListener("keydown", (event) => this.#escape(event, () => this.#endRename("")));
    field.addEventListener("blur", () => this.#endRename(field.value.trim()));
    this.#form = form;
    this.#setExpanded(false);
    this.#line.hidden = true;
    this.element.prepend(form);
    field.select();
  }

  /** @param {string} title empty: keep the old one */
  #endRename(title) {
    const form = this.#form;
    if (!form) return;
    const hadFocus = form.contains(document.activeElement);
    this.#form = null;
    form.remove();
    this.#line.hidden = false;
    if (hadFocus) this.#link.focus();
    if (title !== "" && title !== this.#head.title) this.#actions.rename(this.#head.id, title);
    this.#actions.closed();
  }

  /**
   * Call `end` on Escape, and stop the event: outside it would close the drawer or stop an answer.
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

/**
 * Return the text with its words marked.
 * @param {{text: string, marks: readonly (readonly [number, number])[]}} match
 */
function markWords({ text, marks }) {
  let from = 0;
  const parts = marks.flatMap(([start, end]) => {
    const before = text.slice(from, start);
    from = end;
    return [before, h("mark", {}, text.slice(start, end))];
  });
  return [...parts, text.slice(from)];
}

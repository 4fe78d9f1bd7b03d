/** The list of conversations: by day, the newest first, page by page as one scrolls, and searched. */
import { byDay, renewed } from "./by-day.js";
import { ICONS, h, icon, setText } from "../dom/elements.js";
import { formatDay } from "../strings/format.js";
import { words } from "../strings/words.js";
import { listCss } from "../styles/list.js";
import { sheetOf } from "../styles/sheets.js";
import { Bring } from "./import-button.js";
import { Row } from "./row.js";
import { Sharing } from "../sharing/share-dialog.js";
import { Undo } from "./toast.js";

/** @typedef {import("../conversation/api.js").Head} Head */
/** @typedef {import("../conversation/api.js").Library} Library */

/**
 * @typedef {object} ListActions
 * @property {(id: string) => string} address of the page that shows a conversation
 * @property {(id: string) => void} open
 * @property {(id: string) => void} removed
 * @property {number} mostBytes of a file that can be imported
 * @property {(title: string) => void} titled what the one that is shown is called; empty where that is not known
 */

/** A search begins so long after the last letter. */
const PAUSE_MS = 200;
const MOST_SEARCH_CHARS = 200;
/** While answers are being made elsewhere the list looks so often how they are. */
const LOOK_MS = 4_000;
/** What the server calls a conversation that does not begin with words. */
const WORDLESS = "…";

/** @param {Head} head */
const named = (head) => (head.title === WORDLESS ? { ...head, title: words.untitled } : head);

/** Shows the conversations of this visitor. Make one a page. */
export class List {
  #library;
  #actions;
  #field = h("input", { type: "search", maxlength: String(MOST_SEARCH_CHARS), placeholder: words.searchList, "aria-label": words.searchList, autocomplete: "off", dir: "auto" });
  #groups = h("div", { class: "groups" });
  #end = h("div", { class: "end" });
  #said = h("p", { class: "said", role: "status" });
  #scroller = h("div", { class: "rows" }, this.#groups, this.#said, this.#end);
  #undo = new Undo();
  #sharing;
  #head;
  element;
  /** @type {Head[]} */
  #heads = [];
  /** @type {string | null} */
  #next = null;
  /** @type {Map<string, Row>} */
  #rows = new Map();
  /** How the rows stand now: nothing is moved while this stays. */
  #order = "";
  #current = "";
  /** What the rows were searched for. */
  #searched = "";
  /** @type {AbortController | null} */
  #asking = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer = undefined;

  /**
   * @param {Library} library
   * @param {ListActions} actions
   */
  constructor(library, actions) {
    document.adoptedStyleSheets.push(sheetOf(listCss));
    this.#sharing = new Sharing(library);
    document.body.append(this.#sharing.dialog);
    this.#library = library;
    this.#actions = actions;
    const search = h("div", { class: "search", role: "search" }, icon(ICONS.search), this.#field);
    const bring = new Bring(actions.mostBytes, {
      bring: (file) => library.bring(file),
      brought: (id) => void this.#brought(id),
      say: (text) => this.#undo.show(text === null ? null : { text }),
    });
    this.#head = h("div", { class: "head" }, search, bring.element);
    this.element = h("nav", { class: "list", "aria-label": words.conversations }, this.#head, this.#scroller, this.#undo.element);
    this.#field.addEventListener("input", () => this.#later(PAUSE_MS));
    // Escape ends what is open here; outside it would stop an answer.
    this.element.addEventListener("keydown", (event) => event.key === "Escape" && event.stopPropagation());
    const watcher = new IntersectionObserver((seen) => seen.at(-1)?.isIntersecting && void this.#more(), { root: this.#scroller, rootMargin: "240px" });
    watcher.observe(this.#end);
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && void this.refresh());
  }

  /** @param {string} id the conversation that is shown */
  set current(id) {
    if (id === this.#current) return;
    this.#current = id;
    this.#draw();
  }

  /** @param {HTMLElement} element to stand above the rows */
  hold(element) {
    this.#head.after(element);
  }

  /**
   * Show what has come to it by other ways, and stand where one can go on.
   * @param {string} sentence what is said of it
   */
  async joined(sentence) {
    this.#undo.show({ text: sentence });
    this.#field.focus();
    await this.refresh();
  }

  /** Stand on the field in which conversations are searched. */
  search() {
    this.#field.focus();
    this.#field.select();
  }

  /**
   * Open the dialog in which one is shared.
   * @param {string} id
   */
  share(id) {
    void this.#sharing.open(id, this.#titleOf(id));
  }

  /** @param {string} id */
  #titleOf(id) {
    return this.#heads.find((head) => head.id === id)?.title ?? "";
  }

  /** Ask for the newest ones again. */
  async refresh() {
    clearTimeout(this.#timer);
    const search = this.#field.value.trim();
    const page = await this.#ask({ search });
    if (page === "dropped") return;
    if (page === null) return this.#say(this.#heads.length === 0 ? words.listAway : "");
    const isOther = search !== this.#searched;
    const isAll = page.next === null;
    const known = isOther ? [] : this.#heads;
    this.#heads = renewed(known, page.conversations, isAll);
    if (this.#heads.length === page.conversations.length) this.#next = page.next;
    this.#searched = search;
    this.#say(this.#heads.length > 0 ? "" : search === "" ? words.noneYet : words.noneFound);
    this.#draw();
    if (this.#heads.some(({ run }) => run !== null)) this.#later(LOOK_MS);
  }

  async #more() {
    if (this.#next === null || this.#asking) return;
    const page = await this.#ask({ search: this.#searched, after: this.#next });
    if (page === "dropped" || page === null) return;
    const known = new Set(this.#heads.map(({ id }) => id));
    this.#heads.push(...page.conversations.filter(({ id }) => !known.has(id)));
    this.#next = page.next;
    this.#draw();
    if (this.#isEndNear()) await this.#more();
  }

  #isEndNear() {
    const { scrollTop, clientHeight, scrollHeight } = this.#scroller;
    return clientHeight > 0 && scrollHeight - scrollTop - clientHeight < 240;
  }

  /**
   * One question at a time: the newer one is worth more.
   * @param {{search: string, after?: string}} what
   */
  async #ask(what) {
    this.#asking?.abort();
    const asking = new AbortController();
    this.#asking = asking;
    const page = await this.#library.list({ ...what, signal: asking.signal });
    if (this.#asking !== asking) return "dropped";
    this.#asking = null;
    return page && { ...page, conversations: page.conversations.map(named) };
  }

  /** @param {number} ms */
  #later(ms) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => document.visibilityState === "visible" && void this.refresh(), ms);
  }

  /** @param {string} text */
  #say(text) {
    setText(this.#said, text);
  }

  #draw() {
    if ([...this.#rows.values()].some(({ isEditing }) => isEditing)) return this.#later(LOOK_MS);
    const groups = byDay(this.#heads, Date.now());
    const order = JSON.stringify(groups.map(({ day, items }) => [day, items.map(({ id }) => id)]));
    if (order !== this.#order) this.#lay(groups);
    this.#order = order;
    this.#actions.titled(this.#titleOf(this.#current));
    for (const head of this.#heads) this.#rows.get(head.id)?.show(head, head.id === this.#current);
  }

  /** @param {{day: import("./by-day.js").Day, items: Head[]}[]} groups */
  #lay(groups) {
    const rows = new Map(this.#heads.map((head) => [head.id, this.#rows.get(head.id) ?? new Row(head, this.#deeds())]));
    this.#rows = rows;
    const focused = document.activeElement;
    const sections = groups.map(({ day, items }) => {
      const name = day === "earlier" ? words.earlier : formatDay(day === "today" ? 0 : -1);
      const elements = items.map(({ id }) => /** @type {Row} */ (rows.get(id)).element);
      return h("section", {}, h("h2", {}, name), h("ul", {}, ...elements));
    });
    this.#groups.replaceChildren(...sections);
    if (focused instanceof HTMLElement && this.#groups.contains(focused)) focused.focus({ preventScroll: true });
  }

  /** @returns {import("./row.js").RowActions} */
  #deeds() {
    return {
      address: this.#actions.address,
      open: this.#actions.open,
      file: (id, format) => this.#library.file(id, format),
      rename: (id, title) => void this.#rename(id, title),
      share: ({ id }) => this.share(id),
      remove: (head) => void this.#remove(head),
    };
  }

  /**
   * @param {string} id
   * @param {string} title
   */
  async #rename(id, title) {
    const changed = await this.#library.change(id, { title });
    this.#undo.show(changed ? null : { text: words.notDone });
    await this.refresh();
  }

  /** @param {Head} head */
  async #remove({ id, title }) {
    const isDone = await this.#library.remove(id);
    if (!isDone) return this.#undo.show({ text: words.notDone });
    const wasCurrent = id === this.#current;
    this.#heads = this.#heads.filter((head) => head.id !== id);
    this.#draw();
    this.#undo.show({ text: words.removed(title), undo: () => void this.#restore(id, wasCurrent) });
    if (wasCurrent) this.#actions.removed(id);
    this.#undo.focus();
  }

  /**
   * Show what was just imported.
   * @param {string} id
   */
  async #brought(id) {
    this.#field.value = ""; // a search could hide it
    await this.refresh();
    this.#actions.open(id);
  }

  /**
   * @param {string} id
   * @param {boolean} wasCurrent
   */
  async #restore(id, wasCurrent) {
    const isDone = await this.#library.restore(id);
    this.#undo.show(isDone ? null : { text: words.notDone });
    await this.refresh();
    this.#field.focus();
    if (isDone && wasCurrent) this.#actions.open(id);
  }
}

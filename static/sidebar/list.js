/** The list of conversations: grouped by day, newest first, searchable, loaded page by page while scrolling. */
import { groupByDay, mergeChange, mergeFirstPage } from "./by-day.js";
import { ICONS, h, icon, setText } from "../dom/elements.js";
import { formatDay } from "../strings/format.js";
import { words } from "../strings/words.js";
import { listCss } from "../styles/list.js";
import { sheetOf } from "../styles/sheets.js";
import { ImportButton } from "./import-button.js";
import { ConversationRow } from "./row.js";
import { ShareDialog } from "../sharing/share-dialog.js";
import { Toast } from "./toast.js";

/** @typedef {import("../conversation/api.js").ConversationSummary} ConversationSummary */
/** @typedef {import("../conversation/api.js").ConversationApi} ConversationApi */

/**
 * @typedef {object} ListActions
 * @property {(id: string) => string} address the address of a conversation's page
 * @property {(id: string, message?: string) => void} open `message` is the one to show
 * @property {(id: string) => void} removed
 * @property {number} maxBytes the server's limit for an import
 * @property {(title: string) => void} titled called with the title of the current conversation; empty: not known
 */

/** A search starts this long after the last key press. */
const SEARCH_DELAY_MS = 200;
const MAX_SEARCH_CHARS = 200;
/** How often the list is refreshed while answers stream in other conversations. */
const REFRESH_MS = 4_000;
/** Rows that are kept in place when the list changes above them. */
const ANCHORS = 5;
/** The server's title of a conversation that starts with an image. */
const UNTITLED = "…";

/**
 * @template {{title: string}} T
 * @param {T} head
 * @returns {T}
 */
const withTitle = (head) => (head.title === UNTITLED ? { ...head, title: words.untitled } : head);

/** The conversations of this visitor. One per page: it adds its style sheet to the document. */
export class ConversationList {
  #api;
  #actions;
  #field = h("input", { type: "search", maxlength: String(MAX_SEARCH_CHARS), placeholder: words.searchList, "aria-label": words.searchList, autocomplete: "off", dir: "auto" });
  #groups = h("div", { class: "groups" });
  #end = h("div", { class: "list-end" });
  #status = h("p", { class: "list-status", role: "status" });
  #scroller = h("div", { class: "rows" }, this.#groups, this.#status, this.#end);
  #endObserver = new IntersectionObserver((entries) => entries.at(-1)?.isIntersecting && void this.#loadMore(), { root: this.#scroller, rootMargin: "240px" });
  #toast = new Toast();
  #shareDialog;
  #importButton;
  #head;
  element;
  /** @type {ConversationSummary[]} */
  #heads = [];
  /** @type {string | null} */
  #next = null;
  /** @type {Map<string, ConversationRow>} */
  #rows = new Map();
  /** Groups and ids in their order, as JSON: rows are moved only when it changes. */
  #order = "";
  #current = "";
  /** The row that had the focus last, since another conversation was opened. @type {ConversationRow | null} */
  #focused = null;
  /** The search that the rows are the result of. */
  #shownSearch = "";
  /** @type {AbortController | null} */
  #request = null;
  /** Whether a change came during a request, whose response may be older. */
  #isOutdated = false;
  #isFollowed = false;
  /** @type {(heads: readonly ConversationSummary[]) => void} */
  #listed = () => {};
  /** Where a feed of changes begins that follows the list as it was loaded last. @type {string | null} */
  cursor = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer = undefined;

  /**
   * @param {ConversationApi} api
   * @param {ListActions} actions
   */
  constructor(api, actions) {
    document.adoptedStyleSheets.push(sheetOf(listCss));
    this.#shareDialog = new ShareDialog(api);
    document.body.append(this.#shareDialog.dialog);
    this.#api = api;
    this.#actions = actions;
    const search = h("div", { class: "search", role: "search" }, icon(ICONS.search), this.#field);
    this.#importButton = new ImportButton(actions.maxBytes, {
      send: (body, signal) => api.importFile(body, signal),
      imported: (id) => void this.#showImported(id),
      importedMany: () => void this.#showAll(),
      notify: (text, cancel) => this.#toast.show(text === null ? null : { text, cancel }),
    });
    this.#head = h("div", { class: "head" }, search, this.#importButton.element);
    this.element = h("nav", { class: "list", "aria-label": words.conversations }, this.#head, this.#scroller, this.#toast.element);
    this.#field.addEventListener("input", () => this.#scheduleRefresh(SEARCH_DELAY_MS));
    // Escape closes what is open in the list; outside it would stop an answer.
    this.element.addEventListener("keydown", (event) => event.key === "Escape" && event.stopPropagation());
    this.#groups.addEventListener("keydown", (event) => this.#keyPressed(event));
    this.#groups.addEventListener("focusin", (event) => this.#setTabStop((this.#focused = this.#rowAt(event.target) ?? null)));
    this.#endObserver.observe(this.#end);
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && void this.refresh());
  }

  /** @param {string} id the conversation shown in the chat */
  set current(id) {
    if (id === this.#current) return;
    this.#current = id;
    this.#focused = null;
    for (const row of this.#rows.values()) row.closeMenu();
    this.#draw();
  }

  /** @param {boolean} isFollowed whether all changes are applied, so that the list need not be loaded again */
  set isFollowed(isFollowed) {
    this.#isFollowed = isFollowed;
    if (!isFollowed) this.#scheduleRefresh(REFRESH_MS);
  }

  /**
   * Set the function that is called with the first page, also with one that is loaded already.
   * @param {(heads: readonly ConversationSummary[]) => void} listed
   */
  onListed(listed) {
    this.#listed = listed;
    if (this.cursor !== null) listed(this.#heads);
  }

  /**
   * Show a change that was made here or elsewhere.
   * @param {import("../conversation/changes-feed.js").ConversationChange} change
   */
  apply({ leaf, run, title, updated_at, ...change }) {
    this.#isOutdated = this.#request !== null;
    const isSearch = this.#shownSearch !== "";
    const head = updated_at === undefined ? change : { ...change, updated_at, leaf: leaf ?? null, run: run ?? null, ...withTitle({ title: title ?? "" }) };
    this.#heads = mergeChange(this.#heads, head, { isAll: this.#next === null, isSearch });
    this.#setStatus(this.#emptyStatus());
    this.#draw();
  }

  /** @param {HTMLElement} element inserted above the rows */
  insertAbove(element) {
    this.#head.after(element);
  }

  /**
   * Show a message and load the list again, after conversations were added elsewhere.
   * @param {string} sentence
   */
  async refreshWithMessage(sentence) {
    this.#toast.show({ text: sentence });
    this.#field.focus();
    await this.refresh();
  }

  /**
   * Import files that were dropped on the page.
   * @param {File[]} files
   */
  importFiles(files) {
    this.#importButton.importFiles(files);
  }

  /** Focus the search field. */
  focusSearch() {
    this.#field.focus();
    this.#field.select();
  }

  /**
   * Open the share dialog of a conversation.
   * @param {string} id
   */
  share(id) {
    void this.#shareDialog.open(id, this.#titleOf(id));
  }

  /** @param {string} id */
  #titleOf(id) {
    return this.#heads.find((head) => head.id === id)?.title ?? "";
  }

  /** Load the first page again. */
  async refresh() {
    clearTimeout(this.#timer);
    const search = this.#field.value.trim();
    const page = await this.#fetchPage({ search });
    if (page === "superseded") return;
    if (page === null) return this.#setStatus(this.#heads.length === 0 ? words.listUnavailable : "");
    const isNewSearch = search !== this.#shownSearch;
    const isAll = page.next === null;
    const known = isNewSearch ? [] : this.#heads;
    this.#heads = mergeFirstPage(known, page.conversations, isAll);
    if (this.#heads.length === page.conversations.length) this.#next = page.next;
    this.#shownSearch = search;
    this.#setStatus(this.#emptyStatus());
    this.#draw();
    this.cursor ??= page.cursor ?? null;
    this.#listed(page.conversations);
    this.#checkEnd();
    if (page.isOutdated) this.#scheduleRefresh(0);
    else if (!this.#isFollowed && this.#heads.some(({ run }) => run !== null)) this.#scheduleRefresh(REFRESH_MS);
  }

  #emptyStatus() {
    if (this.#heads.length > 0) return "";
    return this.#shownSearch === "" ? words.noChats : words.noResults;
  }

  async #loadMore() {
    if (this.#next === null || this.#request) return;
    const page = await this.#fetchPage({ search: this.#shownSearch, after: this.#next });
    if (page === "superseded" || page === null) return;
    const known = new Set(this.#heads.map(({ id }) => id));
    this.#heads.push(...page.conversations.filter(({ id }) => !known.has(id)));
    this.#next = page.next;
    this.#draw();
    this.#checkEnd();
    if (page.isOutdated) this.#scheduleRefresh(0);
  }

  /**
   * Load more in the next frame if the end is near. The observer would not say so by itself where the end was near before, too: during
   * another request, or because somebody has scrolled on in the very frame in which rows were added.
   */
  #checkEnd() {
    this.#endObserver.unobserve(this.#end);
    this.#endObserver.observe(this.#end);
  }

  /**
   * Fetch one page, aborting the previous request. It `isOutdated` if a change came meanwhile.
   * @param {{search: string, after?: string}} query
   */
  async #fetchPage(query) {
    this.#request?.abort();
    const request = new AbortController();
    this.#request = request;
    const page = await this.#api.list({ ...query, signal: request.signal });
    if (this.#request !== request) return "superseded";
    this.#request = null;
    const isOutdated = this.#isOutdated;
    this.#isOutdated = false;
    return page && { ...page, isOutdated, conversations: page.conversations.map(withTitle) };
  }

  /** @param {number} ms */
  #scheduleRefresh(ms) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => document.visibilityState === "visible" && void this.refresh(), ms);
  }

  /** @param {string} text */
  #setStatus(text) {
    setText(this.#status, text);
  }

  #draw() {
    const isInUse = [...this.#rows.values()].some((row) => row.isInUse);
    const groups = groupByDay(this.#heads, Date.now());
    const order = JSON.stringify(groups.map(({ day, items }) => [day, items.map(({ id }) => id)]));
    if (order !== this.#order && !isInUse) {
      this.#layOut(groups);
      this.#order = order;
    }
    this.#setTabStop(this.#focused);
    this.#actions.titled(this.#titleOf(this.#current));
    for (const head of this.#heads) this.#rows.get(head.id)?.show(head, head.id === this.#current);
  }

  /**
   * Move the focus with the arrow keys: between the rows, and within one to its button.
   * @param {KeyboardEvent} event
   */
  #keyPressed(event) {
    const rows = [...this.#rows.values()];
    const row = this.#rowAt(event.target);
    const isInRow = event.target instanceof Element && event.target.closest(".line") !== null;
    if (!row || !isInRow || event.altKey || event.ctrlKey || event.metaKey) return;
    const at = rows.indexOf(row);
    const isRtl = document.dir === "rtl";
    /** @type {Record<string, number>} */
    const moves = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 };
    const to = moves[event.key];
    if (to !== undefined) rows[Math.min(Math.max(0, to), rows.length - 1)]?.focus("link");
    else if (event.key === (isRtl ? "ArrowLeft" : "ArrowRight")) row.focus("more");
    else if (event.key === (isRtl ? "ArrowRight" : "ArrowLeft")) row.focus("link");
    else return;
    event.preventDefault();
  }

  /** @param {EventTarget | null} target */
  #rowAt(target) {
    return [...this.#rows.values()].find(({ element }) => target instanceof Node && element.contains(target));
  }

  /** @param {ConversationRow | null} chosen null, or not in the list: the current conversation's row, or the first one */
  #setTabStop(chosen) {
    const rows = [...this.#rows.values()];
    const stop = rows.find((row) => row === chosen) ?? this.#rows.get(this.#current) ?? this.#rows.values().next().value;
    for (const row of rows) row.isTabStop = row === stop;
  }

  /** @param {{day: import("./by-day.js").Day, items: ConversationSummary[]}[]} groups */
  #layOut(groups) {
    const rows = new Map(this.#heads.map((head) => [head.id, this.#rows.get(head.id) ?? new ConversationRow(head, this.#createRowActions())]));
    this.#rows = rows;
    const focused = document.activeElement;
    const before = this.#measureVisible();
    const sections = groups.map(({ day, items }) => {
      const name = day === "earlier" ? words.earlier : formatDay(day === "today" ? 0 : -1);
      const elements = items.map(({ id }) => /** @type {ConversationRow} */ (rows.get(id)).element);
      return h("section", {}, h("h2", {}, name), h("ul", {}, ...elements));
    });
    this.#groups.replaceChildren(...sections);
    if (focused instanceof HTMLElement && this.#groups.contains(focused)) focused.focus({ preventScroll: true });
    this.#keepPlace(before);
  }

  /**
   * Return the topmost visible rows with their places, if the user has scrolled.
   * @returns {[HTMLElement, number][]}
   */
  #measureVisible() {
    if (this.#scroller.scrollTop === 0) return [];
    const { top } = this.#scroller.getBoundingClientRect();
    const elements = [...this.#groups.querySelectorAll("li")];
    const first = elements.findIndex((element) => element.getBoundingClientRect().bottom > top);
    return elements.slice(first, first + ANCHORS).map((element) => [element, element.getBoundingClientRect().top]);
  }

  /**
   * Scroll so that most of these rows are where they were: one may have moved to the top of the list.
   * @param {[HTMLElement, number][]} before
   */
  #keepPlace(before) {
    const moved = before.filter(([{ isConnected }]) => isConnected).map(([element, top]) => element.getBoundingClientRect().top - top);
    this.#scroller.scrollTop += moved.sort((one, other) => one - other)[Math.floor(moved.length / 2)] ?? 0;
  }

  /** @returns {import("./row.js").ConversationRowActions} */
  #createRowActions() {
    return {
      address: this.#actions.address,
      open: this.#actions.open,
      exportAddress: (id, format) => this.#api.exportUrl(id, format),
      rename: (id, title) => void this.#rename(id, title),
      share: ({ id }) => this.share(id),
      remove: (head) => void this.#remove(head),
      closed: () => this.#draw(),
    };
  }

  /**
   * @param {string} id
   * @param {string} title
   */
  async #rename(id, title) {
    const changed = await this.#api.change(id, { title });
    this.#toast.show(changed ? null : { text: words.actionFailed });
    await this.refresh();
  }

  /** @param {ConversationSummary} head */
  async #remove({ id, title }) {
    const isDone = await this.#api.remove(id);
    if (!isDone) return this.#toast.show({ text: words.actionFailed });
    const wasCurrent = id === this.#current;
    this.#heads = this.#heads.filter((head) => head.id !== id);
    this.#draw();
    this.#toast.show({ text: words.removed(title), undo: () => void this.#restore(id, wasCurrent) });
    if (wasCurrent) this.#actions.removed(id);
    this.#toast.focus();
  }

  /**
   * Open a conversation that was just imported.
   * @param {string} id
   */
  async #showImported(id) {
    this.#field.value = ""; // its filter may hide the new conversation
    await this.refresh();
    this.#actions.open(id);
  }

  /** Show the first page without a search. */
  async #showAll() {
    this.#field.value = "";
    await this.refresh();
  }

  /**
   * @param {string} id
   * @param {boolean} wasCurrent
   */
  async #restore(id, wasCurrent) {
    const isDone = await this.#api.restore(id);
    this.#toast.show(isDone ? null : { text: words.actionFailed });
    await this.refresh();
    this.#field.focus();
    if (isDone && wasCurrent) this.#actions.open(id);
  }
}

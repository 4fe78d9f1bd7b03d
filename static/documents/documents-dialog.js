/**
 * `documents/`: The view of the collections of documents, which belong to no conversation. Those of a conversation are chips
 * above its message field, see `chat/`.
 */
/** The dialog of collections: their documents, adding and deleting them, and which of them answers are based on. */
import { DocumentUploads } from "../conversation/document-uploads.js";
import { ICONS, h, icon, setText } from "../dom/elements.js";
import { cleanFileName } from "../strings/filenames.js";
import { formatPercent, formatQuantity } from "../strings/format.js";
import { describeDocument, getDocumentWords } from "../strings/documents.js";
import { words } from "../strings/words.js";
import { collectionsCss } from "../styles/collections.js";
import { sheetOf } from "../styles/sheets.js";

/** @typedef {import("../conversation/api.js").ConversationApi} ConversationApi */
/** @typedef {import("../conversation/conversation.js").AttachedDocument} AttachedDocument */
/** @typedef {import("../conversation/document-uploads.js").Upload} Upload */
/** @typedef {{id: string, name: string, is_own: boolean, documents: number}} Collection */

/**
 * @typedef {object} DocumentsActions
 * @property {() => readonly string[]} searched the names of the collections that answers are based on
 * @property {(names: readonly string[]) => void} search
 * @property {(document: AttachedDocument) => void} open show a document's text
 */

const MAX_FILES = 50;
const MAX_NAME_CHARS = 200;

/** The dialog; the page has one. When it closes, the browser returns the focus to the button that opened it. */
export class DocumentsDialog {
  #words = getDocumentWords();
  #api;
  #actions;
  #uploads;
  #close = h("button", { type: "button", class: "tool", "aria-label": words.close, title: words.close }, icon(ICONS.close));
  #name = h("input", { type: "text", maxlength: String(MAX_NAME_CHARS), "aria-label": this.#words.newCollection, placeholder: this.#words.newCollection, dir: "auto" });
  #create = h("form", { class: "create" }, this.#name, h("button", { class: "main" }, this.#words.create));
  #list = h("div", { class: "collections" });
  #status = h("p", { class: "status", role: "status" });
  dialog = h(
    "dialog",
    { class: "panel documents-view", "aria-labelledby": "documents-view" },
    h("div", { class: "top" }, h("h2", { id: "documents-view" }, this.#words.title), this.#close),
    h("p", { class: "intro" }, this.#words.intro),
    this.#create,
    this.#list,
    this.#status,
  );
  /** The views of the collections that are shown, by name. @type {Map<string, CollectionView>} */
  #views = new Map();

  /**
   * @param {ConversationApi} api
   * @param {string} base the address that the server's paths are relative to
   * @param {DocumentsActions} actions
   */
  constructor(api, base, actions) {
    document.adoptedStyleSheets.push(sheetOf(collectionsCss));
    this.#api = api;
    this.#actions = actions;
    this.#uploads = new DocumentUploads(base);
    this.#close.addEventListener("click", () => this.dialog.close());
    this.dialog.addEventListener("click", (event) => event.target === this.dialog && this.dialog.close());
    // Escape closes the dialog; outside it would stop an answer.
    this.dialog.addEventListener("keydown", (event) => event.key === "Escape" && event.stopPropagation());
    this.#create.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#createCollection(this.#name.value.trim());
    });
  }

  /** Open the dialog. */
  open() {
    this.dialog.showModal();
    void this.#load();
  }

  async #load() {
    const { body } = await this.#api.request("GET", "documents");
    if (!Array.isArray(body?.collections)) return setText(this.#status, this.#words.unavailable);
    const collections = /** @type {Collection[]} */ (body.collections);
    const known = new Set(collections.map(({ name }) => name));
    for (const [name, view] of this.#views) if (!known.has(name) && !view.isNew) this.#forget(name);
    for (const collection of collections) this.#show(collection);
    this.#noteEmpty();
  }

  /** @param {Collection} collection */
  #show(collection) {
    const known = this.#views.get(collection.name);
    if (known) return void known.update(collection);
    const view = new CollectionView(collection, {
      api: this.#api,
      uploads: this.#uploads,
      isSearched: () => this.#actions.searched().includes(collection.name),
      search: (isSearched) => this.#search(collection.name, isSearched),
      open: this.#actions.open,
      say: (sentence) => setText(this.#status, sentence),
      removed: () => {
        this.#search(collection.name, false);
        this.#forget(collection.name);
        this.#noteEmpty();
        this.#name.focus();
      },
    });
    this.#views.set(collection.name, view);
    this.#list.append(view.element);
    return view;
  }

  /** @param {string} name */
  #createCollection(name) {
    if (name === "") return this.#name.focus();
    this.#name.value = "";
    const view = this.#views.get(name) ?? this.#show({ id: "", name, is_own: true, documents: 0 });
    view?.expand();
    view?.addButton.focus();
    this.#noteEmpty();
  }

  /**
   * @param {string} name
   * @param {boolean} isSearched
   */
  #search(name, isSearched) {
    const others = this.#actions.searched().filter((other) => other !== name);
    this.#actions.search(isSearched ? [...others, name] : others);
  }

  /** @param {string} name */
  #forget(name) {
    this.#views.get(name)?.element.remove();
    this.#views.delete(name);
  }

  #noteEmpty() {
    setText(this.#status, this.#views.size === 0 ? this.#words.none : "");
  }
}

/**
 * @typedef {object} CollectionTools
 * @property {ConversationApi} api
 * @property {DocumentUploads} uploads
 * @property {() => boolean} isSearched whether answers are based on it
 * @property {(isSearched: boolean) => void} search
 * @property {(document: AttachedDocument) => void} open
 * @property {(sentence: string) => void} say show a sentence, which screen readers read
 * @property {() => void} removed
 */

/** One collection. A new one is stored with its first document. */
class CollectionView {
  #words = getDocumentWords();
  #tools;
  #collection;
  #isLoaded = false;
  #count = h("span", { class: "count" });
  #picker = h("input", { type: "file", multiple: true, hidden: true, "aria-label": this.#words.add });
  addButton = h("button", { type: "button" }, this.#words.add);
  #searched = h("input", { type: "checkbox" });
  #documents = h("ul");
  #empty = h("p", { class: "empty" }, this.#words.empty);
  /** The rows of documents, by file name. @type {Map<string, HTMLLIElement>} */
  #rows = new Map();
  element;

  /**
   * @param {Collection} collection
   * @param {CollectionTools} tools
   */
  constructor(collection, tools) {
    this.#collection = collection;
    this.#tools = tools;
    const { name, is_own } = collection;
    const remove = h("button", { type: "button", class: "danger", "aria-label": this.#words.removeCollection(name), title: this.#words.removeCollection(name) }, words.remove);
    const about = is_own ? this.#count : h("span", { class: "count" }, this.#words.given);
    const actions = is_own ? [this.addButton, this.#picker, remove] : [];
    this.element = h(
      "details",
      { class: "one-collection" },
      h("summary", {}, icon(ICONS.next), h("span", { class: "name", dir: "auto" }, name), about),
      h("div", { class: "inside" }, h("div", { class: "ways" }, h("label", {}, this.#searched, this.#words.use), ...actions), this.#empty, this.#documents),
    );
    this.#searched.addEventListener("change", () => tools.search(this.#searched.checked));
    this.element.addEventListener("toggle", () => this.element.open && !this.#isLoaded && void this.#load());
    this.addButton.addEventListener("click", () => this.#picker.click());
    this.#picker.addEventListener("change", () => {
      this.#addFiles([...(this.#picker.files ?? [])]);
      this.#picker.value = ""; // otherwise choosing the same file again is no change
    });
    remove.addEventListener("click", () => void this.#remove());
    if (is_own) this.#acceptDrops();
    this.update(collection);
  }

  get #path() {
    const query = new URLSearchParams({ collection: this.#collection.name });
    return `documents?${query}`;
  }

  /** Whether it is not stored yet. */
  get isNew() {
    return this.#collection.id === "";
  }

  /** @param {Collection} collection */
  update(collection) {
    const hasChanged = this.#isLoaded && collection.documents !== this.#rows.size;
    this.#collection = collection;
    this.#searched.checked = this.#tools.isSearched();
    this.#setCount(this.#isLoaded ? this.#rows.size : collection.documents);
    if (hasChanged) void this.#load();
  }

  /** Show what is in it. */
  expand() {
    this.element.open = true;
  }

  /** @param {number} count */
  #setCount(count) {
    setText(this.#count, formatQuantity(this.#words.documents, count));
    this.#empty.hidden = count > 0 || !this.#collection.is_own;
  }

  async #load() {
    this.#isLoaded = true;
    if (this.isNew) return;
    const { body } = await this.#tools.api.request("GET", this.#path);
    if (!Array.isArray(body?.documents)) {
      this.#isLoaded = false;
      return this.#tools.say(this.#words.unavailable);
    }
    const documents = /** @type {AttachedDocument[]} */ (body.documents);
    this.#rows = new Map(documents.map((document) => [document.source, this.#row(document)]));
    this.#documents.replaceChildren(...this.#rows.values());
    this.#setCount(this.#rows.size);
  }

  /** @param {AttachedDocument} document */
  #row(document) {
    const name = cleanFileName(document.source);
    const open = h("button", { type: "button", class: "open", title: document.source }, icon(ICONS.document), h("span", { class: "name", dir: "auto" }, document.source));
    open.addEventListener("click", () => this.#tools.open(document));
    const row = h("li", {}, open, h("span", { class: "meta" }, describeDocument(document)));
    if (!this.#collection.is_own) return row;
    const remove = h("button", { type: "button", class: "remove", "aria-label": this.#words.remove(name), title: this.#words.remove(name) }, icon(ICONS.close));
    remove.addEventListener("click", () => void this.#removeDocument(document, row));
    row.append(remove);
    return row;
  }

  /** @param {File[]} files */
  #addFiles(files) {
    this.expand();
    for (const file of files.slice(0, MAX_FILES)) this.#add(file);
  }

  /** @param {File} file */
  #add(file) {
    const name = cleanFileName(file.name);
    const meta = h("span", { class: "meta" }, this.#words.waiting);
    const row = h("li", { class: "busy" }, icon(ICONS.document), h("span", { class: "name", dir: "auto" }, name), meta);
    this.#documents.append(row);
    this.#empty.hidden = true;
    this.#tools.uploads.add(file, { collection: this.#collection.name }, ({ state, progress, stored, error }) => {
      if (state === "sending") setText(meta, formatPercent(progress));
      else if (state === "reading") setText(meta, this.#words.reading);
      else if (state === "failed") this.#fail(row, this.#words.errors[error ?? "unavailable"](name));
      else if (state === "done" && stored) this.#added(stored, row);
    });
  }

  /**
   * @param {AttachedDocument} document
   * @param {HTMLLIElement} row
   */
  #added(document, row) {
    if (this.isNew) this.#collection = { ...this.#collection, id: "stored" };
    this.#rows.get(document.source)?.remove(); // it has replaced one of its name
    const stored = this.#row(document);
    row.replaceWith(stored);
    this.#rows.set(document.source, stored);
    this.#setCount(this.#rows.size);
    this.#tools.say(this.#words.added(cleanFileName(document.source)));
  }

  /**
   * @param {HTMLLIElement} row
   * @param {string} sentence
   */
  #fail(row, sentence) {
    row.className = "failed";
    row.replaceChildren(icon(ICONS.trouble), h("span", { class: "name" }, sentence));
    this.#tools.say(sentence);
  }

  /**
   * @param {AttachedDocument} document
   * @param {HTMLLIElement} row
   */
  async #removeDocument({ id, source }, row) {
    if (!(await this.#tools.uploads.remove(id))) return this.#tools.say(words.actionFailed);
    row.remove();
    this.#rows.delete(source);
    this.#setCount(this.#rows.size);
    this.#tools.say(this.#words.removed(cleanFileName(source)));
    this.addButton.focus();
  }

  async #remove() {
    const { name } = this.#collection;
    if (this.isNew) return this.#tools.removed();
    if (!confirm(this.#words.confirm(name))) return;
    const { body, status } = await this.#tools.api.request("DELETE", this.#path);
    if (body === null && status !== 404) return this.#tools.say(words.actionFailed);
    this.#tools.say(this.#words.removed(name));
    this.#tools.removed();
  }

  /** Files may be dropped on the collection; the page must not take them for attachments. */
  #acceptDrops() {
    const { element } = this;
    const over = (/** @type {DragEvent} */ event, /** @type {boolean} */ isOver) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      event.stopPropagation();
      element.classList.toggle("over", isOver);
    };
    element.addEventListener("dragover", (event) => over(event, true));
    element.addEventListener("dragleave", (event) => over(event, false));
    element.addEventListener("drop", (event) => {
      over(event, false);
      this.#addFiles([...(event.dataTransfer?.files ?? [])]);
    });
  }
}

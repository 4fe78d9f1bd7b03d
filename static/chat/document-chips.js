/**
 * The documents of the conversation, and the collections that answers are based on: a row of chips above the message field,
 * with the progress of those that are being uploaded.
 */
import { DocumentUploads } from "../conversation/document-uploads.js";
import { ICONS, h, icon, setText } from "../dom/elements.js";
import { cleanFileName } from "../strings/filenames.js";
import { formatPercent, formatSize } from "../strings/format.js";
import { describeDocument, getDocumentWords } from "../strings/documents.js";
import { words } from "../strings/words.js";
import { documentsCss } from "../styles/documents.js";
import { sheetOf } from "../styles/sheets.js";

/** @typedef {import("../conversation/conversation.js").AttachedDocument} AttachedDocument */
/** @typedef {import("../conversation/document-uploads.js").Upload} Upload */

/**
 * @typedef {object} ChipActions
 * @property {(document: AttachedDocument) => void} open
 * @property {(conversation: string, document: AttachedDocument) => void} added
 * @property {(conversation: string, id: string) => void} removed
 * @property {(collection: string) => void} stopSearching
 * @property {(sentence: string) => void} notify show a sentence about a file
 * @property {(sentence: string) => void} announce tell a screen reader what is visible to others
 * @property {() => void} focusLost the focused chip was removed
 */

/** So many files at a time. */
const MAX_FILES = 10;
/** Screen readers are not told of each step; the numbers change in steps of this many percent. */
const STEP = 5;

/** @typedef {{element: HTMLLIElement, upload: Upload, meta: HTMLElement, bar: HTMLElement, conversation: string}} UploadChip */

/** The chips of one chat. */
export class DocumentChips {
  #words = getDocumentWords();
  element = h("ul", { class: "documents", "aria-label": this.#words.list, hidden: true });
  #actions;
  #uploads;
  #conversation = "";
  /** @type {readonly AttachedDocument[]} */
  #documents = [];
  /** @type {readonly string[]} */
  #collections = [];
  #drawnCollections = this.#collections;
  /** The chips of what is stored, by document or collection. @type {Map<string, HTMLLIElement>} */
  #stored = new Map();
  /** @type {UploadChip[]} */
  #chips = [];

  /**
   * @param {ShadowRoot} root gets the styles
   * @param {string} base the address that the server's paths are relative to
   * @param {ChipActions} actions
   */
  constructor(root, base, actions) {
    root.adoptedStyleSheets.push(sheetOf(documentsCss));
    this.#uploads = new DocumentUploads(base);
    this.#actions = actions;
  }

  /** Whether files of the shown conversation are on their way. */
  get isBusy() {
    return this.#own().some(({ upload }) => upload.isActive);
  }

  /** Resolves when none is, to whether all of them are documents now. */
  get settled() {
    const waiting = this.#own().map(({ upload }) => upload);
    return Promise.all(waiting.map(({ settled }) => settled)).then(() => waiting.every(({ state }) => state === "done" || state === "cancelled"));
  }

  /**
   * Show a conversation's documents, and the collections.
   * @param {string} conversation
   * @param {readonly AttachedDocument[]} documents
   * @param {readonly string[]} collections
   */
  show(conversation, documents, collections) {
    if (conversation === this.#conversation && documents === this.#documents && collections === this.#collections) return;
    [this.#conversation, this.#documents, this.#collections] = [conversation, documents, collections];
    this.#draw();
  }

  /**
   * Add files to the conversation that is shown.
   * @param {readonly File[]} files
   */
  addFiles(files) {
    const conversation = this.#conversation;
    this.#chips = this.#chips.filter(({ upload }) => upload.state !== "failed");
    for (const file of files.slice(0, MAX_FILES)) this.#add(file, conversation);
    if (files.length > MAX_FILES) this.#actions.notify(this.#words.tooMany);
    this.#draw();
  }

  /** Remove the chips of files that could not be added. */
  clearFailed() {
    this.#chips = this.#chips.filter(({ upload }) => upload.state !== "failed");
    this.#draw();
  }

  /**
   * @param {File} file
   * @param {string} conversation
   */
  #add(file, conversation) {
    const name = cleanFileName(file.name);
    const meta = h("span", { class: "meta" });
    const bar = h("span", { class: "bar", "aria-hidden": "true" });
    const upload = this.#uploads.add(file, { conversation }, () => this.#changed(chip));
    const remove = removeButton(this.#words.cancel(name), () => {
      upload.cancel();
      this.#drop(chip);
      this.#actions.focusLost();
    });
    const element = h("li", { class: "busy" }, icon(ICONS.document), h("span", { class: "name", dir: "auto", title: file.name }, name), meta, remove, bar);
    /** @type {UploadChip} */
    const chip = { element, upload, meta, bar, conversation };
    this.#chips.push(chip);
    setText(meta, formatSize(file.size));
  }

  /** @param {UploadChip} chip */
  #changed(chip) {
    const { upload, meta, bar, element, conversation } = chip;
    const name = cleanFileName(upload.file.name);
    const percent = Math.floor((100 * upload.progress) / STEP) * STEP;
    if (upload.state === "waiting") setText(meta, this.#words.waiting);
    else if (upload.state === "sending") setText(meta, `${formatSize(upload.file.size)} · ${formatPercent(percent / 100)}`);
    else if (upload.state === "reading") setText(meta, this.#words.reading);
    bar.style.inlineSize = `${percent}%`;
    if (upload.state === "failed") {
      const sentence = this.#words.errors[upload.error ?? "unavailable"](name);
      element.classList.replace("busy", "failed");
      element.replaceChildren(
        icon(ICONS.trouble),
        h("span", { class: "name" }, sentence),
        removeButton(this.#words.remove(name), () => {
          this.#drop(chip);
          this.#actions.focusLost();
        }),
      );
      this.#actions.announce(sentence);
    } else if (upload.state === "done" && upload.stored) {
      this.#chips = this.#chips.filter((other) => other !== chip);
      this.#actions.announce(this.#words.added(name));
      this.#actions.added(conversation, upload.stored);
      this.#draw();
    }
  }

  /** @param {UploadChip} chip */
  #drop(chip) {
    this.#chips = this.#chips.filter((other) => other !== chip);
    this.#draw();
  }

  /** The uploads of the shown conversation. */
  #own() {
    return this.#chips.filter(({ conversation }) => conversation === this.#conversation);
  }

  #draw() {
    const { element } = this;
    const stored = new Map([
      ...this.#collections.map((name) => this.#keep(`collection ${name}`, () => this.#collectionChip(name))),
      ...this.#documents.map((document) => this.#keep(document.id, () => this.#documentChip(document))),
    ]);
    this.#stored = stored;
    const chips = [...stored.values(), ...this.#own().map((chip) => chip.element)];
    const isLonger = chips.length > element.childElementCount;
    for (const old of [...element.children]) if (!chips.includes(/** @type {HTMLLIElement} */ (old))) old.remove();
    // What stays is not moved: it may have the focus.
    for (const [at, chip] of chips.entries()) if (element.children[at] !== chip) element.insertBefore(chip, element.children[at] ?? null);
    element.hidden = chips.length === 0;
    // On narrow screens they are one row that scrolls.
    const newest = this.#collections === this.#drawnCollections ? chips.at(-1) : chips[this.#collections.length - 1];
    if (isLonger) newest?.scrollIntoView({ block: "nearest", inline: "nearest" });
    this.#drawnCollections = this.#collections;
  }

  /**
   * Return the chip that is shown already, or a new one, with its key.
   * @param {string} key
   * @param {() => HTMLLIElement} create
   * @returns {[string, HTMLLIElement]}
   */
  #keep(key, create) {
    return [key, this.#stored.get(key) ?? create()];
  }

  /** @param {string} name */
  #collectionChip(name) {
    const remove = removeButton(this.#words.notSearched(name), () => {
      this.#actions.stopSearching(name);
      this.#actions.focusLost();
    });
    return h("li", { class: "collection" }, icon(ICONS.collection), h("span", { class: "name", dir: "auto", title: this.#words.searched(name) }, name), remove);
  }

  /** @param {AttachedDocument} document */
  #documentChip(document) {
    const name = cleanFileName(document.source);
    const open = h("button", { type: "button", class: "open", title: document.source }, icon(ICONS.document), h("span", { class: "name", dir: "auto" }, name), h("span", { class: "meta" }, describeDocument(document)));
    open.addEventListener("click", () => this.#actions.open(document));
    const remove = removeButton(this.#words.remove(name), () => void this.#remove(document));
    return h("li", {}, open, remove);
  }

  /** @param {AttachedDocument} document */
  async #remove({ id, source }) {
    const conversation = this.#conversation;
    if (!(await this.#uploads.remove(id))) return this.#actions.notify(words.actionFailed);
    this.#actions.announce(this.#words.removed(cleanFileName(source)));
    this.#actions.removed(conversation, id);
    this.#actions.focusLost();
  }
}

/**
 * @param {string} name
 * @param {() => void} clicked
 */
function removeButton(name, clicked) {
  const button = h("button", { type: "button", class: "remove", "aria-label": name, title: name }, icon(ICONS.close));
  button.addEventListener("click", clicked);
  return button;
}

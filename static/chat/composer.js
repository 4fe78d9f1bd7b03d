/**
 * The message form: a field that grows, attached images above it, and one button that never moves: it stops the answer
 * while there is nothing to send. While an answer streams, a message is put in a queue of one. Each conversation has a
 * draft of its own.
 */
import { MAX_IMAGES } from "../conversation/conversation.js";
import { ICONS, h, icon } from "../dom/elements.js";
import { isTouch } from "../dom/pointer.js";
import { words } from "../strings/words.js";
import { warmUpRenderer } from "../turn/answer.js";
import { QueuedMessage } from "./queued.js";

/** Some browsers report the Enter that ends an IME composition only by this code. */
const COMPOSING_KEY_CODE = 229;
/** So many other conversations' drafts are kept here that the tab's storage cannot have: those with images and very long ones. */
const MAX_KEPT = 8;

/**
 * @typedef {object} ComposerActions
 * @property {(question: string, images: readonly Picture[]) => boolean} send returns whether it was sent; if not, the form keeps it
 * @property {() => void} stop
 * @property {(conversation: string, draft: Draft) => boolean} saveDraft returns whether it is stored
 * @property {(conversation: string) => Draft} loadDraft
 * @property {(files: readonly File[]) => Promise<void>} addDocuments add files to the conversation
 * @property {() => void} changed the images are others now
 * @property {(sentence: string) => void} notify show a sentence about the message
 * @property {(sentence: string) => void} announce tell a screen reader what is visible to others
 */

/** @typedef {import("../conversation/storage.js").Draft} Draft */
/** @typedef {import("../stream/types.js").Picture} Picture */
/** @typedef {import("./attachments.js").Attachments} Attachments */
/** @typedef {import("./document-chips.js").DocumentChips} Chips */
/** @typedef {{text: string, queued: {text: string, images: readonly Picture[]}, attachments: Attachments | null}} KeptDraft a draft with its images */

/** The composer of one chat. */
export class Composer {
  #field = h("textarea", {
    rows: "1",
    "aria-label": words.composer,
    placeholder: words.placeholder,
    enterkeyhint: isTouch() ? "enter" : "send",
    autocomplete: "off",
    dir: "auto",
  });
  #sendIcon = icon(ICONS.send);
  #stopIcon = icon(ICONS.stop, { filled: true });
  #button = h("button", { type: "submit", class: "submit" }, this.#sendIcon);
  /** Beside the button while that has something to send. A finger has the button alone. */
  #halt = h("button", { type: "button", class: "halt", "aria-label": words.stop, title: words.stop, hidden: true }, icon(ICONS.stop, { filled: true }));
  #queued = new QueuedMessage({ edit: () => this.#editQueued(), drop: () => this.#queue("", []) });
  #picker = h("input", { type: "file", multiple: true, hidden: true, "aria-label": words.attach });
  #attach = h("button", { type: "button", class: "attach", "aria-label": words.attach, title: words.attach }, icon(ICONS.attach));
  #dropTarget = h("p", { class: "drop-target", hidden: true }, words.dropHere);
  element = h("form", { class: "composer" }, this.#queued.element, this.#attach, this.#field, this.#halt, this.#button, this.#picker, this.#dropTarget);
  /** Its module is loaded with the first image. @type {Attachments | null} */
  #attachments = null;
  /** @type {Chips | null} */
  #documents = null;
  #actions;
  #isAnswering = false;
  /** Id of the conversation; empty: the new one. */
  #conversation = "";
  #isStored = true;
  /** The drafts of other conversations, the oldest first. @type {Map<string, KeptDraft>} */
  #kept = new Map();

  /** @param {ComposerActions} actions */
  constructor(actions) {
    this.#actions = actions;
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#sendOrStop();
    });
    this.#field.addEventListener("keydown", (event) => this.#keyPressed(event));
    this.#field.addEventListener("input", () => warmUpRenderer(this.element), { once: true });
    this.#field.addEventListener("input", () => {
      this.#fitHeight();
      this.#saveDraft();
    });
    this.#halt.addEventListener("click", () => {
      this.#actions.stop();
      this.refocus();
    });
    this.#attach.addEventListener("click", () => this.#picker.click());
    this.#picker.addEventListener("change", () => {
      void this.addFiles([...(this.#picker.files ?? [])]);
      this.#picker.value = ""; // otherwise choosing the same file again is no change
    });
    this.#field.addEventListener("paste", (event) => this.#paste(event));
    // The second press of a double click must not stop what the first one sent.
    this.#button.addEventListener("click", (event) => event.detail > 1 && this.#isAnswering && event.preventDefault());
    // A press must not take the focus (and, on a phone, the keyboard) out of the field.
    this.#button.addEventListener("pointerdown", (event) => event.preventDefault());
    this.element.addEventListener("pointerdown", (event) => {
      if (event.target === this.element) {
        event.preventDefault();
        this.focus();
      }
    });
    this.#updateButton();
  }

  /** Focus the field. */
  focus() {
    this.#field.focus({ preventScroll: true });
  }

  /** Focus the field, except on touch screens: there the keyboard would open over the answer. */
  refocus() {
    if (!isTouch()) this.focus();
  }

  /**
   * Put a question that was not asked back into the form.
   * @param {string} text
   * @param {readonly Picture[]} images
   */
  takeBack(text, images) {
    this.#prepend(text, images);
  }

  /**
   * Show the draft of a conversation in place of the current one's, which is kept.
   * @param {string} conversation its id; empty: the new one
   */
  show(conversation) {
    this.#keepDraft();
    this.#attachments?.element.remove();
    this.#conversation = conversation;
    this.#isAnswering = false;
    const kept = this.#kept.get(conversation);
    this.#kept.delete(conversation);
    this.#attachments = kept?.attachments ?? null;
    if (this.#attachments) this.#queued.element.after(this.#attachments.element);
    const stored = kept ? null : this.#actions.loadDraft(conversation);
    const draft = kept ?? asKept(/** @type {Draft} */ (stored));
    this.#queued.set(draft.queued.text, draft.queued.images);
    this.#field.value = draft.text;
    this.#isStored = kept === undefined;
    this.#fitHeight();
    if (!stored?.images) return;
    this.#actions.notify(words.imagesGone);
    this.#saveDraft();
  }

  /**
   * Set the id that the server gave to the shown conversation: what is written stays.
   * @param {string} conversation
   */
  rename(conversation) {
    if (conversation === this.#conversation) return;
    this.#actions.saveDraft(this.#conversation, { text: "", queued: "", images: 0 });
    this.#conversation = conversation;
    this.#saveDraft();
  }

  /** Keep what the storage has not of the current draft. */
  #keepDraft() {
    const { text, images } = this.#queued;
    const attachments = this.#attachments;
    if (this.#isStored && images.length + (attachments?.count ?? 0) === 0) return;
    this.#kept.set(this.#conversation, { text: this.#field.value, queued: { text, images }, attachments });
    const [oldest = ""] = this.#kept.keys();
    if (this.#kept.size > MAX_KEPT) this.#kept.delete(oldest);
  }

  /** The documents of the conversation that is shown. @param {Chips} documents */
  set documents(documents) {
    this.#documents = documents;
    this.#queued.element.before(documents.element);
  }

  /** Fit the field to its text, which could not be measured while the chat was hidden. */
  shown() {
    this.#fitHeight();
  }

  /** Take no files: where the chat is embedded, they would need more of its host than it allows. */
  hideAttach() {
    this.#attach.hidden = true;
  }

  /** Focus the button that attaches files. */
  focusAttach() {
    this.#attach.focus();
  }

  /** The images of the next question and of the queued message. */
  get images() {
    return [...this.#queued.images, ...this.#pictures];
  }

  get #pictures() {
    return this.#attachments?.pictures ?? [];
  }

  /**
   * Attach files: images to the next question, others to the conversation. Those that can't be sent are left out with a notice.
   * @param {readonly File[]} files
   */
  async addFiles(files) {
    const images = files.filter(({ type }) => type.startsWith("image/"));
    await this.#addImages(images);
    if (images.length < files.length) await this.#actions.addDocuments(files.filter((file) => !images.includes(file)));
  }

  /** @param {readonly File[]} files */
  async #addImages(files) {
    if (files.length === 0) return;
    const conversation = this.#conversation;
    const attachments = await this.#loadAttachments();
    // Another one may be shown by now, and images must not be sent to the wrong one.
    if (conversation !== this.#conversation) return this.#actions.notify(words.actionFailed);
    attachments?.addFiles(files);
    this.refocus();
  }

  /**
   * Show or hide where files can be dropped.
   * @param {boolean} isShown
   */
  showDropTarget(isShown) {
    this.#dropTarget.hidden = !isShown;
  }

  async #loadAttachments() {
    try {
      const { Attachments } = await import("./attachments.js");
      if (this.#attachments) return this.#attachments;
      const { notify, announce } = this.#actions;
      this.#attachments = new Attachments({ changed: () => this.#imagesChanged(), notify, announce, focusLost: () => this.#attach.focus() });
      this.#queued.element.after(this.#attachments.element);
      return this.#attachments;
    } catch {
      this.#actions.notify(words.actionFailed); // the network is gone; the next call tries again
      return null;
    }
  }

  #imagesChanged() {
    this.#updateButton();
    this.#saveDraft();
    this.#actions.changed();
  }

  /** @param {ClipboardEvent} event */
  #paste(event) {
    const files = [...(event.clipboardData?.files ?? [])];
    // Office programs copy text and tables also as an image; paste their text.
    if (files.length === 0 || event.clipboardData?.types.includes("text/plain")) return;
    event.preventDefault();
    void this.addFiles(files);
  }

  /**
   * Set whether an answer streams. When an answer completes, the queued message is sent; if the answer ended in another
   * way, it goes back into the field.
   * @param {boolean} isAnswering
   * @param {boolean} isComplete whether the last answer was neither stopped nor failed
   */
  setAnswering(isAnswering, isComplete) {
    const hasChanged = isAnswering !== this.#isAnswering;
    this.#isAnswering = isAnswering;
    if (!isAnswering && !this.#queued.isEmpty) this.#releaseQueued(isComplete);
    if (hasChanged) this.#updateButton();
  }

  /** @param {KeyboardEvent} event */
  #keyPressed(event) {
    const isComposing = event.isComposing || event.keyCode === COMPOSING_KEY_CODE;
    if (event.key !== "Enter" || event.shiftKey || event.altKey || isComposing) return;
    // A keyboard on the screen has no other key for a new line.
    if (isTouch() && !event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    this.#sendOrQueue();
  }

  #sendOrStop() {
    if (this.#isAnswering && this.#isEmpty) this.#actions.stop();
    else this.#sendOrQueue();
  }

  #sendOrQueue() {
    if (this.#isAnswering) this.#enqueue();
    else this.#send();
  }

  get #isEmpty() {
    return this.#field.value.trim() === "" && !this.#pictures.length && !this.#attachments?.isBusy;
  }

  /**
   * Pass the message on and clear the form. Waits until its images are read and the conversation's documents are there; one
   * that can't be read cancels this.
   * @param {(text: string, images: readonly Picture[]) => boolean} use returns whether the form may be cleared
   */
  #submit(use) {
    const conversation = this.#conversation;
    const busy = [this.#attachments, this.#documents].filter((part) => part?.isBusy);
    if (busy.length > 0) {
      const settled = Promise.all(busy.map((part) => part?.settled));
      return void settled.then((fine) => fine.every(Boolean) && this.#conversation === conversation && this.#submit(use));
    }
    const text = this.#field.value.trim();
    if (text === "" && this.#pictures.length === 0) return this.focus();
    if (!use(text, this.#pictures)) return;
    this.#field.value = "";
    this.#attachments?.clear();
    this.#documents?.clearFailed();
    this.#fitHeight();
    this.#saveDraft();
  }

  #send() {
    this.#submit((text, images) => !this.#isAnswering && this.#actions.send(text, images));
  }

  #enqueue() {
    this.#submit((text, images) => {
      const all = [...this.#queued.images, ...images];
      if (all.length > MAX_IMAGES) this.#actions.notify(words.tooManyImages);
      else this.#queue(paragraphs(this.#queued.text, text), all);
      return all.length <= MAX_IMAGES;
    });
  }

  /**
   * @param {string} text
   * @param {readonly Picture[]} images
   */
  #queue(text, images) {
    this.#queued.set(text, images);
    this.#saveDraft();
    this.#actions.changed();
    this.refocus();
  }

  #editQueued() {
    const { text, images } = this.#queued;
    this.#queue("", []);
    this.#prepend(text, images);
    this.focus();
  }

  /**
   * Put a message back into the form, before its current content.
   * @param {string} text
   * @param {readonly Picture[]} images
   */
  #prepend(text, images) {
    this.#field.value = paragraphs(text, this.#field.value);
    this.#fitHeight();
    this.#attachments?.restore(images);
    this.#saveDraft();
  }

  /** @param {boolean} isComplete */
  #releaseQueued(isComplete) {
    if (!isComplete) return this.#editQueued();
    const { text, images } = this.#queued;
    this.#queue("", []);
    // After the current draw, which shows the end of the answer.
    queueMicrotask(() => this.#actions.send(text, images) || this.#prepend(text, images));
  }

  /** Drafts have no images, and a queued question without its images must not be sent automatically. */
  #saveDraft() {
    const [text, queued] = [this.#field.value, this.#queued.text];
    const hasQueuedImages = this.#queued.images.length > 0;
    const images = this.#queued.images.length + (this.#attachments?.count ?? 0);
    const draft = hasQueuedImages ? { text: paragraphs(queued, text), queued: "", images } : { text, queued, images };
    this.#isStored = this.#actions.saveDraft(this.#conversation, draft);
  }

  #fitHeight() {
    this.#field.style.height = "auto";
    this.#field.style.height = `${this.#field.scrollHeight}px`;
    this.#updateButton();
  }

  #updateButton() {
    const isEmpty = this.#isEmpty;
    const stops = this.#isAnswering && isEmpty;
    const name = stops ? words.stop : words.send;
    const drawn = stops ? this.#stopIcon : this.#sendIcon;
    this.#halt.hidden = !this.#isAnswering || stops || isTouch();
    if (this.#button.firstChild !== drawn) this.#button.replaceChildren(drawn);
    this.#button.setAttribute("aria-label", name);
    this.#button.title = name;
    // Not `disabled`: a disabled button loses the focus.
    this.#button.setAttribute("aria-disabled", String(!stops && isEmpty));
  }
}

/**
 * Join two texts as paragraphs; an empty one adds none.
 * @param {string} before
 * @param {string} after
 */
function paragraphs(before, after) {
  return [before, after].filter((text) => text !== "").join("\n\n");
}

/**
 * Return a stored draft, which has lost its images: without them a queued message must not be sent.
 * @param {Draft} draft
 * @returns {Omit<KeptDraft, "attachments">}
 */
function asKept({ text, queued, images }) {
  const isWhole = images === 0;
  return { text: isWhole ? text : paragraphs(queued, text), queued: { text: isWhole ? queued : "", images: [] } };
}

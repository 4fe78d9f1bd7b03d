/**
 * `<freshet-chat>`: log, composer and notices in an open shadow root, the same on the page and on
 * other sites. This module defines the class; `define.js` registers it.
 */
import { COOKIES } from "../stream/access.js";
import { Announcer } from "../speech/live-region.js";
import { copyText } from "../dom/clipboard.js";
import { h } from "../dom/elements.js";
import { formatChoice } from "../strings/format.js";
import { loadDraft, saveDraft } from "../conversation/storage.js";
import { isHoldShown } from "../stream/answer-state.js";
import { words } from "../strings/words.js";
import { sheets } from "../styles/sheets.js";
import { Composer } from "./composer.js";
import { ChatLog } from "./log.js";
import { Notices } from "./notices.js";
import { watchPage } from "./page-events.js";
import { SelectedModel } from "./selected-model.js";
import { createDialogue } from "./create-dialogue.js";

/** @typedef {import("../stream/types.js").Picture} Picture */
/** @typedef {import("../conversation/dialogue.js").Dialogue} Dialogue */

/**
 * @typedef {object} ChatOptions
 * @property {string} base the address that the server's paths are relative to
 * @property {string} modelName the default model's name, as shown
 * @property {string} defaultModel the default model's full name, `provider/model`
 * @property {string[]} textOnlyModels full names of the models that can't see images
 * @property {readonly string[]} starters suggested first questions; empty: the page's own
 * @property {string | null} conversation id of the conversation to show; null: the last one shown in this tab
 * @property {import("../conversation/dialogue.js").ConversationStore} store
 * @property {(() => void) | null} [chooseModel] opens the list of models; null: the page has none
 * @property {number} [heartbeat_ms] the longest silence of the server
 * @property {Record<string, string>} [addresses] where the server calls each provider, for the operator
 * @property {import("../stream/types.js").Access} [access] how requests show who is asking
 * @property {string} [greeting] in place of the usual title of an empty conversation
 * @property {boolean} [isEmbedded] whether another site shows it, whose focus and keys are its own; no files can be attached there
 * @property {import("../conversation/dialogue.js").Dependencies["saveConversation"]} [saveConversation] instead of the tab's storage
 * @property {import("../conversation/dialogue.js").Dependencies["loadConversation"]} [loadConversation]
 * @property {string[] | null} demo names of the settings that enable a real model; null: there is one
 */

/** A hidden tab draws at most this often. */
const HIDDEN_DRAW_MS = 250;
/** @type {readonly string[]} */
const NONE = [];

/**
 * A chat. Call `start` once. Events: `freshet-change` (the conversation changed), `freshet-asked`, `freshet-answered` (an answer ended,
 * completed or not), `freshet-unsearch` (answers are not to be based on the collection named in `detail` any more) and
 * `freshet-signed-out` (the server no longer knows this visitor).
 */
export class FreshetChat extends HTMLElement {
  #composer = new Composer({
    send: (question, images) => this.ask(question, images),
    stop: () => this.stop(),
    saveDraft,
    loadDraft,
    addDocuments: (files) => this.#addDocuments(files),
    changed: () => this.#setDraftNotice(""),
    notify: (sentence) => this.#setDraftNotice(sentence),
    announce: (sentence) => this.#announcer.say(sentence),
  });
  #announcer = new Announcer();
  #notices = new Notices(
    (text) => this.#announcer.say(text),
    (height_px) => this.#log.leaveRoom(height_px),
  );
  #foot = h("p", { class: "foot" });
  #log = new ChatLog({
    ask: (question) => void this.ask(question),
    retry: (run) => this.#acceptsImages(this.#imagesOf(run)) && void this.#dialogue?.retry(run),
    continueAnswer: (run) => this.#acceptsImages(this.#imagesOf(run)) && void this.#dialogue?.continueAnswer(run),
    editQuestion: (run, question) => this.#editQuestion(run, question),
    addressOf: ({ id, data }) => data ?? (id && this.#store?.imageUrl(this.conversation, id)) ?? "",
    modelChooser: () => this.#chooseModel,
    providerAddress: (provider) => (Object.hasOwn(this.#addresses, provider) ? (this.#addresses[provider] ?? "") : ""),
    openSource: (source) => this.#openSource(source),
    showBranch: (message) => void this.#dialogue?.showBranch(message),
    reload: () => this.show(this.conversation),
    focusLost: () => this.#composer.refocus(),
    editClosed: () => this.#dialogue?.catchUp(),
  });
  #base = "";
  /** Loaded with the first document. @type {import("./document-chips.js").DocumentChips | null} */
  #chips = null;
  /** @type {(() => void) | null} */
  #chooseModel = null;
  /** @type {Record<string, string>} */
  #addresses = {};
  /** @type {Dialogue | null} */
  #dialogue = null;
  /** @type {import("../conversation/dialogue.js").ConversationStore | null} */
  #store = null;
  #model = new SelectedModel({ shownName: "", fallback: "", textOnly: [""] });
  /** About the message being written; shown until that changes. */
  #draftNotice = "";
  /** @type {AbortController | null} */
  #pageEvents = null;
  /** The message to scroll to when it is loaded; empty: none. */
  #target = { message: "", tries: 0 };
  #isDrawScheduled = false;
  #isEmbedded = false;
  #wasAnswering = false;
  /** @type {"fine" | "lost" | "busy"} */
  #link = "fine";
  #isOutdated = false;
  /** The names of the collections that answers are based on. @type {readonly string[]} */
  #searched = NONE;

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = sheets();
    const overlay = h("div", { class: "overlay" }, this.#notices.element, this.#log.toBottom);
    const dock = h("div", { class: "dock" }, overlay, this.#composer.element, this.#foot);
    root.append(this.#log.element, dock, this.#announcer.element);
  }

  /**
   * Show a conversation, and resume the answer that a reload interrupted.
   * @param {ChatOptions} options
   */
  start({ base, modelName, defaultModel, textOnlyModels, demo, starters, conversation, store, chooseModel = null, addresses = {}, heartbeat_ms = undefined, ...more }) {
    const { access = COOKIES, greeting = "", isEmbedded = false, ...kept } = more;
    this.#base = base;
    this.#isEmbedded = isEmbedded;
    this.#chooseModel = chooseModel;
    this.#addresses = addresses;
    this.#model = new SelectedModel({ shownName: modelName, fallback: defaultModel, textOnly: textOnlyModels });
    this.#store = store;
    this.#log.starters = starters;
    this.#log.greeting = greeting;
    if (isEmbedded) this.#composer.hideAttach();
    if (demo) this.#foot.textContent = words.demo(formatChoice(demo));
    const listener = {
      changed: () => this.#changed(),
      connectionChanged: (/** @type {import("../stream/types.js").ConnectionState} */ state) => {
        this.#link = state;
        this.#updateNotice();
      },
      signedOut: () => void this.dispatchEvent(new Event("freshet-signed-out")),
      returned: (/** @type {string} */ question, /** @type {readonly Picture[]} */ images) => this.#composer.takeBack(question, images),
    };
    this.#dialogue = createDialogue(base, access, { store, listener, isInUse: () => this.#log.isEditing, heartbeat_ms, ...kept });
    this.#dialogue.start(conversation);
    this.#composer.show(this.conversation);
    if (!isEmbedded) this.#composer.refocus(); // another site's focus is its own
  }

  /**
   * Options of the next runs.
   * @param {import("../stream/types.js").RunOptions} options
   */
  set runOptions(options) {
    if ((options.model ?? "") !== this.#model.selected) this.#draftNotice = "";
    this.#model.selected = options.model ?? "";
    this.#searched = options.collection ?? NONE;
    if (this.#dialogue) this.#dialogue.runOptions = options;
    this.#changed();
  }

  /** @param {import("../speech/speech.js").Mode} mode how much is announced to screen readers */
  set speech(mode) {
    this.#announcer.mode = mode;
  }

  /** Whether the server has a newer version of the page. Shown while no answer streams. */
  set isOutdated(/** @type {boolean} */ isOutdated) {
    this.#isOutdated = isOutdated;
    this.#updateNotice();
  }

  /** Whether all changes of the conversation are passed to `follow`. */
  set isFollowed(/** @type {boolean} */ isFollowed) {
    if (this.#dialogue) this.#dialogue.isFollowed = isFollowed;
  }

  /**
   * Follow a change of a conversation that was made here or elsewhere, if it is the one that is shown.
   * @param {import("../conversation/changes-feed.js").ConversationChange} change
   */
  follow(change) {
    this.#dialogue?.follow(change);
  }

  /** The turns of the conversation, oldest first. */
  get turns() {
    return this.#dialogue?.conversation.turns ?? [];
  }

  /** The id of the conversation; empty before the first question of a new one. */
  get conversation() {
    return this.#dialogue?.conversation.id ?? "";
  }

  /** The title of the conversation, as far as it is known here; empty: it has none yet. */
  get conversationTitle() {
    return this.#dialogue?.title ?? "";
  }

  /** Whether an answer is pending or streams. */
  get isAnswering() {
    return this.#dialogue?.isAnswering ?? false;
  }

  /**
   * Ask a question. Refused while an answer is pending, or with a notice if the model can't see its images.
   * @param {string} question
   * @param {readonly Picture[]} [images]
   * @returns {boolean} whether it was asked
   */
  ask(question, images = []) {
    if (this.isAnswering || !this.#dialogue || !this.#acceptsImages(images)) return false;
    this.#draftNotice = "";
    this.#dialogue.ask(question, images);
    this.dispatchEvent(new Event("freshet-asked"));
    this.#composer.rename(this.conversation);
    this.#draw();
    this.#log.jump();
    this.#composer.refocus();
    return true;
  }

  /** @param {readonly File[]} files images are attached to the next question, others are added to the conversation */
  addFiles(files) {
    void this.#composer.addFiles(files);
  }

  /** @param {boolean} isShown whether to show where files can be dropped */
  showDropTarget(isShown) {
    this.#composer.showDropTarget(isShown);
  }

  /** Stop the current answer and its announcements. */
  stop() {
    this.#announcer.silence();
    this.#dialogue?.stop();
  }

  /** Stop following the answer, which goes on at the server. */
  leave() {
    this.#dialogue?.leave();
  }

  /** End the answer that waits for a sign-in as failed. */
  giveUp() {
    this.#dialogue?.giveUp();
  }

  /**
   * Show the text of a document in the panel.
   * @param {{id: string, source: string}} document
   */
  openDocument({ id, source }) {
    this.#openSource({ n: 1, source, document: id, start: 0 });
  }

  /** The chat is visible after it was hidden. */
  shown() {
    this.#composer.shown();
  }

  /** Focus the message field. */
  focusComposer() {
    this.#composer.focus();
  }

  /**
   * Focus the next message, or the previous one.
   * @param {1 | -1} by
   */
  focusMessage(by) {
    this.#log.focusMessage(by);
  }

  /** Copy the Markdown of the last answer that has text. */
  async copyLast() {
    const text = [...this.turns].reverse().find(({ answer }) => answer.text !== "")?.answer.text;
    if (text === undefined) return;
    this.#announcer.say((await copyText(text)) ? words.announcements.copied : words.actionFailed);
  }

  /**
   * Show another conversation.
   * @param {string} id empty: a new one
   * @param {string} [message] the message to scroll to; its branch is shown
   */
  show(id, message = "") {
    this.#target = { message, tries: 2 };
    this.#draftNotice = "";
    this.#dialogue?.show(id);
    this.#composer.show(id);
    this.#draw();
    this.#log.jump();
    this.#composer.refocus();
  }

  connectedCallback() {
    this.#pageEvents = new AbortController();
    const handlers = {
      woken: (/** @type {boolean} */ replace) => this.#dialogue?.wake(replace),
      networkChanged: () => this.#updateNotice(),
      leaving: () => this.#dialogue?.save(),
      hidden: () => {
        if (this.#isDrawScheduled) this.#draw(); // its animation frame may never come
      },
      escaped: () => {
        if (!this.#isEmbedded) this.stop();
      },
    };
    watchPage(handlers, this.#pageEvents.signal);
  }

  disconnectedCallback() {
    this.#pageEvents?.abort();
  }

  /** @param {readonly File[]} files */
  async #addDocuments(files) {
    const dialogue = this.#dialogue;
    const { conversation } = this;
    const chips = await this.#loadChips();
    if (!dialogue || !chips) return;
    // Another one may be shown by now, and files must not be added to the wrong one.
    if (conversation !== this.conversation) return this.#setDraftNotice(words.actionFailed);
    this.#composer.rename(dialogue.openConversation());
    this.#showDocuments();
    chips.addFiles(files);
    this.#composer.refocus();
  }

  /** Show the documents of the conversation, for which the chips are loaded if there are any. */
  #showDocuments() {
    const { id = "", documents = [] } = this.#dialogue?.conversation ?? {};
    if (this.#chips) this.#chips.show(id, documents, this.#searched);
    else if (documents.length + this.#searched.length > 0) void this.#loadChips().then((chips) => chips && this.#showDocuments());
  }

  async #loadChips() {
    try {
      const { DocumentChips } = await import("./document-chips.js");
      if (this.#chips) return this.#chips;
      this.#chips = new DocumentChips(/** @type {ShadowRoot} */ (this.shadowRoot), this.#base, {
        open: (document) => this.openDocument(document),
        added: (conversation, document) => this.#dialogue?.addDocument(conversation, document),
        removed: (conversation, id) => this.#dialogue?.removeDocument(conversation, id),
        stopSearching: (name) => this.dispatchEvent(new CustomEvent("freshet-unsearch", { detail: name })),
        notify: (sentence) => this.#setDraftNotice(sentence),
        announce: (sentence) => this.#announcer.say(sentence),
        focusLost: () => this.#composer.focusAttach(),
      });
      this.#composer.documents = this.#chips;
      return this.#chips;
    } catch {
      this.#setDraftNotice(words.actionFailed); // the network is gone; the next call tries again
      return null;
    }
  }

  /** @param {import("../stream/frames.js").Source} source */
  #openSource(source) {
    void import("../turn/passage-panel.js").then(
      ({ showPassage }) => showPassage(/** @type {ShadowRoot} */ (this.shadowRoot), new URL("documents/", this.#base).href, source),
      () => this.#setDraftNotice(words.actionFailed),
    );
  }

  /**
   * @param {string} run
   * @param {string} question
   */
  #editQuestion(run, question) {
    if (!this.#acceptsImages(this.#imagesOf(run))) return false;
    void this.#dialogue?.editQuestion(run, question);
    return true;
  }

  /** @param {string} run */
  #imagesOf(run) {
    return this.turns.find(({ answer }) => answer.run === run)?.images ?? [];
  }

  /**
   * Return whether the model accepts these images; if not, show why.
   * @param {readonly Picture[]} images
   */
  #acceptsImages({ length }) {
    const objection = this.#model.objection(length);
    if (objection) this.#setDraftNotice(objection);
    return objection === "";
  }

  /** @param {string} sentence */
  #setDraftNotice(sentence) {
    this.#draftNotice = sentence;
    this.#updateNotice();
  }

  /** Draw once with the next animation frame, however many frames arrive until then. Hidden tabs have none: use a timer. */
  #changed() {
    const { isAnswering } = this;
    if (this.#wasAnswering && !isAnswering) this.dispatchEvent(new Event("freshet-answered"));
    this.#wasAnswering = isAnswering;
    if (this.#isDrawScheduled) return;
    this.#isDrawScheduled = true;
    if (document.visibilityState === "visible") requestAnimationFrame(() => this.#draw());
    else setTimeout(() => this.#draw(), HIDDEN_DRAW_MS);
  }

  #draw() {
    this.#isDrawScheduled = false;
    if (!this.#dialogue) return;
    const { conversation, isAnswering, loadState } = this.#dialogue;
    const last = conversation.turns.at(-1)?.answer ?? null;
    this.#log.show({ turns: conversation.turns, isAnswering, loadState, modelName: this.#model.name });
    if (loadState !== "loading") this.#composer.setAnswering(isAnswering, last?.end != null && last.end.finish_reason !== "cancelled");
    if (loadState === "loaded" && conversation.turns.length > 0) this.#showTarget();
    this.#announcer.update(last, this.#log.last);
    if (isAnswering && last?.notice === "new_version") this.#isOutdated = true;
    this.#updateNotice();
    this.#showDocuments();
    this.dispatchEvent(new Event("freshet-change"));
  }

  #showTarget() {
    const { message, tries } = this.#target;
    if (message === "" || this.#log.showMessage(message)) this.#target = { message: "", tries: 0 };
    else if (tries > 0) {
      this.#target = { message, tries: tries - 1 };
      if (tries === 2) void this.#dialogue?.showBranch(message); // it is in another branch
    }
  }

  #updateNotice() {
    this.#notices.update({
      // Warn as soon as an image is added, not only when the question is sent.
      draftNotice: this.#draftNotice || this.#model.objection(this.#composer.images.length),
      isAnswering: this.isAnswering,
      link: isHoldShown(this.turns.at(-1)?.answer) ? "fine" : this.#link,
      isUnsaved: this.turns.at(-1)?.answer.unsaved ?? false,
      reload: this.#isOutdated ? () => (this.#dialogue?.save(), location.reload()) : null,
    });
  }
}

/**
 * `<freshet-chat>`: log, composer and notices in an open shadow root, the same on the page and on
 * other sites. This module defines the class; `define.js` registers it.
 */
import { Announcer } from "../speech/live-region.js";
import { copyText } from "../dom/clipboard.js";
import { h } from "../dom/elements.js";
import { formatChoice } from "../strings/format.js";
import { recallDraft, rememberDraft } from "../conversation/storage.js";
import { isExplained } from "../stream/answer-state.js";
import { words } from "../strings/words.js";
import { sheets } from "../styles/sheets.js";
import { Composer } from "./composer.js";
import { Log } from "./log.js";
import { Notices } from "./notices.js";
import { attend } from "./lifecycle.js";
import { Sight } from "./model-picker.js";
import { wired } from "./create-dialogue.js";

/** @typedef {import("../stream/types.js").Picture} Picture */
/** @typedef {import("../conversation/dialogue.js").Dialogue} Dialogue */

/**
 * @typedef {object} ChatOptions
 * @property {string} base the address to which the server's doors are relative
 * @property {string} model named before the first question
 * @property {readonly string[]} starters questions to begin with; empty: the page's own
 * @property {string | null} wanted the conversation to show; null: the one that this tab showed last
 * @property {import("../conversation/dialogue.js").Shelf} shelf
 * @property {string} byDefault the model that answers where none is wished, as `provider/model`
 * @property {string[]} blind models that can't see images, named like that
 * @property {string[] | null} demo settings that would bring a real model; null where there is one
 */

/** A tab that nobody sees is drawn no more often than this. */
const HIDDEN_MS = 250;

/**
 * A chat. Call `start` once; listen to `freshet-change` (the conversation changed), `freshet-answered` (an answer came
 * to its end, well or not) and `freshet-signed-out` (the server does not know this visitor any more).
 */
export class FreshetChat extends HTMLElement {
  #composer = new Composer({
    send: (question, images) => this.ask(question, images),
    stop: () => this.stop(),
    keep: rememberDraft,
    changed: () => this.#remark(""),
    told: (sentence) => this.#remark(sentence),
    said: (sentence) => this.#announcer.say(sentence),
  });
  #announcer = new Announcer();
  #notices = new Notices((text) => this.#announcer.say(text));
  #foot = h("p", { class: "foot" });
  #log = new Log({
    ask: (question) => void this.ask(question),
    retry: (run) => this.#isFit(this.#imagesOf(run)) && void this.#dialogue?.retry(run),
    goOn: (run) => this.#isFit(this.#imagesOf(run)) && void this.#dialogue?.goOn(run),
    askInstead: (run, question) => this.#askInstead(run, question),
    addressOf: ({ id, data }) => data ?? this.#shelf?.picture(this.conversation, id) ?? "",
    turnTo: (message) => void this.#dialogue?.turnTo(message),
    again: () => this.show(this.conversation),
    leave: () => this.#composer.refocus(),
  });
  /** @type {Dialogue | null} */
  #dialogue = null;
  /** @type {import("../conversation/dialogue.js").Shelf | null} */
  #shelf = null;
  #sight = new Sight({ model: "", byDefault: "", blind: [""] });
  /** What has to be said about what is being written, until that changes. */
  #told = "";
  /** @type {AbortController | null} */
  #listening = null;
  #isDrawing = false;
  #wasAnswering = false;
  /** @type {"fine" | "lost" | "busy"} */
  #link = "fine";
  #isOutdated = false;

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = sheets();
    const afloat = h("div", { class: "afloat" }, this.#notices.element, this.#log.toBottom);
    const dock = h("div", { class: "dock" }, afloat, this.#composer.element, this.#foot);
    root.append(this.#log.element, dock, this.#announcer.element);
  }

  /**
   * Begin, or go on where a reload interrupted.
   * @param {ChatOptions} options
   */
  start({ base, model, byDefault, blind, demo, starters, wanted, shelf }) {
    this.#sight = new Sight({ model, byDefault, blind });
    this.#shelf = shelf;
    this.#log.starters = starters;
    if (demo) this.#foot.textContent = words.demo(formatChoice(demo));
    const listener = {
      changed: () => this.#changed(),
      linked: (/** @type {"fine" | "lost" | "busy"} */ state) => {
        this.#link = state;
        this.#showLink();
      },
      signedOut: () => void this.dispatchEvent(new Event("freshet-signed-out")),
    };
    this.#dialogue = wired(base, { shelf, listener });
    this.#dialogue.begin(wanted);
    this.#composer.restore(recallDraft());
    this.#composer.refocus();
  }

  /**
   * How the next questions are to be answered.
   * @param {import("../stream/types.js").Wishes} wishes
   */
  set wishes(wishes) {
    if ((wishes.model ?? "") !== this.#sight.wished) this.#told = "";
    this.#sight.wished = wishes.model ?? "";
    if (this.#dialogue) this.#dialogue.wishes = wishes;
    this.#changed();
  }

  /** @param {import("../speech/speech.js").Mode} mode how much a screen reader is told */
  set speech(mode) {
    this.#announcer.mode = mode;
  }

  /** Whether the server has another version of the page. It is said when no answer is being made. */
  set isOutdated(/** @type {boolean} */ isOutdated) {
    this.#isOutdated = isOutdated;
    this.#showLink();
  }

  /** The conversation so far, oldest turn first. */
  get turns() {
    return this.#dialogue?.conversation.turns ?? [];
  }

  /** The id of the conversation; empty before the first question of a new one. */
  get conversation() {
    return this.#dialogue?.conversation.id ?? "";
  }

  /** Whether an answer is being made. */
  get isAnswering() {
    return this.#dialogue?.isAnswering ?? false;
  }

  /**
   * Ask a question, unless an answer is being made or the model can't see its images; that is said then.
   * @param {string} question
   * @param {readonly Picture[]} [images]
   * @returns {boolean} whether it was asked
   */
  ask(question, images = []) {
    if (this.isAnswering || !this.#dialogue || !this.#isFit(images)) return false;
    this.#told = "";
    this.#dialogue.ask(question, images);
    this.#draw();
    this.#log.jump();
    this.#composer.refocus();
    return true;
  }

  /** @param {readonly File[]} files to go with the next question, where they are images */
  take(files) {
    void this.#composer.take(files);
  }

  /** @param {boolean} isOver whether to show that files may be let go */
  invite(isOver) {
    this.#composer.invite(isOver);
  }

  /** Stop the answer that is being made, and what is told of one. */
  stop() {
    this.#announcer.hush();
    this.#dialogue?.stop();
  }

  /** Show as failed the answer that waits for somebody to sign in: that is no way on. */
  giveUp() {
    this.#dialogue?.giveUp();
  }

  /** Put the caret into the field. */
  write() {
    this.#composer.focus();
  }

  /**
   * Stand on the next message, or the one before.
   * @param {1 | -1} by
   */
  step(by) {
    this.#log.step(by);
  }

  /** Copy the last answer as it was written, where there is one. */
  async copyLast() {
    const text = [...this.turns].reverse().find(({ answer }) => answer.text !== "")?.answer.text;
    if (text === undefined) return;
    this.#announcer.say((await copyText(text)) ? words.said.copied : words.notDone);
  }

  /**
   * Show another conversation.
   * @param {string} id empty: a new one
   */
  show(id) {
    this.#told = "";
    this.#dialogue?.show(id);
    this.#draw();
    this.#log.jump();
    this.#composer.refocus();
  }

  connectedCallback() {
    this.#listening = new AbortController();
    const chat = {
      woken: (/** @type {boolean} */ distrust) => this.#dialogue?.wake(distrust),
      linked: () => this.#showLink(),
      left: () => this.#dialogue?.save(),
      hidden: () => void (this.#isDrawing && this.#draw()), // the picture that was waited for may never come
      stopped: () => this.stop(),
    };
    attend(chat, this.#listening.signal);
  }

  disconnectedCallback() {
    this.#listening?.abort();
  }

  /**
   * @param {string} run
   * @param {string} question
   */
  #askInstead(run, question) {
    if (!this.#isFit(this.#imagesOf(run))) return false;
    void this.#dialogue?.askInstead(run, question);
    return true;
  }

  /** @param {string} run */
  #imagesOf(run) {
    return this.turns.find(({ answer }) => answer.run === run)?.images ?? [];
  }

  /**
   * Tell whether a question with these images may be asked now; say why not.
   * @param {readonly Picture[]} images
   */
  #isFit({ length }) {
    const objection = this.#sight.objection(length);
    if (objection) this.#remark(objection);
    return objection === "";
  }

  /** @param {string} sentence */
  #remark(sentence) {
    this.#told = sentence;
    this.#showLink();
  }

  /** Draw with the browser's next picture, however many frames come until then; a hidden tab has no pictures. */
  #changed() {
    const { isAnswering } = this;
    if (this.#wasAnswering && !isAnswering) this.dispatchEvent(new Event("freshet-answered"));
    this.#wasAnswering = isAnswering;
    if (this.#isDrawing) return;
    this.#isDrawing = true;
    if (document.visibilityState === "visible") requestAnimationFrame(() => this.#draw());
    else setTimeout(() => this.#draw(), HIDDEN_MS);
  }

  #draw() {
    this.#isDrawing = false;
    if (!this.#dialogue) return;
    const { conversation, isAnswering, standing } = this.#dialogue;
    const last = conversation.turns.at(-1)?.answer ?? null;
    this.#log.show({ turns: conversation.turns, isAnswering, standing, model: this.#sight.named });
    this.#composer.turn(isAnswering, last?.end != null && last.end.finish_reason !== "cancelled");
    this.#announcer.notice(last, this.#log.last);
    if (isAnswering && last?.notice === "new_version") this.#isOutdated = true;
    this.#showLink();
    this.dispatchEvent(new Event("freshet-change"));
  }

  #showLink() {
    this.#notices.tell({
      // Who adds an image to a question learns at once that nobody would see it.
      remark: this.#told || this.#sight.objection(this.#composer.images.length),
      isAnswering: this.isAnswering,
      link: isExplained(this.turns.at(-1)?.answer) ? "fine" : this.#link,
      isUnsaved: this.turns.at(-1)?.answer.unsaved ?? false,
      reload: this.#isOutdated ? () => (this.#dialogue?.save(), location.reload()) : null,
    });
  }
}

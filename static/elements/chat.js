/**
 * `<freshet-chat>`: log, composer and notices in an open shadow root, the same on the page and on
 * other sites. This module defines the class; `define.js` registers it.
 */
import { Announcer } from "../announce.js";
import { clock, newRun } from "../clock.js";
import { Dialogue } from "../dialogue.js";
import { h } from "../dom.js";
import { formatChoice } from "../format.js";
import { recall, recallDraft, remember, rememberDraft } from "../memory.js";
import { stopRun } from "../stop.js";
import { words } from "../strings/words.js";
import { sheets } from "../styles/sheets.js";
import { overSse } from "../transport-sse.js";
import { overSocket } from "../transport-ws.js";
import { Composer } from "./composer.js";
import { Pictures, live } from "./life.js";
import { Log } from "./log.js";
import { Notices } from "./notices.js";
import { Sight } from "./sight.js";

/** @typedef {import("../seams.js").Picture} Picture */

/** @typedef {import("./options.js").ChatOptions} ChatOptions */

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
  /** @type {import("../dialogue.js").Shelf | null} */
  #shelf = null;
  #sight = new Sight();
  /** What has to be said about what is being written, until that changes. */
  #told = "";
  /** @type {AbortController | null} */
  #listening = null;
  #pictures = new Pictures(() => this.#draw());
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
    this.#sight.models = { model, byDefault, blind };
    this.#shelf = shelf;
    this.#log.starters = starters;
    if (demo) this.#foot.textContent = words.demo(formatChoice(demo));
    this.#dialogue = new Dialogue({
      transports: [overSse(base), overSocket(base)],
      clock,
      newRun,
      stopRun: (run) => stopRun(base, run),
      remember,
      recall,
      shelf,
      listener: {
        changed: () => this.#changed(),
        linked: (state) => {
          this.#link = state;
          this.#showLink();
        },
        signedOut: () => this.dispatchEvent(new Event("freshet-signed-out")),
      },
    });
    this.#dialogue.begin(wanted);
    this.#composer.restore(recallDraft());
    this.#composer.refocus();
  }

  /**
   * How the next questions are to be answered.
   * @param {import("../seams.js").Wishes} wishes
   */
  set wishes(wishes) {
    if ((wishes.model ?? "") !== this.#sight.wished) this.#told = "";
    this.#sight.wished = wishes.model ?? "";
    if (this.#dialogue) this.#dialogue.wishes = wishes;
    this.#changed();
  }

  /** @param {import("../speech.js").Mode} mode how much a screen reader is told */
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

  /**
   * Let files go with the next question, where they are images.
   * @param {readonly File[]} files
   */
  take(files) {
    void this.#composer.take(files);
  }

  /**
   * Show that files may be let go.
   * @param {boolean} isOver
   */
  invite(isOver) {
    this.#composer.invite(isOver);
  }

  /** Stop the answer that is being made, and what is told of one. */
  stop() {
    this.#announcer.hush();
    this.#dialogue?.stop();
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

  /**
   * Tell those who don't see the page.
   * @param {string} sentence
   */
  say(sentence) {
    this.#announcer.say(sentence);
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
    const life = {
      wake: (/** @type {boolean} */ isSure) => this.#dialogue?.wake(isSure),
      linked: () => this.#showLink(),
      leave: () => this.#dialogue?.save(),
      hide: () => this.#pictures.take(),
      stop: () => this.stop(),
    };
    live(life, this.#listening.signal);
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
  #isFit(images) {
    const refusal = this.#sight.refusal(images);
    if (refusal) this.#remark(refusal);
    return refusal === "";
  }

  /** @param {string} sentence */
  #remark(sentence) {
    this.#told = sentence;
    this.#showLink();
  }

  #changed() {
    const { isAnswering } = this;
    if (this.#wasAnswering && !isAnswering) this.dispatchEvent(new Event("freshet-answered"));
    this.#wasAnswering = isAnswering;
    this.#pictures.ask();
  }

  #draw() {
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

  #reload() {
    this.#dialogue?.save();
    location.reload();
  }

  #showLink() {
    const { isAnswering } = this;
    const last = this.turns.at(-1)?.answer;
    // Who adds an image to a question learns at once that nobody would see it.
    const remark = this.#told || this.#sight.refusal(this.#composer.images);
    if (remark) this.#notices.show(remark, { at_once: true });
    else if (isAnswering && !navigator.onLine) this.#notices.show(words.offline, { at_once: true });
    else if (isAnswering && this.#link !== "fine") this.#notices.show(words[this.#link]);
    else if (last?.unsaved) this.#notices.show(words.notices.not_saved ?? null);
    else if (this.#isOutdated && !isAnswering) this.#notices.show(words.notices.new_version ?? null, { press: { name: words.reload, act: () => this.#reload() } });
    else this.#notices.show(null);
  }
}

/**
 * `<freshet-chat>`: log, composer and notices in an open shadow root, the same on the page and on
 * other sites. This module defines the class; `define.js` registers it.
 */
import { Announcer } from "../announce.js";
import { clock, newRun } from "../clock.js";
import { copyText } from "../copy.js";
import { Dialogue } from "../dialogue.js";
import { h } from "../dom.js";
import { recall, recallDraft, remember, rememberDraft } from "../memory.js";
import { stopRun } from "../stop.js";
import { words } from "../strings/words.js";
import { sheets } from "../styles/sheets.js";
import { overSse } from "../transport-sse.js";
import { overSocket } from "../transport-ws.js";
import { Composer } from "./composer.js";
import { Log } from "./log.js";
import { Notices } from "./notices.js";

/**
 * @typedef {object} ChatOptions
 * @property {string} base the address to which the server's doors are relative
 * @property {string} model named before the first question
 * @property {readonly string[]} starters questions to begin with; empty: the page's own
 * @property {string | null} wanted the conversation to show; null: the one that this tab showed last
 * @property {import("../dialogue.js").Shelf} shelf
 * @property {string[] | null} demo settings that would bring a real model; null where there is one
 */

/** A tab that nobody sees is drawn no more often than this. */
const HIDDEN_MS = 250;

/**
 * A chat. Call `start` once; listen to `freshet-change` (the conversation changed), `freshet-answered` (an answer came
 * to its end, well or not) and `freshet-signed-out` (the server does not know this visitor any more).
 */
export class FreshetChat extends HTMLElement {
  #composer = new Composer({ send: (question) => this.ask(question), stop: () => this.stop(), keep: rememberDraft });
  #announcer = new Announcer();
  #notices = new Notices((text) => this.#announcer.say(text));
  #foot = h("p", { class: "foot" });
  #log = new Log({
    ask: (question) => this.ask(question),
    retry: (run) => void this.#dialogue?.retry(run),
    goOn: (run) => void this.#dialogue?.goOn(run),
    askInstead: (run, question) => void this.#dialogue?.askInstead(run, question),
    turnTo: (message) => void this.#dialogue?.turnTo(message),
    again: () => this.show(this.conversation),
    leave: () => this.#composer.refocus(),
  });
  /** @type {Dialogue | null} */
  #dialogue = null;
  #model = "";
  #wished = "";
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
  start({ base, model, demo, starters, wanted, shelf }) {
    this.#model = model;
    this.#log.starters = starters;
    if (demo) this.#foot.textContent = words.demo(listed(demo));
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
    this.#wished = wishes.model ?? "";
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
   * Ask a question, unless an answer is being made.
   * @param {string} question
   */
  ask(question) {
    this.#dialogue?.ask(question);
    this.#draw();
    this.#log.jump();
    this.#composer.refocus();
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
    this.#dialogue?.show(id);
    this.#draw();
    this.#log.jump();
    this.#composer.refocus();
  }

  connectedCallback() {
    this.#listening = new AbortController();
    const { signal } = this.#listening;
    const wake = (/** @type {boolean} */ distrust) => this.#dialogue?.wake(distrust);
    addEventListener("online", () => (this.#showLink(), wake(true)), { signal });
    addEventListener("offline", () => this.#showLink(), { signal });
    addEventListener("pageshow", (event) => event.persisted && wake(true), { signal });
    addEventListener("pagehide", () => this.#dialogue?.save(), { signal });
    document.addEventListener(
      "visibilitychange",
      () => {
        if (document.visibilityState === "visible") return wake(false);
        this.#dialogue?.save();
        if (this.#isDrawing) this.#draw(); // the picture that was waited for may never come
      },
      { signal },
    );
    document.addEventListener("keydown", (event) => event.key === "Escape" && !event.isComposing && !isInDialog(event) && this.stop(), { signal });
  }

  disconnectedCallback() {
    this.#listening?.abort();
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
    const model = this.#wished.slice(this.#wished.indexOf("/") + 1) || this.#model;
    this.#log.show({ turns: conversation.turns, isAnswering, standing, model });
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
    if (isAnswering && !navigator.onLine) this.#notices.show(words.offline, { at_once: true });
    else if (isAnswering && this.#link !== "fine") this.#notices.show(words[this.#link]);
    else if (last?.unsaved) this.#notices.show(words.notices.not_saved ?? null);
    else if (this.#isOutdated && !isAnswering) this.#notices.show(words.notices.new_version ?? null, { press: { name: words.reload, act: () => this.#reload() } });
    else this.#notices.show(null);
  }
}

/**
 * Tell whether a key is pressed in an open dialog: there it means something else.
 * @param {Event} event
 */
function isInDialog(event) {
  return event.composedPath().some((element) => element instanceof HTMLDialogElement && element.open);
}

/** @param {string[]} names */
function listed(names) {
  if (names.length < 2) return names.join("");
  return `${names.slice(0, -1).join(", ")} ${words.or} ${names.at(-1)}`;
}

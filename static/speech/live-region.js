/**
 * `speech/`: What screen readers announce while an answer streams, and the text that they read aloud. What is
 * visible is drawn elsewhere.
 */
/** A polite live region: announces to screen readers that a question was sent, the answer's text, and its end. */
import { h } from "../dom/elements.js";
import { formatQuantity } from "../strings/format.js";
import { countWords } from "./sentences.js";
import { SpeechQueue } from "./speech.js";
import { START, endPosition, readSentences, textOf } from "./spoken-text.js";
import { isOver } from "../stream/answer-state.js";
import { language, words } from "../strings/words.js";

/** @typedef {import("../stream/answer-state.js").Answer} Answer */
/** @typedef {{element: Element, chars: number, isWhole: boolean}} RenderedAnswer `chars`: how many are rendered; `isWhole`: the answer is over and rendered to its end */

/** The rendered answer is read at most this often. */
const READ_INTERVAL_MS = 250;
/** Words are counted up to here; for longer answers their number is extrapolated. */
const COUNTED_CHARS = 20_000;
/** Appended to repeat a text: a live region does not announce a text that stays the same. */
const REPEAT_MARK = "\u00a0";

/** Announces one answer after the other. */
export class Announcer {
  element = h("p", { class: "visually-hidden", "aria-live": "polite", role: "status" });
  #queue = new SpeechQueue();
  /** @type {string | null} */
  #run = null;
  /** Whether everything about this run is announced or queued. */
  #isDone = true;
  #position = START;
  /** Length of the text that was announced before this answer was continued or reloaded. */
  #skipChars = 0;
  #nextRead_ms = 0;
  #isSilenced = false;
  /** The announced code of the reason why the answer can't start yet. @type {string | undefined} */
  #announcedHold = undefined;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer = undefined;

  /** @param {import("./speech.js").Mode} mode how much is announced */
  set mode(mode) {
    this.#queue.mode = mode;
  }

  /**
   * Announce what is new in the last answer. Calls itself again while something is left.
   * @param {Answer | null} answer
   * @param {RenderedAnswer | null} rendered
   */
  update(answer, rendered) {
    if (answer?.run !== this.#run) this.#startAnswer(answer);
    if (answer && rendered && !this.#isDone) this.#read(answer, rendered);
    this.#speak(() => this.update(answer, rendered));
  }

  /** Announce nothing more about this answer except how it ends. */
  silence() {
    this.#isSilenced = true;
    this.#queue.clear();
    clearTimeout(this.#timer);
  }

  /**
   * Announce a sentence now.
   * @param {string} text
   */
  say(text) {
    if (this.#queue.mode === "off") return;
    this.element.textContent = this.element.textContent === text ? text + REPEAT_MARK : text;
  }

  /** @param {Answer | null} answer */
  #startAnswer(answer) {
    this.#run = answer?.run ?? null;
    this.#isDone = answer === null || isOver(answer);
    this.#position = START;
    // Existing text was announced before: the answer is continued, or the page was reloaded.
    this.#skipChars = answer?.text.length ?? 0;
    this.#isSilenced = false;
    this.#announcedHold = undefined;
    this.#nextRead_ms = 0;
    this.#queue.clear();
    if (!this.#isDone) this.say(words.announcements.sent);
  }

  /**
   * @param {Answer} answer
   * @param {RenderedAnswer} rendered
   */
  #read(answer, { element, chars, isWhole }) {
    const queue = this.#queue;
    if (answer.held && answer.held.code !== this.#announcedHold) void this.#announceHold(answer.held);
    this.#announcedHold = answer.held?.code;
    if (answer.status === "failed" || answer.end?.finish_reason === "cancelled") {
      this.#isDone = true;
      queue.clear();
      return void this.#announceEnd(answer);
    }
    if (this.#skipChars > 0) {
      if (chars < Math.min(this.#skipChars, answer.text.length)) return; // the old text is still being rendered
      this.#position = endPosition(element);
      this.#skipChars = 0;
    }
    const isLast = isOver(answer) && isWhole;
    const now_ms = Date.now();
    if (this.#isSilenced) {
      this.#isDone = isLast;
      return;
    }
    if (queue.mode !== "sentences") this.#isDone = isLast;
    else if (queue.isReadyForMore(now_ms) && (isLast || now_ms >= this.#nextRead_ms)) {
      const { sentences, position, isAll } = readSentences(element, this.#position, isLast);
      this.#nextRead_ms = now_ms + READ_INTERVAL_MS;
      this.#position = position;
      this.#isDone = isAll;
      queue.add(sentences);
    }
    if (!this.#isDone) return;
    const count = countWords(textOf(element, COUNTED_CHARS), language, answer.text.length > COUNTED_CHARS ? answer.text.length : 0);
    queue.end(words.announcements.complete(formatQuantity(words.counts.words, count)));
  }

  /** @param {Answer} answer that failed or was stopped */
  async #announceEnd({ failure }) {
    if (!failure) return this.say(words.announcements.stopped);
    const known = words.failures[failure.code]?.title;
    const title = known ?? (await import("../strings/failure-text.js").catch(() => null))?.getFailureTitle(failure) ?? failure.error;
    this.say(`${words.announcements.failed} ${title}`);
  }

  /** @param {NonNullable<Answer["held"]>} held */
  async #announceHold(held) {
    const loaded = await import("../strings/failure-text.js").catch(() => null);
    const reason = loaded?.getWaitReason(held, Date.now());
    if (reason) this.say(reason);
  }

  /** @param {() => void} next called when more may be announced */
  #speak(next) {
    clearTimeout(this.#timer);
    const now_ms = Date.now();
    const text = this.#queue.take(now_ms);
    if (text !== null) this.say(text);
    if (!this.#isDone || this.#queue.isPending) this.#timer = setTimeout(next, Math.max(READ_INTERVAL_MS, this.#queue.delay(now_ms)));
  }
}

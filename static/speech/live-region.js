/**
 * `speech/`: What screen readers announce while an answer streams, and how its text is read aloud. What is
 * visible is drawn elsewhere.
 */
/** One polite live region: it tells a screen reader of questions sent, of what the answer says, and of how it ended. */
import { h } from "../dom/elements.js";
import { counted } from "../strings/format.js";
import { countWords } from "./sentences.js";
import { Speech } from "./speech.js";
import { START, endOf, read, textOf } from "./spoken-text.js";
import { isOver } from "../stream/answer-state.js";
import { language, words } from "../strings/words.js";

/** @typedef {import("../stream/answer-state.js").Answer} Answer */
/** @typedef {{element: Element, chars: number, isWhole: boolean}} Shown what shows an answer, how much of its text by now, and whether that is all and over */

/** What is shown is looked at no more often than this. */
const LOOK_MS = 250;
/** So much of an answer is counted; of a longer one the number of words is about right. */
const COUNTED_CHARS = 20_000;
/** Without a mark at its end a text that is said twice would be told once. */
const TWICE = "\u00a0";

/** Tells of one answer after the other. */
export class Announcer {
  element = h("p", { class: "unseen", "aria-live": "polite", role: "status" });
  #speech = new Speech();
  /** @type {string | null} */
  #run = null;
  /** Whether nothing more is to be told of this run. */
  #isTold = true;
  #place = START;
  /** So much of its text was there before: it is not told. */
  #before = 0;
  #lookAt_ms = 0;
  #isHushed = false;
  /** @type {string | undefined} why it could not begin when that was last told */
  #held = undefined;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer = undefined;

  /** @param {import("./speech.js").Mode} mode how much is told */
  set mode(mode) {
    this.#speech.mode = mode;
  }

  /**
   * Look at the last answer; say what is to be said of it now.
   * @param {Answer | null} answer
   * @param {Shown | null} shown
   */
  notice(answer, shown) {
    if (answer?.run !== this.#run) this.#begin(answer);
    if (answer && shown && !this.#isTold) this.#look(answer, shown);
    this.#speak(() => this.notice(answer, shown));
  }

  /** Say nothing more of this answer but how it ends. */
  hush() {
    this.#isHushed = true;
    this.#speech.clear();
    clearTimeout(this.#timer);
  }

  /**
   * Say something else that matters now.
   * @param {string} text
   */
  say(text) {
    if (this.#speech.mode === "off") return;
    this.element.textContent = this.element.textContent === text ? text + TWICE : text;
  }

  /** @param {Answer | null} answer */
  #begin(answer) {
    this.#run = answer?.run ?? null;
    this.#isTold = answer === null || isOver(answer);
    this.#place = START;
    // What stands there already was told before: the answer is continued, or the page was loaded again.
    this.#before = answer?.text.length ?? 0;
    this.#isHushed = false;
    this.#held = undefined;
    this.#lookAt_ms = 0;
    this.#speech.clear();
    if (!this.#isTold) this.say(words.said.asked);
  }

  /**
   * @param {Answer} answer
   * @param {Shown} shown
   */
  #look(answer, { element, chars, isWhole }) {
    const speech = this.#speech;
    if (answer.held && answer.held.code !== this.#held) void this.#hold(answer.held);
    this.#held = answer.held?.code;
    if (answer.status === "failed" || answer.end?.finish_reason === "cancelled") {
      this.#isTold = true;
      speech.clear();
      return void this.#end(answer);
    }
    if (this.#before > 0) {
      if (chars < Math.min(this.#before, answer.text.length)) return; // it is still being drawn
      this.#place = endOf(element);
      this.#before = 0;
    }
    const isLast = isOver(answer) && isWhole;
    const now_ms = Date.now();
    if (this.#isHushed) {
      this.#isTold = isLast;
      return;
    }
    if (speech.mode !== "sentences") this.#isTold = isLast;
    else if (speech.wants(now_ms) && (isLast || now_ms >= this.#lookAt_ms)) {
      const { sentences, place, isAll } = read(element, this.#place, isLast);
      this.#lookAt_ms = now_ms + LOOK_MS;
      this.#place = place;
      this.#isTold = isAll;
      speech.add(sentences);
    }
    if (!this.#isTold) return;
    const count = countWords(textOf(element, COUNTED_CHARS), language, answer.text.length > COUNTED_CHARS ? answer.text.length : 0);
    speech.end(words.said.complete(counted(words.counts.words, count)));
  }

  /** @param {Answer} answer that failed or was stopped */
  async #end({ failure }) {
    if (!failure) return this.say(words.said.stopped);
    const known = words.troubles[failure.code]?.title;
    const title = known ?? (await import("../strings/failure-text.js").catch(() => null))?.titleOf(failure) ?? failure.error;
    this.say(`${words.said.failed} ${title}`);
  }

  /** @param {NonNullable<Answer["held"]>} held */
  async #hold(held) {
    const loaded = await import("../strings/failure-text.js").catch(() => null);
    const reason = loaded?.reasonOf(held, Date.now());
    if (reason) this.say(reason);
  }

  /** @param {() => void} again */
  #speak(again) {
    clearTimeout(this.#timer);
    const now_ms = Date.now();
    const text = this.#speech.take(now_ms);
    if (text !== null) this.say(text);
    if (!this.#isTold || this.#speech.isWaiting) this.#timer = setTimeout(again, Math.max(LOOK_MS, this.#speech.wait(now_ms)));
  }
}

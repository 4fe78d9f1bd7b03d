/** How an answer failed, where it would stand: what happened, and what to do. It is loaded when one fails. */
import { ICONS, h, icon, setText } from "../dom/elements.js";
import { adviceOf, titleOf } from "../strings/failure-text.js";
import { words } from "../strings/words.js";

/** @typedef {import("../stream/frames.js").Failure} Failure */
/** @typedef {import("../stream/answer-state.js").Answer} Answer */

const COUNT_DOWN_MS = 1_000;

/** Shows the failure of one answer. */
export class Problem {
  #title = h("p", { class: "title" });
  #advice = h("p", { class: "advice" });
  #words = h("div", { class: "words" }, this.#title, this.#advice);
  #place;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #ticking = undefined;

  /** @param {HTMLElement} place */
  constructor(place) {
    this.#place = place;
    place.append(icon(ICONS.trouble), this.#words);
  }

  /**
   * Show a failure.
   * @param {Failure} failure
   * @param {Answer} answer
   * @param {HTMLElement} choices what may be done about it
   */
  show(failure, answer, choices) {
    setText(this.#title, titleOf(failure));
    this.#words.append(choices);
    this.#place.className = answer.text === "" ? "problem" : "problem after";
    this.#place.hidden = false;
    clearInterval(this.#ticking);
    const count = () => {
      if (!this.#advise(failure, answer) || !this.#place.isConnected) clearInterval(this.#ticking);
    };
    if (this.#advise(failure, answer)) this.#ticking = setInterval(count, COUNT_DOWN_MS);
  }

  /**
   * @param {Failure} failure
   * @param {Answer} answer
   * @returns {boolean} whether there is something left to wait for
   */
  #advise(failure, { text, ended_ms }) {
    const { retry_after } = failure;
    const left_ms = retry_after && ended_ms !== null ? ended_ms + retry_after * 1000 - Date.now() : 0;
    const advice = adviceOf(failure, left_ms);
    setText(this.#advice, text === "" ? advice : `${words.partial} ${advice}`);
    return left_ms > 0;
  }
}

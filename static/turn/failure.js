/** The notice in place of an answer that failed: what happened, and what to do. Loaded with the first failure. */
import { ICONS, h, icon, setText } from "../dom/elements.js";
import { getFailureAdvice, getFailureTitle, needsOtherModel } from "../strings/failure-text.js";
import { getRefusalWords } from "../strings/failures.js";
import { isPartSaved } from "../stream/answer-state.js";
import { words } from "../strings/words.js";

/** @typedef {import("../stream/frames.js").Failure} Failure */
/** @typedef {import("../stream/answer-state.js").Answer} Answer */

const COUNT_DOWN_MS = 1_000;

/** The failure of one answer. */
export class FailureNotice {
  #title = h("p", { class: "title" });
  #advice = h("p", { class: "advice" });
  #body = h("div", { class: "words" }, this.#title, this.#advice);
  #place;
  #actions;
  /** The next step where the model has to be another. */
  #choose = h("button", { type: "button", class: "retry", hidden: true }, icon(ICONS.below), getRefusalWords().chooseModel);
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #ticker = undefined;

  /**
   * @param {HTMLElement} place
   * @param {Pick<import("./turn.js").TurnActions, "modelChooser" | "providerAddress">} actions
   */
  constructor(place, actions) {
    this.#place = place;
    this.#actions = actions;
    place.append(icon(ICONS.trouble), this.#body);
  }

  /**
   * Show a failure.
   * @param {Failure} failure
   * @param {Answer} answer
   * @param {{choices: HTMLElement, retry: HTMLElement}} buttons `choices` has them, Retry included
   */
  show(failure, answer, { choices, retry }) {
    setText(this.#title, getFailureTitle(failure, answer));
    this.#body.append(choices);
    const choose = needsOtherModel(failure) ? this.#actions.modelChooser() : null;
    choices.prepend(this.#choose);
    this.#choose.hidden = choose === null || retry.hidden;
    retry.hidden ||= choose !== null;
    this.#choose.onclick = () => {
      retry.hidden = false;
      choose?.();
    };
    this.#place.className = answer.text === "" ? "problem" : "problem after";
    this.#place.hidden = false;
    clearInterval(this.#ticker);
    const countDown = () => {
      if (!this.#updateAdvice(failure, answer) || !this.#place.isConnected) clearInterval(this.#ticker);
    };
    if (this.#updateAdvice(failure, answer)) this.#ticker = setInterval(countDown, COUNT_DOWN_MS);
  }

  /**
   * @param {Failure} failure
   * @param {Answer} answer
   * @returns {boolean} whether the wait for a retry goes on
   */
  #updateAdvice(failure, answer) {
    const { ended_ms } = answer;
    const { retry_after } = failure;
    const left_ms = retry_after && ended_ms !== null ? ended_ms + retry_after * 1000 - Date.now() : 0;
    const address = this.#actions.providerAddress(failure.provider ?? answer.provider);
    const advice = getFailureAdvice(failure, left_ms, address);
    setText(this.#advice, isPartSaved(answer) ? `${words.partialSaved} ${advice}` : advice);
    return left_ms > 0;
  }
}

/** One polite live region: what a screen reader is told, and when. Never frame by frame. */
import { h } from "./dom.js";
import { words } from "./strings/words.js";
import { isOver } from "./state.js";

/** @typedef {import("./state.js").Answer} Answer */

/** An answer up to this long is read out whole at its end; a longer one is only announced. */
const READ_CHARS = 700;

/** Tells of questions sent, answers ended, and of what passes by itself. */
export class Announcer {
  element = h("p", { class: "unseen", "aria-live": "polite", role: "status" });
  /** @type {string | null} the run whose end was told, or which was over when it was first seen */
  #told = null;
  /** @type {string | null} */
  #run = null;

  /**
   * Look at the last answer; speak if its state changed.
   * @param {Answer | null} answer
   */
  notice(answer) {
    if (answer === null || answer.run === this.#told) return;
    if (answer.run !== this.#run) {
      this.#run = answer.run;
      if (isOver(answer)) this.#told = answer.run;
      else this.say(words.said.asked);
      return;
    }
    if (!isOver(answer)) return;
    this.#told = answer.run;
    this.say(sentence(answer));
  }

  /**
   * Say something else that matters now.
   * @param {string} text
   */
  say(text) {
    this.element.textContent = text;
  }
}

/** @param {Answer} answer */
function sentence({ status, end, failure, text }) {
  if (status === "failed") return `${words.said.failed} ${words.troubles[failure?.code ?? ""]?.title ?? failure?.error ?? ""}`;
  if (end?.finish_reason === "cancelled") return words.said.stopped;
  return text.length <= READ_CHARS ? `${words.said.finished} ${text}` : words.said.finished;
}

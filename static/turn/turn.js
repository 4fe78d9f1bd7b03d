/**
 * One turn on the page: the question, the thinking, the answer, how it ended. State is written on
 * small elements beside the text, never on what contains it: that would restyle all of a long answer.
 */
import { copyText } from "../dom/clipboard.js";
import { ICONS, h, icon, setText } from "../dom/elements.js";
import { Flow } from "./plain-text.js";
import { formatCost, formatCount, formatDuration, guessTokens, rate } from "../strings/format.js";
import { Prose } from "./answer.js";
import { Question } from "./question.js";
import { isOver } from "../stream/answer-state.js";
import { words } from "../strings/words.js";
import { Switch, small } from "./actions.js";

/** @typedef {import("../conversation/conversation.js").Turn} Turn */
/** @typedef {import("../stream/frames.js").Done} Done */
/** @typedef {import("../stream/answer-state.js").Answer} Answer */

/**
 * @typedef {object} TurnActions each names the run of the answer that it is about
 * @property {(run: string) => void} retry answer the question once more
 * @property {(run: string) => void} goOn
 * @property {(run: string, question: string) => boolean} askInstead false: that may not be
 * @property {(picture: import("../stream/types.js").Picture) => string} addressOf
 * @property {(message: string) => void} turnTo show the branch that a message is on
 */

/** How long a button says that it has done its work. */
const SAID_MS = 2_000;
/** The live figures change at most this often, and at least this often. */
const RATE_EVERY_MS = 500;
const TICK_MS = 1_000;
/** Thinking that is over sooner is not worth a number. */
const THOUGHT_FROM_MS = 1_000;

/** Shows one turn and keeps it current. */
export class TurnView {
  element;
  #answer = new Prose("flow");
  #thought = new Flow("flow");
  #thinkingName = h("summary", {}, words.thinking);
  #thinking = h("details", { class: "thinking", hidden: true }, this.#thinkingName, this.#thought.element);
  #waitingText = h("span", { class: "waiting-text" });
  #waiting = h("p", { class: "waiting" }, h("span", { class: "pulse" }), this.#waitingText);
  #problem = h("div", { class: "problem", hidden: true });
  /** @type {import("./failure.js").Problem | null} */
  #failing = null;
  #sources = h("div", { class: "sources", hidden: true });
  /** Those that the notes are of. @type {Answer["sources"]} */
  #noted = [];
  #ending = h("p", { class: "ending", hidden: true });
  #meta = h("p", { class: "meta" });
  /** @type {Turn | null} */
  #turn = null;
  /** @type {{isAnswering: boolean, isLast: boolean} | null} */
  #place = null;
  /** @type {Answer | null} */
  #shown = null;
  #rateAt_ms = 0;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #ticking = undefined;
  #actions;
  run;
  #question;
  #again = small(ICONS.again, words.regenerate, () => this.#actions.retry(this.run));
  #retry = h("button", { type: "button", class: "retry", hidden: true }, icon(ICONS.again), words.retry);
  #onward = h("button", { type: "button", class: "retry" }, icon(ICONS.next), words.goOn);
  #copy = small(ICONS.copy, words.copyMarkdown, () => void this.#take());
  /** What may be done about an answer that is not whole. */
  #choices = h("div", { class: "choices" }, this.#retry, this.#onward);
  #switch;
  #deeds;

  /**
   * @param {Turn} turn
   * @param {TurnActions} actions
   */
  constructor({ question, images, answer }, actions) {
    this.#actions = actions;
    this.run = answer.run;
    const askInstead = (/** @type {string} */ text) => actions.askInstead(this.run, text);
    this.#question = new Question(question, images, { asked: askInstead, turnTo: actions.turnTo, addressOf: actions.addressOf });
    this.#switch = new Switch(words.answerVersions, actions.turnTo);
    this.#deeds = h("div", { class: "deeds" }, this.#switch.element, this.#copy, this.#again);
    this.#retry.addEventListener("click", () => this.#actions.retry(this.run));
    this.#onward.addEventListener("click", () => actions.goOn(this.run));
    const message = { class: "message", tabindex: "-1" };
    const asked = h("article", { ...message, hidden: question === "" && images.length === 0 }, h("h2", { class: "unseen" }, words.question), this.#question.element);
    const answered = h(
      "article",
      message,
      h("h2", { class: "unseen" }, words.answer),
      h("div", { class: "answer" }, this.#thinking, this.#answer.element, this.#waiting, this.#problem),
      this.#sources,
      this.#ending,
      this.#choices,
      h("div", { class: "tail" }, this.#meta, this.#deeds),
    );
    this.element = h("div", { class: "turn" }, asked, answered);
  }

  /** What shows the answer. */
  get shown() {
    return this.#answer;
  }

  /**
   * Show the turn as it is now.
   * @param {Turn} turn
   * @param {{isAnswering: boolean, isLast: boolean}} place whether an answer is being made, and whether turns follow
   */
  update(turn, { isAnswering, isLast }) {
    const known = this.#place;
    if (turn === this.#turn && isAnswering === known?.isAnswering && isLast === known.isLast) return;
    const { answer, questions, answers } = turn;
    this.#turn = turn;
    this.#place = { isAnswering, isLast };
    this.#question.show(questions, !isAnswering);
    this.#switch.show(answers, !isAnswering);
    this.#deeds.hidden = !isOver(answer);
    this.#copy.hidden = answer.text === "";
    this.#again.hidden = isLast && answer.failure !== null; // there is a larger one
    this.#again.disabled = isAnswering;
    if (answer !== this.#shown) this.#draw(answer);
    this.#onward.hidden = !isLast || isAnswering || !isUnfinished(answer);
    this.#retry.hidden = !isLast || answer.failure === null;
  }

  /**
   * Tell which way to other versions something is part of.
   * @param {Element | null} element
   * @returns {"question" | "answer" | null}
   */
  wayOf(element) {
    if (this.#question.switch.element.contains(element)) return "question";
    return this.#switch.element.contains(element) ? "answer" : null;
  }

  /**
   * Stand on a way to other versions.
   * @param {"question" | "answer"} way
   */
  focus(way) {
    (way === "question" ? this.#question.switch : this.#switch).focus();
  }

  /** @param {Answer} answer */
  #draw(answer) {
    this.#shown = answer;
    this.#answer.show(answer);
    this.#thought.show(answer.reasoning, answer.redraws);
    this.#thinking.hidden = answer.reasoning === "";
    this.#waiting.hidden = isOver(answer) || (answer.text !== "" && !answer.held);
    if (answer.held) void this.#hold();
    else setText(this.#waitingText, words.notices[answer.notice ?? ""] ?? "");
    const { thought_ms } = answer;
    const isTimed = thought_ms !== null && thought_ms >= THOUGHT_FROM_MS;
    setText(this.#thinkingName, isTimed ? words.thoughtFor(formatDuration(thought_ms, "long")) : words.thinking);
    if (isOver(answer)) this.#close(answer);
    else this.#live(answer);
  }

  /** Copy the answer as it was written. */
  async #take() {
    const copied = await copyText(this.#shown?.text ?? "");
    const name = copied ? words.copied : words.notCopied;
    this.#copy.replaceChildren(icon(copied ? ICONS.done : ICONS.close));
    this.#copy.title = name;
    this.#copy.setAttribute("aria-label", name);
    setTimeout(() => {
      this.#copy.replaceChildren(icon(ICONS.copy));
      this.#copy.title = words.copyMarkdown;
      this.#copy.setAttribute("aria-label", words.copyMarkdown);
    }, SAID_MS);
  }

  /** @param {Answer} answer */
  #live(answer) {
    this.#problem.hidden = true;
    this.#sources.hidden = true;
    this.#ending.hidden = true;
    this.#meta.hidden = false;
    this.#ticking ??= setInterval(() => this.#tick(), TICK_MS);
    if (Date.now() - this.#rateAt_ms >= RATE_EVERY_MS || this.#meta.textContent === "") this.#count(answer);
  }

  #tick() {
    const answer = this.#shown;
    if (answer && !isOver(answer) && this.element.isConnected) return this.#count(answer);
    clearInterval(this.#ticking);
    this.#ticking = undefined;
  }

  /** @param {Answer} answer */
  #count(answer) {
    const now_ms = Date.now();
    this.#rateAt_ms = now_ms;
    const tokens = guessTokens(answer.text.length + answer.reasoning.length);
    const pace = answer.gapped || answer.began_ms === null ? null : rate(tokens, now_ms - answer.began_ms);
    if (answer.held) void this.#hold();
    const since_ms = answer.asked_ms ?? (answer.gapped ? null : answer.began_ms);
    const elapsed = since_ms === null || now_ms - since_ms < TICK_MS ? null : formatDuration(now_ms - since_ms);
    fill(this.#meta, [answer.model, elapsed, pace && words.about(words.perSecond(formatCount(pace)))]);
  }

  /**
   * Name what the answer draws on, beneath it, when it no longer grows.
   * @param {Answer["sources"]} sources
   */
  async #note(sources) {
    this.#noted = sources;
    this.#sources.hidden = true;
    if (sources.length === 0) return;
    const loaded = await import("./sources.js").catch(() => null); // without it the numbers in the text still lead there
    if (!loaded || sources !== this.#noted) return;
    this.#sources.replaceChildren(...loaded.notes(sources));
    this.#sources.hidden = false;
  }

  /**
   * Show how the answer failed; trying again needs no words.
   * @param {Answer} answer
   * @param {import("../stream/frames.js").Failure} failure
   */
  async #fail(answer, failure) {
    const loaded = await import("./failure.js").catch(() => null);
    if (answer !== this.#shown) return;
    if (loaded) return (this.#failing ??= new loaded.Problem(this.#problem)).show(failure, answer, this.#choices);
    setText(this.#ending, words.troubles[failure.code]?.title ?? failure.error);
    this.#ending.hidden = false;
  }

  /** Show why the answer can't begin yet, and when it will. */
  async #hold() {
    const loaded = await import("../strings/failure-text.js").catch(() => null);
    const held = this.#shown?.held;
    if (loaded && held) setText(this.#waitingText, loaded.reasonOf(held, Date.now()));
  }

  /** @param {Answer} answer */
  #close(answer) {
    void this.#note(answer.sources);
    if (answer.failure) void this.#fail(answer, answer.failure);
    const ending = answer.end && endingOf(answer.end, answer.text);
    this.#ending.hidden = !ending;
    setText(this.#ending, ending ?? "");
    this.#meta.hidden = answer.failure !== null && !answer.failure.usage?.output_tokens;
    fill(this.#meta, figures(answer));
  }
}

/**
 * Tell whether an answer stops before its end, in a way that it can go on from.
 * @param {Answer} answer
 */
function isUnfinished({ text, end, failure }) {
  return text !== "" && (failure !== null || end?.finish_reason === "length" || end?.finish_reason === "cancelled");
}

/**
 * @param {Done} end
 * @param {string} text
 * @returns {string | null} null when there is nothing to say
 */
function endingOf({ finish_reason, by }, text) {
  if (finish_reason === "cancelled") return words.endings[by ?? ""] ?? words.endings.stopped ?? null;
  if (finish_reason === "stop") return text === "" ? (words.endings.empty ?? null) : null;
  return words.endings[finish_reason] ?? null;
}

/** @param {Answer} answer */
function figures({ model, end, failure, began_ms, ended_ms, gapped }) {
  const { usage, cost } = end ?? failure ?? {};
  if (!usage) return [model];
  const isTimed = began_ms !== null && ended_ms !== null && !gapped;
  const pace = isTimed ? rate(usage.output_tokens, ended_ms - began_ms) : null;
  return [
    model,
    words.tokensIn(formatCount(usage.input_tokens)),
    words.tokensOut(formatCount(usage.output_tokens)),
    pace && words.perSecond(formatCount(pace)),
    formatCost(cost),
    usage.estimated ? words.estimated : null,
  ];
}

/**
 * @param {HTMLElement} line
 * @param {(string | number | null | undefined)[]} parts
 */
function fill(line, parts) {
  const spans = parts.filter(Boolean).map((part) => h("span", { dir: "auto" }, String(part)));
  line.replaceChildren(...spans);
}

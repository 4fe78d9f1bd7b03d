/**
 * One turn in the log: question, reasoning, answer, ending. State is set on small elements beside the text, never on
 * an ancestor of the text: that would restyle all of a long answer.
 */
import { copyText } from "../dom/clipboard.js";
import { ICONS, h, icon, setText } from "../dom/elements.js";
import { findCited } from "./citation.js";
import { PlainText } from "./plain-text.js";
import { formatCost, formatCount, formatDuration, tokensPerSecond } from "../strings/format.js";
import { estimateTokens } from "../strings/tokens.js";
import { AnswerText } from "./answer.js";
import { QuestionView } from "./question.js";
import { isOver } from "../stream/answer-state.js";
import { words } from "../strings/words.js";
import { BranchSwitch, iconButton } from "./actions.js";

/** @typedef {import("../conversation/conversation.js").Turn} Turn */
/** @typedef {import("../stream/frames.js").Done} Done */
/** @typedef {import("../stream/answer-state.js").Answer} Answer */

/**
 * @typedef {object} TurnActions `run` is the run of the answer concerned
 * @property {(run: string) => void} retry answer the question again
 * @property {(run: string) => void} continueAnswer
 * @property {(run: string, question: string) => boolean} editQuestion returns whether the new question was asked
 * @property {(picture: import("../stream/types.js").Picture) => string} addressOf
 * @property {() => (() => void) | null} modelChooser returns what opens the list of models; null: there is none
 * @property {(source: Answer["sources"][number]) => void} openSource show a passage in its document
 * @property {(provider: string) => string} providerAddress returns where the server calls a provider; empty: not shown to this person
 * @property {(message: string) => void} showBranch show the branch of a message
 * @property {() => void} editClosed a question is no longer being edited
 */

/** How long the copy button shows its result. */
const COPY_RESULT_MS = 2_000;
/** The live figures are updated at most this often with new text, */
const MIN_UPDATE_MS = 500;
/** and at least this often without. */
const TICK_MS = 1_000;
/** The duration of reasoning that took less time is not shown as a number. */
const MIN_SHOWN_THINKING_MS = 1_000;

/** The view of one turn. */
export class TurnView {
  element;
  #answerText = new AnswerText("flow");
  #reasoning = new PlainText("flow");
  #thinkingLabel = h("summary", {}, words.thinking);
  #thinking = h("details", { class: "thinking", hidden: true }, this.#thinkingLabel, this.#reasoning.element);
  #waitingText = h("span", { class: "waiting-text" });
  #waiting = h("p", { class: "waiting" }, h("span", { class: "pulse" }), this.#waitingText);
  #problem = h("div", { class: "problem", hidden: true });
  /** @type {import("./failure.js").FailureNotice | null} */
  #failureNotice = null;
  #sources = h("div", { class: "sources", hidden: true });
  /** @type {Answer["sources"]} */
  #shownSources = [];
  #ending = h("p", { class: "ending", hidden: true });
  #ignored = h("p", { class: "ignored", dir: "auto", hidden: true });
  #meta = h("p", { class: "meta" });
  /** @type {Turn | null} */
  #turn = null;
  /** @type {{isAnswering: boolean, isLast: boolean} | null} */
  #place = null;
  /** The answer as last drawn. @type {Answer | null} */
  #drawn = null;
  #updatedAt_ms = 0;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #ticker = undefined;
  #actions;
  run;
  #question;
  #regenerate = iconButton(ICONS.again, words.regenerate, () => this.#actions.retry(this.run));
  #retry = h("button", { type: "button", class: "retry", hidden: true }, icon(ICONS.again), words.retry);
  #continue = h("button", { type: "button", class: "retry" }, icon(ICONS.next), words.continueAnswer);
  #copy = iconButton(ICONS.copy, words.copyMarkdown, () => void this.#copyAnswer());
  /** Buttons for an answer that failed or is incomplete. */
  #choices = h("div", { class: "choices" }, this.#retry, this.#continue);
  #switch;
  #buttons;

  /**
   * @param {Turn} turn
   * @param {TurnActions} actions
   */
  constructor({ question, images, answer }, actions) {
    this.#actions = actions;
    this.run = answer.run;
    const submit = (/** @type {string} */ text) => actions.editQuestion(this.run, text);
    this.#question = new QuestionView(question, images, { submit, showBranch: actions.showBranch, addressOf: actions.addressOf, closed: actions.editClosed });
    this.#switch = new BranchSwitch(words.answerVersions, actions.showBranch);
    this.#buttons = h("div", { class: "turn-actions" }, this.#switch.element, this.#copy, this.#regenerate);
    this.#retry.addEventListener("click", () => this.#actions.retry(this.run));
    this.#continue.addEventListener("click", () => actions.continueAnswer(this.run));
    const message = { class: "message", tabindex: "-1" };
    const questionArticle = h("article", { ...message, hidden: question === "" && images.length === 0 }, h("h2", { class: "visually-hidden" }, words.question), this.#question.element);
    const answerArticle = h(
      "article",
      message,
      h("h2", { class: "visually-hidden" }, words.answer),
      h("div", { class: "answer" }, this.#thinking, this.#answerText.element, this.#waiting, this.#problem),
      this.#sources,
      this.#ending,
      this.#ignored,
      this.#choices,
      h("div", { class: "tail" }, this.#meta, this.#buttons),
    );
    answerArticle.addEventListener("click", (event) => this.#openCitation(event));
    this.element = h("div", { class: "turn" }, questionArticle, answerArticle);
  }

  /** Whether the question is being edited. */
  get isEditing() {
    return this.#question.isEditing;
  }

  /** The answer's text as drawn so far. */
  get answerText() {
    return this.#answerText;
  }

  /**
   * Draw what changed.
   * @param {Turn} turn
   * @param {{isAnswering: boolean, isLast: boolean}} place whether any answer of the conversation streams; whether this turn is the last
   */
  update(turn, { isAnswering, isLast }) {
    const before = this.#place;
    if (turn === this.#turn && isAnswering === before?.isAnswering && isLast === before.isLast) return;
    const { answer, questions, answers } = turn;
    this.#turn = turn;
    this.#place = { isAnswering, isLast };
    this.#question.show(questions, !isAnswering);
    this.#question.showImages(turn.images);
    this.#switch.show(answers, !isAnswering);
    this.#buttons.hidden = !isOver(answer);
    this.#copy.hidden = answer.text === "";
    this.#regenerate.hidden = isLast && answer.failure !== null; // the failure has a larger button for it
    this.#regenerate.disabled = isAnswering;
    if (answer !== this.#drawn) this.#draw(answer);
    this.#continue.hidden = !isLast || isAnswering || !canContinue(answer);
    this.#retry.hidden = !isLast || answer.failure === null;
    this.#choices.hidden = !isLast;
  }

  /**
   * Return whose branch switch contains an element.
   * @param {Element | null} element
   * @returns {"question" | "answer" | null}
   */
  switchOf(element) {
    if (this.#question.switch.element.contains(element)) return "question";
    return this.#switch.element.contains(element) ? "answer" : null;
  }

  /**
   * Focus a branch switch.
   * @param {"question" | "answer"} which
   */
  focusSwitch(which) {
    (which === "question" ? this.#question.switch : this.#switch).focus();
  }

  /** @param {Answer} answer */
  #draw(answer) {
    this.#drawn = answer;
    this.#answerText.show(answer);
    this.#reasoning.show(answer.reasoning, answer.redraws);
    this.#thinking.hidden = answer.reasoning === "";
    this.#waiting.hidden = isOver(answer) || (answer.text !== "" && !answer.held);
    if (answer.held) void this.#showWaitReason();
    else setText(this.#waitingText, words.notices[answer.notice ?? ""] ?? "");
    setText(this.#thinkingLabel, describeThinking(answer));
    this.#drawIgnored(answer);
    if (isOver(answer)) this.#drawEnd(answer);
    else this.#drawLive(answer);
  }

  /** Copy the answer's Markdown. */
  async #copyAnswer() {
    const isCopied = await copyText(this.#drawn?.text ?? "");
    const name = isCopied ? words.copied : words.copyFailed;
    this.#copy.replaceChildren(icon(isCopied ? ICONS.done : ICONS.close));
    this.#copy.title = name;
    this.#copy.setAttribute("aria-label", name);
    setTimeout(() => {
      this.#copy.replaceChildren(icon(ICONS.copy));
      this.#copy.title = words.copyMarkdown;
      this.#copy.setAttribute("aria-label", words.copyMarkdown);
    }, COPY_RESULT_MS);
  }

  /** @param {Answer} answer */
  #drawLive(answer) {
    this.#problem.hidden = true;
    this.#sources.hidden = true;
    this.#ending.hidden = true;
    this.#meta.hidden = false;
    this.#ticker ??= setInterval(() => this.#tick(), TICK_MS);
    if (Date.now() - this.#updatedAt_ms >= MIN_UPDATE_MS || this.#meta.textContent === "") this.#drawLiveFigures(answer);
  }

  #tick() {
    const answer = this.#drawn;
    if (answer && !isOver(answer) && this.element.isConnected) return this.#drawLiveFigures(answer);
    clearInterval(this.#ticker);
    this.#ticker = undefined;
  }

  /** @param {Answer} answer */
  #drawLiveFigures(answer) {
    const now_ms = Date.now();
    this.#updatedAt_ms = now_ms;
    const tokens = estimateTokens(answer.text) + estimateTokens(answer.reasoning);
    const pace = answer.gapped || answer.began_ms === null ? null : tokensPerSecond(tokens, now_ms - answer.began_ms);
    if (answer.held) void this.#showWaitReason();
    const since_ms = answer.asked_ms ?? (answer.gapped ? null : answer.began_ms);
    const elapsed = since_ms === null || now_ms - since_ms < TICK_MS ? null : formatDuration(now_ms - since_ms);
    fill(this.#meta, [answer.model, elapsed, pace && words.approximately(words.perSecond(formatCount(pace)))]);
  }

  /**
   * Open the passage whose number was clicked in the text.
   * @param {Event} event
   */
  #openCitation(event) {
    const cited = findCited(event, this.#turn?.answer.sources ?? []);
    if (cited) this.#actions.openSource(cited);
  }

  /**
   * List the sources of an answer that is over.
   * @param {Answer["sources"]} sources
   */
  async #drawSources(sources) {
    this.#shownSources = sources;
    this.#sources.hidden = true;
    if (sources.length === 0) return;
    const loaded = await import("./sources.js").catch(() => null); // then the numbers in the text still link to the sources
    if (!loaded || sources !== this.#shownSources) return;
    this.#sources.replaceChildren(...loaded.sourceNotes(sources, this.#actions.openSource));
    this.#sources.hidden = false;
  }

  /**
   * Show the failure. If its module can't be loaded, show the title only.
   * @param {Answer} answer
   * @param {import("../stream/frames.js").Failure} failure
   */
  async #drawFailure(answer, failure) {
    const loaded = await import("./failure.js").catch(() => null);
    if (answer !== this.#drawn) return;
    if (loaded) return (this.#failureNotice ??= new loaded.FailureNotice(this.#problem, this.#actions)).show(failure, answer, { choices: this.#choices, retry: this.#retry });
    setText(this.#ending, words.failures[failure.code]?.title ?? failure.error);
    this.#ending.hidden = false;
  }

  /** Show why the answer can't start yet, and when it will. */
  async #showWaitReason() {
    const loaded = await import("../strings/failure-text.js").catch(() => null);
    const held = this.#drawn?.held;
    if (loaded && held) setText(this.#waitingText, loaded.getWaitReason(held, Date.now()));
  }

  /**
   * Name the settings that the model does not support.
   * @param {Answer} answer
   */
  #drawIgnored({ ignored, model }) {
    this.#ignored.hidden = ignored.length === 0;
    setText(this.#ignored, ignored.map((parameter) => words.settingIgnored(model, nameSetting(parameter))).join(" "));
  }

  /** @param {Answer} answer */
  #drawEnd(answer) {
    void this.#drawSources(answer.sources);
    if (answer.failure) void this.#drawFailure(answer, answer.failure);
    const ending = answer.end && describeEnd(answer.end, answer.text);
    this.#ending.hidden = !ending;
    setText(this.#ending, ending ?? "");
    this.#meta.hidden = answer.failure !== null && !answer.failure.usage?.output_tokens;
    fill(this.#meta, finalFigures(answer));
  }
}

/**
 * Return what is said above the reasoning.
 * @param {Answer} answer
 */
function describeThinking(answer) {
  const { thought_ms, began_ms, ended_ms, gapped, text } = answer;
  if (!isOver(answer) && text === "") return words.thinking;
  const measured_ms = text === "" && began_ms !== null && ended_ms !== null && !gapped ? ended_ms - began_ms : null;
  const took_ms = thought_ms ?? measured_ms;
  if (took_ms === null) return words.reasoning;
  return took_ms < MIN_SHOWN_THINKING_MS ? words.thoughtBriefly : words.thoughtFor(formatDuration(took_ms, "long"));
}

/**
 * Return the name that a setting has on this page; of other parameters, theirs.
 * @param {string} parameter
 */
function nameSetting(parameter) {
  /** @type {Record<string, string>} */
  const names = { temperature: words.temperature, max_tokens: words.maxTokens, max_completion_tokens: words.maxTokens, effort: words.effort, reasoning_effort: words.effort };
  return names[parameter] ?? parameter;
}

/**
 * Return whether an answer is incomplete and can be continued.
 * @param {Answer} answer
 */
function canContinue({ text, end, failure }) {
  return text !== "" && (failure !== null || end?.finish_reason === "length" || end?.finish_reason === "cancelled");
}

/**
 * Return the sentence about how an answer ended; null: none is needed.
 * @param {Done} end
 * @param {string} text
 * @returns {string | null}
 */
function describeEnd({ finish_reason, by }, text) {
  if (finish_reason === "cancelled") return words.endings[by ?? ""] ?? words.endings.stopped ?? null;
  if (finish_reason === "stop") return text === "" ? (words.endings.empty ?? null) : null;
  return words.endings[finish_reason] ?? null;
}

/**
 * Return model, tokens, speed and cost of an answer that is over.
 * @param {Answer} answer
 */
function finalFigures({ model, end, failure, began_ms, ended_ms, gapped }) {
  const { usage, cost } = end ?? failure ?? {};
  if (!usage) return [model];
  const isTimed = began_ms !== null && ended_ms !== null && !gapped;
  const pace = isTimed ? tokensPerSecond(usage.output_tokens, ended_ms - began_ms) : null;
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
 * Replace the line's content by the parts that are not empty.
 * @param {HTMLElement} line
 * @param {(string | number | null | undefined)[]} parts
 */
function fill(line, parts) {
  const spans = parts.filter(Boolean).map((part) => h("span", { dir: "auto" }, String(part)));
  line.replaceChildren(...spans);
}

/** The scrolling log of a chat: its turns, or a placeholder while there are none. */
import { ICONS, h, icon } from "../dom/elements.js";
import { loadRenderer } from "../turn/answer.js";
import { isSkippable, skipOffscreen } from "../dom/content-visibility.js";
import { AutoScroll } from "../dom/scroll.js";
import { SlicedTask } from "../dom/idle-slices.js";
import { words } from "../strings/words.js";
import { TurnView } from "../turn/turn.js";

/** @typedef {import("../conversation/conversation.js").Turn} Turn */
/** @typedef {import("../conversation/dialogue.js").LoadState} LoadState */

/**
 * @typedef {object} ChatActions
 * @property {(question: string) => void} ask
 * @property {() => void} reload load the conversation again
 * @property {() => void} focusLost the focused element was removed
 */

/** @typedef {ChatActions & import("../turn/turn.js").TurnActions} LogActions */

/**
 * @typedef {object} LogContent
 * @property {readonly Turn[]} turns
 * @property {boolean} isAnswering whether the last answer is pending or streams
 * @property {LoadState} loadState
 * @property {string} modelName shown before the first question
 */

/** Enough to fill any screen: this many turns or characters are drawn at once, the others in idle slices. */
const SCREEN_TURNS = 12;
const SCREEN_CHARS = 12_000;
/** Turns per box. Boxes bound the cost of an insertion: the browser checks everything after it in the same box. */
const BOX_TURNS = 16;

/** The log of one chat. */
export class ChatLog {
  #column = h("div", { class: "column" });
  element = h("div", { class: "scroller", role: "log", "aria-live": "off", "aria-label": words.log, tabindex: "0" }, this.#column);
  toBottom = h("button", { type: "button", class: "to-bottom", "aria-label": words.jumpToLatest, title: words.jumpToLatest, hidden: true }, icon(ICONS.down));
  #autoScroll = new AutoScroll(
    this.element,
    this.#column,
    (isFollowing) => {
      this.toBottom.hidden = isFollowing;
    },
    () => this.#placeholder === null,
  );
  /** The drawn turns: a contiguous range of all. @type {TurnView[]} */
  #views = [];
  /** Index of the first drawn turn. */
  #from = 0;
  /** By box number, ascending; negative for turns that were loaded above the first. @type {Map<number, HTMLElement>} */
  #boxes = new Map();
  /** Index of the turn that starts box 0. */
  #origin = 0;
  /** @type {Pick<LogContent, "turns" | "isAnswering">} */
  #content = { turns: [], isAnswering: false };
  #backfill = new SlicedTask(() => this.#drawOneMore(), { isIdle: true, after: () => this.#afterSlice() });
  /** Shown while there are no turns. @type {HTMLElement | null} */
  #placeholder = null;
  /** The state that the placeholder was made for. @type {LoadState | null} */
  #placeholderState = null;
  #actions;
  /** Suggested first questions; empty: the page's own. @type {readonly string[]} */
  starters = [];
  /** In place of the title of an empty conversation. */
  greeting = "";

  /** @param {LogActions} actions */
  constructor(actions) {
    this.#actions = actions;
    // With the answers' own listeners, after what the first paint needs. Without the module, the browser's own way of copying stays.
    void loadRenderer()
      .then(() => import("../render/clicks.js"))
      .then(
        (module) => module.addCopyListener(this.element),
        () => {},
      );
    this.toBottom.addEventListener("click", () => {
      this.#autoScroll.jumpToEnd();
      actions.focusLost();
    });
  }

  /**
   * Show a conversation. Touches only the elements of what changed.
   * @param {LogContent} content
   */
  show({ turns, isAnswering, loadState, modelName }) {
    const { index, focused } = this.#removeChanged(turns);
    this.#content = { turns, isAnswering };
    if (isAnswering && index >= 0) this.#autoScroll.jumpToEnd();
    if (turns.length === 0) return this.#showPlaceholder(loadState, modelName);
    this.#placeholder?.remove();
    this.#placeholder = this.#placeholderState = null;
    this.#views.forEach((view, at) => this.#update(view, this.#from + at));
    this.#drawScreen();
    if (focused) this.#views[index - this.#from]?.focusSwitch(focused);
    this.#autoScroll.update();
  }

  /** Whether a question is being edited. */
  get isEditing() {
    return this.#views.some(({ isEditing }) => isEditing);
  }

  /** The text of the last answer as it is drawn; null: there is none. */
  get last() {
    const { turns } = this.#content;
    const view = this.#views.at(-1);
    return view && view.run === turns.at(-1)?.answer.run ? view.answerText : null;
  }

  /**
   * Focus the next message, or the previous one. That also makes the browser lay out a skipped box.
   * @param {1 | -1} by
   */
  focusMessage(by) {
    const messages = /** @type {HTMLElement[]} */ ([...this.#column.querySelectorAll(".message:not([hidden])")]);
    const focused = /** @type {ShadowRoot} */ (this.element.getRootNode()).activeElement?.closest(".message");
    const at = focused instanceof HTMLElement ? messages.indexOf(focused) : by > 0 ? this.#firstVisible(messages) - 1 : messages.length;
    const next = messages[Math.min(Math.max(at + by, 0), messages.length - 1)];
    next?.focus({ preventScroll: true });
    next?.scrollIntoView({ block: "start" });
  }

  /**
   * Return the index of the first message that begins on the screen or below it. A binary search, because measuring
   * makes the browser lay out skipped boxes.
   * @param {HTMLElement[]} messages
   */
  #firstVisible(messages) {
    const { top } = this.element.getBoundingClientRect();
    let [from, to] = [0, messages.length];
    while (from < to) {
      const middle = Math.floor((from + to) / 2);
      if ((messages[middle]?.getBoundingClientRect().top ?? 0) >= top) to = middle;
      else from = middle + 1;
    }
    return from;
  }

  /**
   * Leave room below the last message for what floats there.
   * @param {number} height_px
   */
  leaveRoom(height_px) {
    this.element.style.setProperty("--floating", `${height_px}px`);
    this.#autoScroll.update();
  }

  /**
   * Scroll to a message.
   * @param {string} message its id
   * @returns {boolean} whether it is in the branch that is shown
   */
  showMessage(message) {
    const { turns } = this.#content;
    const index = turns.findIndex(({ asked, answer, answers }) => asked === message || answer.run === message || answers.ids[answers.at] === message);
    const turn = turns[index];
    if (!turn) return false;
    while (this.#from > index && this.#drawOneMore());
    const [question, answer] = this.#views[index - this.#from]?.element.querySelectorAll(".message") ?? [];
    const found = turn.asked === message ? question : answer;
    if (found instanceof HTMLElement) found.focus({ preventScroll: true });
    found?.scrollIntoView({ block: "start" });
    this.#autoScroll.update();
    return true;
  }

  /** Scroll to the end and follow it, as after a new question. */
  jump() {
    this.#autoScroll.jumpToEnd();
  }

  /**
   * Remove the views from the first turn on that is another one now. If the focus was on a branch switch of that turn,
   * the caller focuses the same switch of the new turn; if it was elsewhere in a removed view, it moves to the field.
   * @param {readonly Turn[]} turns
   * @returns {{index: number, focused: "question" | "answer" | null}} index of the first removed turn, -1: none; whose
   *   switch had the focus
   */
  #removeChanged(turns) {
    const first = this.#views[0]?.run;
    // Turns may have been loaded above the first drawn one.
    const from = turns[this.#from]?.answer.run === first ? this.#from : turns.findIndex(({ answer }) => answer.run === first);
    const other = from < 0 ? 0 : this.#views.findIndex((view, at) => view.run !== turns[from + at]?.answer.run);
    if (from >= 0) this.#origin += from - this.#from;
    this.#from = other === 0 || first === undefined ? turns.length : from;
    if (other < 0) return { index: -1, focused: null };
    const active = /** @type {ShadowRoot} */ (this.element.getRootNode()).activeElement;
    const removed = this.#views.splice(other);
    const focused = removed[0]?.switchOf(active) ?? null;
    const isFocusLost = focused === null && removed.some((view) => view.element.contains(active));
    for (const view of removed) view.element.remove();
    for (const [number, box] of [...this.#boxes].reverse()) {
      if (box.childElementCount > 0) break;
      box.remove();
      this.#boxes.delete(number);
    }
    if (isFocusLost) this.#actions.focusLost();
    return { index: removed.length > 0 ? Math.max(from, 0) + other : -1, focused };
  }

  /** Draw what fills a screen now, and the other turns in idle time. */
  #drawScreen() {
    const { turns } = this.#content;
    if (this.#views.length === 0) this.#from = firstOnScreen(turns);
    for (let added = 0; added < SCREEN_TURNS && this.#append(); added++);
    const isComplete = this.#from === 0 && this.#views.length === turns.length;
    if (!isComplete) void loadRenderer().then(() => this.#backfill.schedule());
  }

  /** @returns {boolean} whether turns are left to draw */
  #drawOneMore() {
    const { turns } = this.#content;
    if (!this.#append() && this.#from > 0) {
      const turn = /** @type {Turn} */ (turns[--this.#from]);
      const added = new TurnView(turn, this.#actions);
      this.#views.unshift(added);
      this.#update(added, this.#from);
      this.#boxOf(this.#from).prepend(added.element);
    }
    return this.#from + this.#views.length < turns.length || this.#from > 0;
  }

  /** Allow the browser to skip the boxes that are complete, except the last one, while they are off-screen. */
  #afterSlice() {
    this.#autoScroll.update();
    const last = this.#boxNumber(this.#content.turns.length - 1);
    const complete = [...this.#boxes].filter(([number]) => {
      const start = this.#origin + number * BOX_TURNS;
      return number < last && Math.max(start, 0) >= this.#from;
    });
    skipOffscreen(complete.map(([, box]) => box).filter((box) => !isSkippable(box)));
  }

  /** Draw the next turn at the end, if there is one. */
  #append() {
    const turn = this.#content.turns[this.#from + this.#views.length];
    if (!turn) return false;
    const added = new TurnView(turn, this.#actions);
    this.#views.push(added);
    this.#update(added, this.#from + this.#views.length - 1);
    this.#boxOf(this.#from + this.#views.length - 1).append(added.element);
    return true;
  }

  /**
   * Return the box of a turn. Creates it together with all boxes above it, so that none is inserted later.
   * @param {number} at index of the turn
   */
  #boxOf(at) {
    const number = this.#boxNumber(at);
    const known = this.#boxes.get(number);
    if (known) return known;
    const numbers = [...this.#boxes.keys()];
    const from = numbers.length > 0 && number > (numbers[0] ?? 0) ? (numbers.at(-1) ?? 0) + 1 : this.#boxNumber(0);
    const until = numbers.length > 0 && number < (numbers[0] ?? 0) ? (numbers[0] ?? 0) - 1 : number;
    const made = Array.from({ length: until - from + 1 }, (_, index) => /** @type {const} */ ([from + index, h("div", { class: "turns" })]));
    const elements = made.map(([, box]) => box);
    if (number < (numbers[0] ?? number)) this.#column.prepend(...elements);
    else this.#column.append(...elements);
    this.#boxes = new Map([...this.#boxes, ...made].sort(([one], [other]) => one - other));
    return /** @type {HTMLElement} */ (this.#boxes.get(number));
  }

  /** @param {number} at */
  #boxNumber(at) {
    return Math.floor((at - this.#origin) / BOX_TURNS);
  }

  /**
   * @param {TurnView} view
   * @param {number} at
   */
  #update(view, at) {
    const { turns, isAnswering } = this.#content;
    const turn = turns[at];
    if (turn) view.update(turn, { isAnswering, isLast: at === turns.length - 1 });
  }

  /**
   * @param {LoadState} loadState
   * @param {string} modelName
   */
  #showPlaceholder(loadState, modelName) {
    if (this.#placeholderState === loadState) return;
    this.#placeholderState = loadState;
    this.#placeholder?.remove();
    if (loadState === "loading") this.#placeholder = null;
    else this.#placeholder = loadState === "loaded" ? this.#welcome(modelName) : this.#loadError(loadState);
    if (this.#placeholder) this.#column.append(this.#placeholder);
  }

  /** @param {string} modelName */
  #welcome(modelName) {
    const suggestions = this.starters.length > 0 ? this.starters : words.suggestions;
    const rows = suggestions.map((suggestion) => {
      const button = h("button", { type: "button" }, h("span", { dir: "auto" }, suggestion), icon(ICONS.next));
      button.addEventListener("click", () => this.#actions.ask(suggestion));
      return h("li", {}, button);
    });
    const text = modelName ? words.emptyModel(modelName) : "";
    return h("div", { class: "empty" }, h("h2", {}, this.greeting || words.emptyTitle), h("p", {}, text), h("ul", {}, ...rows));
  }

  /** @param {"missing" | "away"} loadState */
  #loadError(loadState) {
    const { title, advice } = words[loadState];
    const message = h("div", { class: "empty" }, h("h2", {}, title), h("p", {}, advice));
    if (loadState === "missing") return message;
    const button = h("button", { type: "button", class: "retry" }, icon(ICONS.again), words.retry);
    button.addEventListener("click", this.#actions.reload);
    message.append(button);
    return message;
  }
}

/**
 * Return the index of the first of those last turns that fill any screen.
 * @param {readonly Turn[]} turns
 */
function firstOnScreen(turns) {
  let [from, chars] = [turns.length, 0];
  while (from > 0 && chars < SCREEN_CHARS && turns.length - from < SCREEN_TURNS) {
    const { question, answer } = /** @type {Turn} */ (turns[--from]);
    chars += question.length + answer.text.length;
  }
  return from;
}

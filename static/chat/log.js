/** The turns of a conversation in their scroller, or what stands there before the first one. */
import { ICONS, h, icon } from "../dom/elements.js";
import { warm } from "../turn/answer.js";
import { isResting, letRest } from "../dom/content-visibility.js";
import { Follower } from "../dom/scroll.js";
import { Slices } from "../dom/idle-slices.js";
import { words } from "../strings/words.js";
import { TurnView } from "../turn/turn.js";

/** @typedef {import("../conversation/conversation.js").Turn} Turn */
/** @typedef {import("../conversation/dialogue.js").Standing} Standing */

/**
 * @typedef {object} OwnActions
 * @property {(question: string) => void} ask
 * @property {() => void} again try to have the conversation once more
 * @property {() => void} leave what the person stood on is gone
 */

/** @typedef {OwnActions & import("../turn/turn.js").TurnActions} LogActions */

/**
 * @typedef {object} Shown
 * @property {readonly Turn[]} turns
 * @property {boolean} isAnswering whether the last answer is being made
 * @property {Standing} standing
 * @property {string} model named before the first question
 */

/** What fills every screen: so many turns or characters are drawn at once, the others in idle slices. */
const SCREEN_TURNS = 12;
const SCREEN_CHARS = 12_000;
/** Turns stand in boxes of so many: where one is put in, a browser looks at everything behind it in the same box. */
const BOX_TURNS = 16;

/** The log of one chat. */
export class Log {
  #column = h("div", { class: "column" });
  element = h("div", { class: "scroller", role: "log", "aria-live": "off", "aria-label": words.log, tabindex: "0" }, this.#column);
  toBottom = h("button", { type: "button", class: "to-bottom", "aria-label": words.toBottom, title: words.toBottom, hidden: true }, icon(ICONS.down));
  #follower = new Follower(
    this.element,
    this.#column,
    (isFollowing) => {
      this.toBottom.hidden = isFollowing;
    },
    () => this.#empty === null,
  );
  /** The turns that are drawn, one after the other. @type {TurnView[]} */
  #views = [];
  /** Where the first of them stands among all. */
  #from = 0;
  /** By number, the lowest first; where turns become known above, it may be below zero. @type {Map<number, HTMLElement>} */
  #boxes = new Map();
  /** Where the turn stands that begins the box with the number 0. */
  #origin = 0;
  /** @type {Pick<Shown, "turns" | "isAnswering">} */
  #shown = { turns: [], isAnswering: false };
  #rest = new Slices(() => this.#fill(), { isPatient: true, after: () => this.#settle() });
  /** @type {HTMLElement | null} */
  #empty = null;
  /** What stands there instead of turns. @type {Standing | null} */
  #greeted = null;
  #actions;
  /** Questions to begin with; empty: the page's own. @type {readonly string[]} */
  starters = [];

  /** @param {LogActions} actions */
  constructor(actions) {
    this.#actions = actions;
    this.toBottom.addEventListener("click", () => {
      this.#follower.jump();
      actions.leave();
    });
  }

  /**
   * Show a conversation; only what changed is touched.
   * @param {Shown} shown
   */
  show({ turns, isAnswering, standing, model }) {
    const { place, way } = this.#keep(turns);
    this.#shown = { turns, isAnswering };
    if (isAnswering && place >= 0) this.#follower.jump();
    if (turns.length === 0) return this.#greet(standing, model);
    this.#empty?.remove();
    this.#empty = this.#greeted = null;
    this.#views.forEach((view, at) => this.#update(view, this.#from + at));
    this.#open();
    if (way) this.#views[place - this.#from]?.focus(way);
    this.#follower.keep();
  }

  /** What shows the last answer, and whether all of it is there; null where there is none. */
  get last() {
    const { turns } = this.#shown;
    const view = this.#views.at(-1);
    return view && view.run === turns.at(-1)?.answer.run ? view.shown : null;
  }

  /**
   * Stand on the next message, or the one before. A box that rests is woken by that.
   * @param {1 | -1} by
   */
  step(by) {
    const messages = /** @type {HTMLElement[]} */ ([...this.#column.querySelectorAll(".message:not([hidden])")]);
    const focused = /** @type {ShadowRoot} */ (this.element.getRootNode()).activeElement?.closest(".message");
    const at = focused instanceof HTMLElement ? messages.indexOf(focused) : by > 0 ? this.#firstSeen(messages) - 1 : messages.length;
    const next = messages[Math.min(Math.max(at + by, 0), messages.length - 1)];
    next?.focus({ preventScroll: true });
    next?.scrollIntoView({ block: "start" });
  }

  /**
   * Find the first message that begins on the screen or below it. Few are looked at: that lays out what rests.
   * @param {HTMLElement[]} messages
   */
  #firstSeen(messages) {
    const { top } = this.element.getBoundingClientRect();
    let [from, to] = [0, messages.length];
    while (from < to) {
      const middle = Math.floor((from + to) / 2);
      if ((messages[middle]?.getBoundingClientRect().top ?? 0) >= top) to = middle;
      else from = middle + 1;
    }
    return from;
  }

  /** Go to the end: a question was just asked there. */
  jump() {
    this.#follower.jump();
  }

  /**
   * Take away what is not shown any more: everything from the first other turn on. Who stood on the way from it to
   * another version stands there again; who stood elsewhere in it goes back to the field.
   * @param {readonly Turn[]} turns
   * @returns {{place: number, way: "question" | "answer" | null}} where that was; -1 where all is still there
   */
  #keep(turns) {
    const first = this.#views[0]?.run;
    // More may be known than before of what stands above.
    const from = turns[this.#from]?.answer.run === first ? this.#from : turns.findIndex(({ answer }) => answer.run === first);
    const other = from < 0 ? 0 : this.#views.findIndex((view, at) => view.run !== turns[from + at]?.answer.run);
    if (from >= 0) this.#origin += from - this.#from;
    this.#from = other === 0 || first === undefined ? turns.length : from;
    if (other < 0) return { place: -1, way: null };
    const focused = /** @type {ShadowRoot} */ (this.element.getRootNode()).activeElement;
    const gone = this.#views.splice(other);
    const way = gone[0]?.wayOf(focused) ?? null;
    const isLost = way === null && gone.some((view) => view.element.contains(focused));
    for (const view of gone) view.element.remove();
    for (const [number, box] of [...this.#boxes].reverse()) {
      if (box.childElementCount > 0) break;
      box.remove();
      this.#boxes.delete(number);
    }
    if (isLost) this.#actions.leave();
    return { place: gone.length > 0 ? Math.max(from, 0) + other : -1, way };
  }

  /** Draw what fills a screen; the rest is for later, when there is time. */
  #open() {
    const { turns } = this.#shown;
    if (this.#views.length === 0) this.#from = screenful(turns);
    for (let added = 0; added < SCREEN_TURNS && this.#append(); added++);
    const isWhole = this.#from === 0 && this.#views.length === turns.length;
    if (!isWhole) void warm().then(() => this.#rest.start());
  }

  /** @returns {boolean} whether more turns wait for being drawn */
  #fill() {
    const { turns } = this.#shown;
    if (!this.#append() && this.#from > 0) {
      const turn = /** @type {Turn} */ (turns[--this.#from]);
      const added = new TurnView(turn, this.#actions);
      this.#views.unshift(added);
      this.#update(added, this.#from);
      this.#boxOf(this.#from).prepend(added.element);
    }
    return this.#from + this.#views.length < turns.length || this.#from > 0;
  }

  /** What ends a slice: a box that is whole and not the last may rest. */
  #settle() {
    this.#follower.keep();
    const last = this.#numberOf(this.#shown.turns.length - 1);
    const whole = [...this.#boxes].filter(([number]) => {
      const begin = this.#origin + number * BOX_TURNS;
      return number < last && Math.max(begin, 0) >= this.#from;
    });
    letRest(whole.map(([, box]) => box).filter((box) => !isResting(box)));
  }

  /** Draw the next turn at the end, if there is one. */
  #append() {
    const turn = this.#shown.turns[this.#from + this.#views.length];
    if (!turn) return false;
    const added = new TurnView(turn, this.#actions);
    this.#views.push(added);
    this.#update(added, this.#from + this.#views.length - 1);
    this.#boxOf(this.#from + this.#views.length - 1).append(added.element);
    return true;
  }

  /**
   * Give the box of a turn. All boxes above it are made with it, so that none is put in later.
   * @param {number} at
   */
  #boxOf(at) {
    const number = this.#numberOf(at);
    const known = this.#boxes.get(number);
    if (known) return known;
    const numbers = [...this.#boxes.keys()];
    const from = numbers.length > 0 && number > (numbers[0] ?? 0) ? (numbers.at(-1) ?? 0) + 1 : this.#numberOf(0);
    const until = numbers.length > 0 && number < (numbers[0] ?? 0) ? (numbers[0] ?? 0) - 1 : number;
    const made = Array.from({ length: until - from + 1 }, (_, index) => /** @type {const} */ ([from + index, h("div", { class: "turns" })]));
    const elements = made.map(([, box]) => box);
    if (number < (numbers[0] ?? number)) this.#column.prepend(...elements);
    else this.#column.append(...elements);
    this.#boxes = new Map([...this.#boxes, ...made].sort(([one], [other]) => one - other));
    return /** @type {HTMLElement} */ (this.#boxes.get(number));
  }

  /** @param {number} at */
  #numberOf(at) {
    return Math.floor((at - this.#origin) / BOX_TURNS);
  }

  /**
   * @param {TurnView} view
   * @param {number} at
   */
  #update(view, at) {
    const { turns, isAnswering } = this.#shown;
    const turn = turns[at];
    if (turn) view.update(turn, { isAnswering, isLast: at === turns.length - 1 });
  }

  /**
   * @param {Standing} standing
   * @param {string} model
   */
  #greet(standing, model) {
    if (this.#greeted === standing) return;
    this.#greeted = standing;
    this.#empty?.remove();
    this.#empty = standing === "here" ? this.#invite(model) : standing === "loading" ? null : this.#excuse(standing);
    if (this.#empty) this.#column.append(this.#empty);
  }

  /** @param {string} model */
  #invite(model) {
    const suggestions = this.starters.length > 0 ? this.starters : words.suggestions;
    const rows = suggestions.map((suggestion) => {
      const button = h("button", { type: "button" }, h("span", { dir: "auto" }, suggestion), icon(ICONS.next));
      button.addEventListener("click", () => this.#actions.ask(suggestion));
      return h("li", {}, button);
    });
    const text = model ? words.emptyModel(model) : "";
    return h("div", { class: "empty" }, h("h2", {}, words.emptyTitle), h("p", {}, text), h("ul", {}, ...rows));
  }

  /** @param {"missing" | "away"} standing */
  #excuse(standing) {
    const { title, advice } = words[standing];
    const excuse = h("div", { class: "empty" }, h("h2", {}, title), h("p", {}, advice));
    if (standing === "missing") return excuse;
    const button = h("button", { type: "button", class: "retry" }, icon(ICONS.again), words.retry);
    button.addEventListener("click", this.#actions.again);
    excuse.append(button);
    return excuse;
  }
}

/**
 * @param {readonly Turn[]} turns
 * @returns {number} the first of those that fill every screen from its end
 */
function screenful(turns) {
  let [from, chars] = [turns.length, 0];
  while (from > 0 && chars < SCREEN_CHARS && turns.length - from < SCREEN_TURNS) {
    const { question, answer } = /** @type {Turn} */ (turns[--from]);
    chars += question.length + answer.text.length;
  }
  return from;
}

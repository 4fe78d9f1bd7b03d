/** The turns of a conversation in their scroller, or what stands there before the first one. */
import { ICONS, h, icon } from "../dom.js";
import { Follower } from "../scroll.js";
import { words } from "../strings/words.js";
import { TurnView } from "../turn.js";

/** @typedef {import("../conversation.js").Turn} Turn */
/** @typedef {import("../dialogue.js").Standing} Standing */

/**
 * @typedef {object} OwnActions
 * @property {(question: string) => void} ask
 * @property {() => void} again try to have the conversation once more
 * @property {() => void} leave what the person stood on is gone
 */

/** @typedef {OwnActions & import("../turn.js").TurnActions} LogActions */

/**
 * @typedef {object} Shown
 * @property {readonly Turn[]} turns
 * @property {boolean} isAnswering whether the last answer is being made
 * @property {Standing} standing
 * @property {string} model named before the first question
 */

/** The log of one chat. */
export class Log {
  #column = h("div", { class: "column" });
  element = h("div", { class: "scroller", role: "log", "aria-live": "off", "aria-label": words.log, tabindex: "0" }, this.#column);
  toBottom = h("button", { type: "button", class: "to-bottom", "aria-label": words.toBottom, title: words.toBottom, hidden: true }, icon(ICONS.down));
  #follower = new Follower(this.element, this.#column, (isFollowing) => {
    this.toBottom.hidden = isFollowing;
  });
  /** @type {TurnView[]} */
  #views = [];
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
    if (isAnswering && place >= 0) this.#follower.jump();
    if (turns.length === 0) return this.#greet(standing, model);
    this.#empty?.remove();
    this.#empty = this.#greeted = null;
    turns.forEach((turn, at) => {
      const isLast = at === turns.length - 1;
      const view = this.#views[at] ?? this.#add(turn);
      view.update(turn, { isAnswering, isLast });
    });
    if (way) this.#views[place]?.focus(way);
    this.#follower.keep();
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
    const place = this.#views.findIndex((view, at) => view.run !== turns[at]?.answer.run);
    if (place < 0) return { place, way: null };
    const focused = /** @type {ShadowRoot} */ (this.element.getRootNode()).activeElement;
    const gone = this.#views.splice(place);
    const way = gone[0]?.wayOf(focused) ?? null;
    const isLost = way === null && gone.some((view) => view.element.contains(focused));
    for (const view of gone) view.element.remove();
    if (isLost) this.#actions.leave();
    return { place, way };
  }

  /** @param {Turn} turn */
  #add(turn) {
    const added = new TurnView(turn, this.#actions);
    this.#views.push(added);
    this.#column.append(added.element);
    return added;
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

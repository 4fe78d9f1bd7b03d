/** The turns of a conversation in their scroller, or what stands there before the first one. */
import { ICONS, h, icon } from "../dom.js";
import { Follower } from "../scroll.js";
import { words } from "../strings/words.js";
import { TurnView } from "../turn.js";

/** @typedef {import("../conversation.js").Conversation} Conversation */

/**
 * @typedef {object} LogActions
 * @property {(question: string) => void} ask
 * @property {() => void} retry
 * @property {() => void} leave the reader went to the end by the button, which is gone now
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
  #actions;

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
   * @param {Conversation} conversation
   * @param {string} model named before the first question
   */
  show({ turns }, model) {
    if (turns.length < this.#views.length) this.#clear();
    if (turns.length === 0) return this.#greet(model);
    this.#empty?.remove();
    this.#empty = null;
    turns.forEach((turn, at) => {
      const view = this.#views[at];
      if (view) return view.update(turn.answer);
      this.#views.at(-1)?.settle();
      const added = new TurnView(turn, this.#actions.retry);
      this.#views.push(added);
      this.#column.append(added.element);
    });
    this.#follower.keep();
  }

  /** Go to the end: a question was just asked there. */
  jump() {
    this.#follower.jump();
  }

  #clear() {
    this.#views = [];
    this.#column.replaceChildren();
  }

  /** @param {string} model */
  #greet(model) {
    if (this.#empty) return;
    const rows = words.suggestions.map((suggestion) => {
      const button = h("button", { type: "button" }, h("span", {}, suggestion), icon(ICONS.next));
      button.addEventListener("click", () => this.#actions.ask(suggestion));
      return h("li", {}, button);
    });
    this.#empty = h(
      "div",
      { class: "empty" },
      h("h2", {}, words.emptyTitle),
      h("p", {}, model ? words.emptyModel(model) : ""),
      h("ul", {}, ...rows),
    );
    this.#column.append(this.#empty);
  }
}

/** Where a question is written: one field that grows, one button that is Send or Stop and never moves. */
import { ICONS, h, icon } from "../dom.js";
import { en } from "../strings/en.js";

/** Some browsers report the Enter that ends a composition only by this code. */
const COMPOSING_KEY_CODE = 229;

/**
 * @typedef {object} ComposerActions
 * @property {(question: string) => void} send
 * @property {() => void} stop
 */

/** The composer of one chat. */
export class Composer {
  #field = h("textarea", {
    rows: "1",
    "aria-label": en.composer,
    placeholder: en.placeholder,
    enterkeyhint: "send",
    autocomplete: "off",
    dir: "auto",
  });
  #send = icon(ICONS.send);
  #stop = icon(ICONS.stop, { filled: true });
  #button = h("button", { type: "submit", class: "go" }, this.#send);
  element = h("form", { class: "composer" }, this.#field, this.#button);
  #actions;
  #isAnswering = false;

  /** @param {ComposerActions} actions */
  constructor(actions) {
    this.#actions = actions;
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#press();
    });
    this.#field.addEventListener("keydown", (event) => this.#key(event));
    this.#field.addEventListener("input", () => this.#grow());
    // The second press of a double click must not stop what the first one sent.
    this.#button.addEventListener("click", (event) => event.detail > 1 && this.#isAnswering && event.preventDefault());
    // A press must not take the focus (and, on a phone, the keyboard) out of the field.
    this.#button.addEventListener("pointerdown", (event) => event.preventDefault());
    this.element.addEventListener("pointerdown", (event) => {
      if (event.target === this.element) {
        event.preventDefault();
        this.focus();
      }
    });
    this.#label();
  }

  /** Put the caret into the field. */
  focus() {
    this.#field.focus({ preventScroll: true });
  }

  /** Put the caret back, but not where that would open a keyboard over the answer. */
  refocus() {
    if (!matchMedia("(pointer: coarse)").matches) this.focus();
  }

  /**
   * Turn the button.
   * @param {boolean} isAnswering
   */
  turn(isAnswering) {
    if (isAnswering === this.#isAnswering) return;
    this.#isAnswering = isAnswering;
    this.#button.replaceChildren(isAnswering ? this.#stop : this.#send);
    this.#label();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const isComposing = event.isComposing || event.keyCode === COMPOSING_KEY_CODE;
    if (event.key !== "Enter" || event.shiftKey || event.altKey || isComposing) return;
    event.preventDefault();
    if (!this.#isAnswering) this.#ask();
  }

  #press() {
    if (this.#isAnswering) this.#actions.stop();
    else this.#ask();
  }

  #ask() {
    const question = this.#field.value.trim();
    if (question === "") return this.focus();
    this.#field.value = "";
    this.#grow();
    this.#actions.send(question);
  }

  #grow() {
    this.#field.style.height = "auto";
    this.#field.style.height = `${this.#field.scrollHeight}px`;
    this.#label();
  }

  #label() {
    const name = this.#isAnswering ? en.stop : en.send;
    this.#button.setAttribute("aria-label", name);
    this.#button.title = name;
    // Not `disabled`: that would drop the focus of whoever stands on the button.
    const isIdle = !this.#isAnswering && this.#field.value.trim() === "";
    this.#button.setAttribute("aria-disabled", String(isIdle));
  }
}

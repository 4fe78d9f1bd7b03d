/**
 * Where a question is written: one field that grows, one button that is Send or Stop and never moves.
 * While an answer is made, Enter puts what was written in a queue of one.
 */
import { ICONS, h, icon } from "../dom.js";
import { words } from "../strings/words.js";
import { Queued } from "./queued.js";

/** Some browsers report the Enter that ends a composition only by this code. */
const COMPOSING_KEY_CODE = 229;

/**
 * @typedef {object} ComposerActions
 * @property {(question: string) => void} send
 * @property {() => void} stop
 * @property {(draft: Draft) => void} keep keep what is not sent yet for the next load
 */

/** @typedef {import("../memory.js").Draft} Draft */

/** The composer of one chat. */
export class Composer {
  #field = h("textarea", {
    rows: "1",
    "aria-label": words.composer,
    placeholder: words.placeholder,
    enterkeyhint: "send",
    autocomplete: "off",
    dir: "auto",
  });
  #send = icon(ICONS.send);
  #stop = icon(ICONS.stop, { filled: true });
  #button = h("button", { type: "submit", class: "go" }, this.#send);
  #queued = new Queued({ edit: () => this.#takeBack(), drop: () => this.#queue("") });
  element = h("form", { class: "composer" }, this.#queued.element, this.#field, this.#button);
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
    this.#field.addEventListener("input", () => {
      this.#grow();
      this.#keep();
    });
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
   * Show what was not sent yet when the page was left.
   * @param {Draft} draft
   */
  restore({ text, queued }) {
    this.#queued.text = queued;
    this.#field.value = text;
    this.#grow();
  }

  /**
   * Turn the button. What waits is sent when the answer is whole; after any other end its writer decides.
   * @param {boolean} isAnswering
   * @param {boolean} isWhole whether the last answer came to its own end
   */
  turn(isAnswering, isWhole) {
    if (isAnswering === this.#isAnswering) return;
    this.#isAnswering = isAnswering;
    if (!isAnswering && this.#queued.text !== "") this.#goOn(isWhole);
    this.#button.replaceChildren(isAnswering ? this.#stop : this.#send);
    this.#label();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const isComposing = event.isComposing || event.keyCode === COMPOSING_KEY_CODE;
    if (event.key !== "Enter" || event.shiftKey || event.altKey || isComposing) return;
    event.preventDefault();
    if (!this.#isAnswering) this.#ask();
    else if (this.#field.value.trim() !== "") this.#queue(joined(this.#queued.text, this.#emptied()));
  }

  #press() {
    if (this.#isAnswering) this.#actions.stop();
    else this.#ask();
  }

  #ask() {
    if (this.#field.value.trim() === "") return this.focus();
    const question = this.#emptied();
    this.#keep();
    this.#actions.send(question);
  }

  /** Take the text out of the field. */
  #emptied() {
    const text = this.#field.value.trim();
    this.#field.value = "";
    this.#grow();
    return text;
  }

  /** @param {string} text */
  #queue(text) {
    this.#queued.text = text;
    this.#keep();
    this.refocus();
  }

  #takeBack() {
    this.#field.value = joined(this.#queued.text, this.#field.value);
    this.#queue("");
    this.#grow();
    this.focus();
  }

  /** @param {boolean} isWhole */
  #goOn(isWhole) {
    const question = this.#queued.text;
    if (!isWhole) return this.#takeBack();
    this.#queue("");
    queueMicrotask(() => this.#actions.send(question)); // the end is drawn first
  }

  #keep() {
    this.#actions.keep({ text: this.#field.value, queued: this.#queued.text });
  }

  #grow() {
    this.#field.style.height = "auto";
    this.#field.style.height = `${this.#field.scrollHeight}px`;
    this.#label();
  }

  #label() {
    const name = this.#isAnswering ? words.stop : words.send;
    this.#button.setAttribute("aria-label", name);
    this.#button.title = name;
    // Not `disabled`: that would drop the focus of whoever stands on the button.
    const isIdle = !this.#isAnswering && this.#field.value.trim() === "";
    this.#button.setAttribute("aria-disabled", String(isIdle));
  }
}

/**
 * @param {string} before
 * @param {string} after
 */
function joined(before, after) {
  return [before, after].filter((text) => text !== "").join("\n\n");
}

/** A question in its soft block, and the field in its place while it is changed. */
import { ICONS, h } from "../dom/elements.js";
import { gallery } from "../images/gallery.js";
import { words } from "../strings/words.js";
import { Switch, small } from "./actions.js";

/** @typedef {import("../conversation/conversation.js").Versions} Versions */
/** @typedef {import("../stream/types.js").Picture} Picture */

/**
 * @typedef {object} QuestionActions
 * @property {(text: string) => boolean} asked it is to be asked in other words; false: that may not be, and it stays open
 * @property {(message: string) => void} turnTo
 * @property {(picture: Picture) => string} addressOf
 */

/** Shows one question. */
export class Question {
  #text;
  #shown;
  #edit = small(ICONS.edit, words.edit, () => this.#open());
  switch;
  #bar;
  /** @type {HTMLElement | null} */
  #form = null;
  #asked;
  #hasImages;
  element;

  /**
   * @param {string} text
   * @param {readonly Picture[]} images
   * @param {QuestionActions} actions
   */
  constructor(text, images, { asked, turnTo, addressOf }) {
    this.#text = text;
    this.#asked = asked;
    this.#hasImages = images.length > 0;
    this.#shown = h("p", { class: "question", dir: "auto", hidden: text === "" }, text);
    this.switch = new Switch(words.questionVersions, turnTo);
    this.#bar = h("div", { class: "deeds asked" }, this.#edit, this.switch.element);
    const seen = this.#hasImages ? [gallery(images, addressOf)] : [];
    this.element = h("div", { class: "questioning", hidden: text === "" && !this.#hasImages }, ...seen, this.#shown, this.#bar);
  }

  /**
   * @param {Versions} versions
   * @param {boolean} isOpen whether it may be changed now
   */
  show(versions, isOpen) {
    this.switch.show(versions, isOpen);
    this.#edit.disabled = !isOpen;
    if (!isOpen && this.#form) this.#close();
  }

  #open() {
    const field = h("textarea", { rows: "1", "aria-label": words.edit, dir: "auto" });
    const cancel = h("button", { type: "button" }, words.cancel);
    const form = h("form", { class: "editing" }, field, h("div", { class: "choices" }, cancel, h("button", { class: "main" }, words.askInstead)));
    const grow = () => {
      field.style.height = "auto";
      field.style.height = `${field.scrollHeight}px`;
    };
    field.value = this.#text;
    field.addEventListener("input", grow);
    field.addEventListener("keydown", (event) => this.#key(event, form));
    cancel.addEventListener("click", () => this.#close());
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const text = field.value.trim();
      if ((text === "" && !this.#hasImages) || !this.#asked(text)) return field.focus();
      this.#close();
    });
    this.#form = form;
    this.#shown.hidden = this.#bar.hidden = true;
    this.element.append(form);
    grow();
    field.focus();
  }

  /**
   * @param {KeyboardEvent} event
   * @param {HTMLFormElement} form
   */
  #key(event, form) {
    if (event.isComposing) return;
    if (event.key === "Escape") {
      event.stopPropagation();
      this.#close();
    } else if (event.key === "Enter" && !event.shiftKey && !event.altKey) {
      event.preventDefault();
      form.requestSubmit();
    }
  }

  #close() {
    this.#form?.remove();
    this.#form = null;
    this.#shown.hidden = this.#text === "";
    this.#bar.hidden = false;
    this.#edit.focus();
  }
}

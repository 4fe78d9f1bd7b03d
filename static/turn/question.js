/** A question in the log, and the form that replaces it while it is edited. */
import { ICONS, h, setText } from "../dom/elements.js";
import { isTouch } from "../dom/pointer.js";
import { createGallery } from "../images/gallery.js";
import { words } from "../strings/words.js";
import { BranchSwitch, iconButton } from "./actions.js";

/** @typedef {import("../conversation/conversation.js").Versions} Versions */
/** @typedef {import("../stream/types.js").Picture} Picture */

/**
 * @typedef {object} QuestionActions
 * @property {(text: string) => boolean} submit ask the edited question; false: refused, the form stays open
 * @property {(message: string) => void} showBranch
 * @property {() => void} closed the form was closed
 * @property {(picture: Picture) => string} addressOf
 */

/** Longer questions are folded. */
const MAX_LINES = 16;
const MAX_CHARS_SHOWN = 1_600;

/** The view of one question. */
export class QuestionView {
  #text;
  #paragraph;
  #edit = iconButton(ICONS.edit, words.edit, () => this.#openForm());
  switch;
  #more = h("button", { type: "button", class: "unfold" });
  #bar;
  /** @type {HTMLElement | null} */
  #form = null;
  #submit;
  #hasImages;
  #isUnnamed;
  #addressOf;
  #closed;
  element;

  /**
   * @param {string} text
   * @param {readonly Picture[]} images
   * @param {QuestionActions} actions
   */
  constructor(text, images, { submit, showBranch, addressOf, closed }) {
    this.#text = text;
    this.#submit = submit;
    this.#hasImages = images.length > 0;
    this.#isUnnamed = images.some(({ id }) => id === "");
    this.#addressOf = addressOf;
    this.#closed = closed;
    this.#paragraph = h("p", { class: "question", dir: "auto", hidden: text === "" }, text);
    const isLong = text.length > MAX_CHARS_SHOWN || text.split("\n", MAX_LINES + 1).length > MAX_LINES;
    if (isLong) this.#fold(true);
    this.#more.hidden = !isLong;
    this.#more.addEventListener("click", () => this.#fold(!this.#paragraph.classList.contains("folded")));
    this.switch = new BranchSwitch(words.questionVersions, showBranch);
    this.#bar = h("div", { class: "turn-actions of-question" }, this.#edit, this.switch.element, this.#more);
    const thumbnails = this.#hasImages ? [createGallery(images, addressOf)] : [];
    this.element = h("div", { class: "question-box", hidden: text === "" && !this.#hasImages }, ...thumbnails, this.#paragraph, this.#bar);
  }

  /** Whether the form is open. */
  get isEditing() {
    return this.#form !== null;
  }

  /**
   * Show images that had no address before: the page was reloaded before the server had named them.
   * @param {readonly Picture[]} images
   */
  showImages(images) {
    if (!this.#isUnnamed || images.some(({ id }) => id === "")) return;
    this.#isUnnamed = false;
    this.element.querySelectorAll("img").forEach((image, at) => {
      const picture = images[at];
      if (picture && !image.hasAttribute("src")) image.setAttribute("src", this.#addressOf(picture));
    });
  }

  /**
   * @param {Versions} versions
   * @param {boolean} isEditable
   */
  show(versions, isEditable) {
    this.switch.show(versions, isEditable);
    this.#edit.disabled = !isEditable;
    if (!isEditable && this.#form) this.#closeForm();
  }

  /** @param {boolean} isFolded */
  #fold(isFolded) {
    this.#paragraph.classList.toggle("folded", isFolded);
    setText(this.#more, isFolded ? words.showMore : words.showLess);
    this.#more.setAttribute("aria-expanded", String(!isFolded));
  }

  #openForm() {
    const field = h("textarea", { rows: "1", "aria-label": words.edit, dir: "auto" });
    const cancel = h("button", { type: "button" }, words.cancel);
    const form = h("form", { class: "editing" }, field, h("div", { class: "choices" }, cancel, h("button", { class: "main" }, words.sendEdited)));
    const grow = () => {
      field.style.height = "auto";
      field.style.height = `${field.scrollHeight}px`;
    };
    field.value = this.#text;
    field.addEventListener("input", grow);
    field.addEventListener("keydown", (event) => this.#keyPressed(event, form));
    cancel.addEventListener("click", () => this.#closeForm());
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const text = field.value.trim();
      if ((text === "" && !this.#hasImages) || !this.#submit(text)) return field.focus();
      this.#closeForm();
    });
    this.#form = form;
    this.#paragraph.hidden = this.#bar.hidden = true;
    this.element.append(form);
    grow();
    field.focus();
  }

  /**
   * @param {KeyboardEvent} event
   * @param {HTMLFormElement} form
   */
  #keyPressed(event, form) {
    if (event.isComposing) return;
    if (event.key === "Escape") {
      event.stopPropagation();
      this.#closeForm();
    } else if (event.key === "Enter" && !event.shiftKey && !event.altKey && (!isTouch() || event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      form.requestSubmit();
    }
  }

  #closeForm() {
    this.#form?.remove();
    this.#form = null;
    this.#paragraph.hidden = this.#text === "";
    this.#bar.hidden = false;
    this.#edit.focus();
    this.#closed();
  }
}

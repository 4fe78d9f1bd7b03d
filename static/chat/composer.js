/**
 * Where a question is written: one field that grows, images above it, one button that is Send or Stop and never moves.
 * While an answer is made, Enter puts what was written in a queue of one.
 */
import { MOST_IMAGES } from "../conversation/conversation.js";
import { ICONS, h, icon } from "../dom/elements.js";
import { words } from "../strings/words.js";
import { Queued } from "./queued.js";

/** Some browsers report the Enter that ends a composition only by this code. */
const COMPOSING_KEY_CODE = 229;

/**
 * @typedef {object} ComposerActions
 * @property {(question: string, images: readonly Picture[]) => boolean} send false: that may not be sent now, and stays
 * @property {() => void} stop
 * @property {(draft: Draft) => void} keep keep what is not sent yet for the next load
 * @property {() => void} changed there are other images now
 * @property {(sentence: string) => void} told something has to be said
 * @property {(sentence: string) => void} said the same, for those who don't see it
 */

/** @typedef {import("../conversation/storage.js").Draft} Draft */
/** @typedef {import("../stream/types.js").Picture} Picture */
/** @typedef {import("./attachments.js").Tray} Tray */

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
  #queued = new Queued({ edit: () => this.#takeBack(), drop: () => this.#queue("", []) });
  #picker = h("input", { type: "file", accept: "image/*", multiple: true, hidden: true, "aria-label": words.addImages });
  #attach = h("button", { type: "button", class: "attach", "aria-label": words.addImages, title: words.addImages }, icon(ICONS.image));
  #target = h("p", { class: "target", hidden: true }, words.dropHere);
  element = h("form", { class: "composer" }, this.#queued.element, this.#attach, this.#field, this.#button, this.#picker, this.#target);
  /** What reads images is loaded with the first of them. @type {Tray | null} */
  #tray = null;
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
    this.#attach.addEventListener("click", () => this.#picker.click());
    this.#picker.addEventListener("change", () => {
      void this.take([...(this.#picker.files ?? [])]);
      this.#picker.value = ""; // the same file may be chosen again
    });
    this.#field.addEventListener("paste", (event) => this.#paste(event));
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
  restore({ text, queued, images }) {
    this.#queued.hold(queued, []);
    this.#field.value = text;
    this.#grow();
    if (images === 0) return;
    this.#actions.told(words.imagesGone);
    this.#keep();
  }

  /** The images that go with the next question, and those that wait with the one before it. */
  get images() {
    return [...this.#queued.images, ...this.#shown];
  }

  get #shown() {
    return this.#tray?.pictures ?? [];
  }

  /**
   * Let files go with the next question, if they are images that can be sent; what is wrong with one is said.
   * @param {readonly File[]} files
   */
  async take(files) {
    if (files.length === 0) return;
    (await this.#opened())?.take(files);
    this.refocus();
  }

  /**
   * Show that files may be let go here.
   * @param {boolean} isOver
   */
  invite(isOver) {
    this.#target.hidden = !isOver;
  }

  async #opened() {
    try {
      const { Tray } = await import("./attachments.js");
      if (this.#tray) return this.#tray;
      const { told, said } = this.#actions;
      this.#tray = new Tray({ changed: () => this.#reckon(), told, said, left: () => this.#attach.focus() });
      this.#queued.element.after(this.#tray.element);
      return this.#tray;
    } catch {
      this.#actions.told(words.notDone); // the network is gone: the next try loads it
      return null;
    }
  }

  /** There are other images now. */
  #reckon() {
    this.#label();
    this.#keep();
    this.#actions.changed();
  }

  /** @param {ClipboardEvent} event */
  #paste(event) {
    const files = [...(event.clipboardData?.files ?? [])];
    // A table or a text is put there as a picture, too: its words are what is wanted.
    if (files.length === 0 || event.clipboardData?.types.includes("text/plain")) return;
    event.preventDefault();
    void this.take(files);
  }

  /**
   * Turn the button. What waits is sent when the answer is whole; after any other end its writer decides.
   * @param {boolean} isAnswering
   * @param {boolean} isWhole whether the last answer came to its own end
   */
  turn(isAnswering, isWhole) {
    if (isAnswering === this.#isAnswering) return;
    this.#isAnswering = isAnswering;
    if (!isAnswering && !this.#queued.isEmpty) this.#goOn(isWhole);
    this.#button.replaceChildren(isAnswering ? this.#stop : this.#send);
    this.#label();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const isComposing = event.isComposing || event.keyCode === COMPOSING_KEY_CODE;
    if (event.key !== "Enter" || event.shiftKey || event.altKey || isComposing) return;
    event.preventDefault();
    if (this.#isAnswering) this.#enqueue();
    else this.#ask();
  }

  #press() {
    if (this.#isAnswering) this.#actions.stop();
    else this.#ask();
  }

  /**
   * Do something with what was written, as soon as its images are read; one that can't be was told, and stops it.
   * @param {(text: string, images: readonly Picture[]) => boolean} use whether it is not needed here any more
   */
  #use(use) {
    if (this.#tray?.isBusy) return void this.#tray.settled.then((isFine) => isFine && this.#use(use));
    const text = this.#field.value.trim();
    if (text === "" && this.#shown.length === 0) return this.focus();
    if (!use(text, this.#shown)) return;
    this.#field.value = "";
    this.#tray?.empty();
    this.#grow();
    this.#keep();
  }

  #ask() {
    this.#use((text, images) => !this.#isAnswering && this.#actions.send(text, images));
  }

  #enqueue() {
    this.#use((text, images) => {
      const all = [...this.#queued.images, ...images];
      if (all.length > MOST_IMAGES) this.#actions.told(words.tooManyImages);
      else this.#queue(joined(this.#queued.text, text), all);
      return all.length <= MOST_IMAGES;
    });
  }

  /**
   * @param {string} text
   * @param {readonly Picture[]} images
   */
  #queue(text, images) {
    this.#queued.hold(text, images);
    this.#keep();
    this.#actions.changed();
    this.refocus();
  }

  #takeBack() {
    const { text, images } = this.#queued;
    this.#queue("", []);
    this.#putBack(text, images);
    this.focus();
  }

  /**
   * @param {string} text
   * @param {readonly Picture[]} images
   */
  #putBack(text, images) {
    this.#field.value = joined(text, this.#field.value);
    this.#grow();
    this.#tray?.put(images);
    this.#keep();
  }

  /** @param {boolean} isWhole */
  #goOn(isWhole) {
    if (!isWhole) return this.#takeBack();
    const { text, images } = this.#queued;
    this.#queue("", []);
    // The end is drawn first.
    queueMicrotask(() => this.#actions.send(text, images) || this.#putBack(text, images));
  }

  /** Images are not kept, and a question that lacks them must not be sent by itself. */
  #keep() {
    const [text, queued] = [this.#field.value, this.#queued.text];
    const isHeld = this.#queued.images.length > 0;
    const images = this.images.length;
    this.#actions.keep(isHeld ? { text: joined(queued, text), queued: "", images } : { text, queued, images });
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
    const isIdle = !this.#isAnswering && this.#field.value.trim() === "" && !this.#tray?.pictures.length && !this.#tray?.isBusy;
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

/**
 * `chat/`: The `<freshet-chat>` element: log, composer, attachments, notices. Single turns are drawn in `turn/`;
 * what stands around a chat on the page is in `sidebar/` and `settings/`.
 */
/** The images that go with the next question, above the field: seen small, each with a way to take it out again. */
import { MOST_IMAGES } from "../conversation/conversation.js";
import { ICONS, h, icon } from "../dom/elements.js";
import { shownName } from "../strings/filenames.js";
import { formatCount } from "../strings/format.js";
import { Unfit, readPicture } from "../images/downscale.js";
import { words } from "../strings/words.js";

/** @typedef {import("../stream/types.js").Picture} Picture */

/**
 * @typedef {object} TrayActions
 * @property {() => void} changed
 * @property {(sentence: string) => void} told something about a file has to be said
 * @property {(sentence: string) => void} said something went as it should, for those who don't see it
 * @property {() => void} left what the person stood on is gone
 */

/**
 * @typedef {object} Item
 * @property {HTMLLIElement} element
 * @property {HTMLButtonElement} remove
 * @property {Picture | null} picture null while it is read
 */

/** Who drops a whole folder need not read of each file in it. */
const MOST_SENTENCES = 2;

/** Holds the images of one composer. */
export class Tray {
  element = h("ul", { class: "tray", "aria-label": words.images, hidden: true });
  /** @type {Item[]} */
  #items = [];
  #actions;
  /** Whether every file so far could be read, told when none is being read. @type {Promise<boolean>} */
  #settled = Promise.resolve(true);

  /** @param {TrayActions} actions */
  constructor(actions) {
    this.#actions = actions;
  }

  /** What can be sent. */
  get pictures() {
    return this.#items.flatMap(({ picture }) => picture ?? []);
  }

  /** Whether files are being read. */
  get isBusy() {
    return this.#items.some(({ picture }) => picture === null);
  }

  /** Resolves when no file is being read any more: whether all that were could be. */
  get settled() {
    return this.#settled;
  }

  /**
   * Read files, one after the other, as many as there is room for.
   * @param {readonly File[]} files
   */
  take(files) {
    const before = this.isBusy ? this.#settled : Promise.resolve(true);
    const taken = files.slice(0, Math.max(0, MOST_IMAGES - this.#items.length));
    const items = taken.map((file) => this.#add(file.name, null));
    this.#changed();
    this.#settled = (async () => {
      const wasFine = await before;
      /** @type {string[]} */
      const sentences = [];
      let isFine = wasFine && taken.length === files.length;
      for (const [at, file] of taken.entries()) {
        const sentence = await this.#read(/** @type {Item} */ (items[at]), file, (text) => sentences.push(text));
        if (sentence !== null) sentences.push(sentence);
        isFine &&= sentence === null;
      }
      if (taken.length < files.length) sentences.push(words.unfit.many);
      if (sentences.length > 0) this.#actions.told(sentences.slice(0, MOST_SENTENCES).join(" "));
      return isFine;
    })();
  }

  /**
   * Put images back that were taken out to be sent.
   * @param {readonly Picture[]} pictures
   */
  put(pictures) {
    for (const picture of pictures) this.#add(words.imageNumber(formatCount(this.#items.length + 1)), picture);
    this.#changed();
  }

  /** Take all out. */
  empty() {
    this.#items = [];
    this.element.replaceChildren();
    this.#changed();
  }

  /**
   * @param {Item} item
   * @param {File} file
   * @param {(sentence: string) => void} note something that is no failure
   * @returns {Promise<string | null>} why it can't be sent
   */
  async #read(item, file, note) {
    const name = shownName(file.name);
    try {
      const { picture, moves } = await readPicture(file);
      if (!this.#items.includes(item)) return null; // it was taken out meanwhile
      this.#fill(item, picture);
      this.#actions.said(words.imageAdded(name));
      this.#changed();
      if (moves) note(words.unfit.moves(name));
      return null;
    } catch (error) {
      this.#drop(item);
      return words.unfit[error instanceof Unfit ? error.code : "unreadable"](name);
    }
  }

  /**
   * @param {string} name
   * @param {Picture | null} picture
   */
  #add(name, picture) {
    const label = words.dropImage(shownName(name));
    const remove = h("button", { type: "button", "aria-label": label, title: label }, icon(ICONS.close));
    const element = h("li", { class: "reading" }, remove);
    /** @type {Item} */
    const item = { element, remove, picture: null };
    remove.addEventListener("click", () => this.#takeOut(item));
    this.#items.push(item);
    this.element.append(element);
    if (picture) this.#fill(item, picture);
    return item;
  }

  /**
   * @param {Item} item
   * @param {Picture} picture
   */
  #fill(item, picture) {
    item.picture = picture;
    item.element.classList.remove("reading");
    item.element.prepend(h("img", { src: picture.data ?? "", alt: "", draggable: "false" })); // its button has the name
  }

  /** @param {Item} item */
  #takeOut(item) {
    const at = this.#items.indexOf(item);
    this.#drop(item);
    const next = this.#items[Math.min(at, this.#items.length - 1)];
    if (next) next.remove.focus();
    else this.#actions.left();
  }

  /** @param {Item} item */
  #drop(item) {
    this.#items = this.#items.filter((other) => other !== item);
    item.element.remove();
    this.#changed();
  }

  #changed() {
    this.element.hidden = this.#items.length === 0;
    this.#actions.changed();
  }
}

/**
 * `chat/`: The `<freshet-chat>` element: log, composer, attachments, notices. Single turns are drawn in `turn/`;
 * the page's parts around a chat are in `sidebar/` and `settings/`.
 */
/** The images of the next question: a row of thumbnails above the field, each with a button that removes it. */
import { MAX_IMAGES } from "../conversation/conversation.js";
import { ICONS, h, icon } from "../dom/elements.js";
import { cleanFileName } from "../strings/filenames.js";
import { formatCount } from "../strings/format.js";
import { ImageError, prepareImage } from "../images/downscale.js";
import { words } from "../strings/words.js";

/** @typedef {import("../stream/types.js").Picture} Picture */

/**
 * @typedef {object} AttachmentActions
 * @property {() => void} changed the images are others now
 * @property {(sentence: string) => void} notify show a sentence about a file
 * @property {(sentence: string) => void} announce tell a screen reader what is visible to others
 * @property {() => void} focusLost the focused thumbnail was the last one, and is removed
 */

/**
 * @typedef {object} Attachment
 * @property {HTMLLIElement} element
 * @property {HTMLButtonElement} remove
 * @property {Picture | null} picture null while the file is read
 */

/** At most this many sentences are shown after a drop, however many files of a folder were rejected. */
const MAX_SENTENCES = 2;

/** The attachments of one composer. */
export class Attachments {
  element = h("ul", { class: "tray", "aria-label": words.images, hidden: true });
  /** @type {Attachment[]} */
  #items = [];
  #actions;
  /** @type {Promise<boolean>} */
  #settled = Promise.resolve(true);

  /** @param {AttachmentActions} actions */
  constructor(actions) {
    this.#actions = actions;
  }

  /** The images that have been read. */
  get pictures() {
    return this.#items.flatMap(({ picture }) => picture ?? []);
  }

  /** How many there are, those that are being read included. */
  get count() {
    return this.#items.length;
  }

  /** Whether files are being read. */
  get isBusy() {
    return this.#items.some(({ picture }) => picture === null);
  }

  /** Resolves when no file is being read any more, to whether all of them could be read. */
  get settled() {
    return this.#settled;
  }

  /**
   * Read files one after the other, up to the limit of images.
   * @param {readonly File[]} files
   */
  addFiles(files) {
    const previous = this.isBusy ? this.#settled : Promise.resolve(true);
    const accepted = files.slice(0, Math.max(0, MAX_IMAGES - this.#items.length));
    const items = accepted.map((file) => this.#add(file.name, null));
    this.#changed();
    this.#settled = (async () => {
      const wasFine = await previous;
      /** @type {string[]} */
      const sentences = [];
      let isFine = wasFine && accepted.length === files.length;
      for (const [at, file] of accepted.entries()) {
        const error = await this.#read(/** @type {Attachment} */ (items[at]), file, (text) => sentences.push(text));
        if (error !== null) sentences.push(error);
        isFine &&= error === null;
      }
      if (accepted.length < files.length) sentences.push(words.imageErrors.tooMany);
      if (sentences.length > 0) this.#actions.notify(sentences.slice(0, MAX_SENTENCES).join(" "));
      return isFine;
    })();
  }

  /**
   * Add images that have been read before, such as those of a message taken back from the queue.
   * @param {readonly Picture[]} pictures
   */
  restore(pictures) {
    for (const picture of pictures) this.#add(words.imageNumber(formatCount(this.#items.length + 1)), picture);
    this.#changed();
  }

  /** Remove all. */
  clear() {
    this.#items = [];
    this.element.replaceChildren();
    this.#changed();
  }

  /**
   * @param {Attachment} item
   * @param {File} file
   * @param {(sentence: string) => void} warn called with a remark about a file that can be sent
   * @returns {Promise<string | null>} why the file can't be sent
   */
  async #read(item, file, warn) {
    const name = cleanFileName(file.name);
    try {
      const { picture, isAnimated } = await prepareImage(file);
      if (!this.#items.includes(item)) return null; // removed meanwhile
      this.#fill(item, picture);
      this.#actions.announce(words.imageAdded(name));
      this.#changed();
      if (isAnimated) warn(words.imageErrors.animated(name));
      return null;
    } catch (error) {
      this.#remove(item);
      return words.imageErrors[error instanceof ImageError ? error.code : "unreadable"](name);
    }
  }

  /**
   * @param {string} name
   * @param {Picture | null} picture
   */
  #add(name, picture) {
    const label = words.dropImage(cleanFileName(name));
    const remove = h("button", { type: "button", "aria-label": label, title: label }, icon(ICONS.close));
    const element = h("li", { class: "reading" }, remove);
    /** @type {Attachment} */
    const item = { element, remove, picture: null };
    remove.addEventListener("click", () => this.#removeFocused(item));
    this.#items.push(item);
    this.element.append(element);
    if (picture) this.#fill(item, picture);
    return item;
  }

  /**
   * @param {Attachment} item
   * @param {Picture} picture
   */
  #fill(item, picture) {
    item.picture = picture;
    item.element.classList.remove("reading");
    item.element.prepend(h("img", { src: picture.data ?? "", alt: "", draggable: "false" })); // named by its button
  }

  /** @param {Attachment} item */
  #removeFocused(item) {
    const at = this.#items.indexOf(item);
    this.#remove(item);
    const next = this.#items[Math.min(at, this.#items.length - 1)];
    if (next) next.remove.focus();
    else this.#actions.focusLost();
  }

  /** @param {Attachment} item */
  #remove(item) {
    this.#items = this.#items.filter((other) => other !== item);
    item.element.remove();
    this.#changed();
  }

  #changed() {
    this.element.hidden = this.#items.length === 0;
    this.#actions.changed();
  }
}

/**
 * The text of one answer, from the value that grows with its frames to the stream that shows it.
 *
 * The renderer is half of all the page's code, and the first picture needs none of it: it is loaded beside.
 */
import { h, setText } from "../dom/elements.js";
import { Slices } from "../dom/idle-slices.js";
import { isOver } from "../stream/answer-state.js";

/** @typedef {import("../stream/answer-state.js").Answer} Answer */
/** @typedef {typeof import("../render/index.js").stream} Render */

/** After a failure it is asked for again, with the next frame, but not sooner than this. */
const AGAIN_MS = 2_000;
/** So much is shown at once, however long it takes. */
const AT_ONCE_CHARS = 3_000;
/** A longer text is written in pieces of about this, as if it came like that: its elements are the same. */
const PIECE_CHARS = 1_000;

/** @type {Render | null} */
let render = null;
/** @type {Promise<void> | null} */
let loading = null;

/** Whether it could not be loaded, and whom to tell. */
let isMissed = false;
let missed = () => {};

/** Load the renderer. Settles when it is there, or could not be loaded; never rejects. */
export function warm() {
  loading ??= import("../render/index.js").then(
    (module) => {
      render = module.stream;
      whenIdle(module.rehearse);
    },
    () => {
      setTimeout(() => (loading = null), AGAIN_MS);
      isMissed = true;
      missed();
    },
  );
  return loading;
}

/**
 * Hear when the renderer could not be loaded: it may belong to a version of the page that is gone.
 * @param {() => void} act
 */
export function whenMissed(act) {
  missed = act;
  if (isMissed) act();
}

/** @param {() => void} run */
function whenIdle(run) {
  if ("requestIdleCallback" in globalThis) requestIdleCallback(run);
  else setTimeout(run);
}

/** Shows one answer's text inside its element. */
export class Prose {
  element;
  #text = "";
  #redraws = 0;
  #sources;
  #isEnded = false;
  /** @type {ReturnType<Render> | null} */
  #stream = null;
  /** @type {Answer | null} */
  #latest = null;
  #slices = new Slices(() => this.#write(PIECE_CHARS));

  /** @param {string} name class of the element */
  constructor(name) {
    this.element = h("div", { class: name });
    this.#sources = /** @type {Answer["sources"]} */ ([]);
  }

  /** How much of the text is there. */
  get chars() {
    return this.#text.length;
  }

  /** Whether all of an answer that is over is there. */
  get isWhole() {
    return this.#isEnded && !this.#stream?.isWaiting;
  }

  /**
   * Show what an answer says. What is there already stays untouched when the text only grew.
   * @param {Answer} answer
   */
  show(answer) {
    this.#latest = answer;
    if (render) return this.#draw(render);
    void warm().then(() => {
      if (render) this.#draw(render);
      else this.#spell();
    });
  }

  /** Without a renderer the text as it is, until the network is back. */
  #spell() {
    setText(this.element, this.#latest?.text ?? "");
    if (this.element.style.whiteSpace !== "") return;
    this.element.style.whiteSpace = "pre-wrap";
    const again = () => {
      loading = null;
      if (this.#latest) this.show(this.#latest);
    };
    addEventListener("online", again, { once: true });
  }

  /** @param {Render} render */
  #draw(render) {
    const answer = this.#latest;
    if (!answer) return;
    if (this.element.style.whiteSpace !== "") {
      this.element.style.whiteSpace = "";
      this.element.replaceChildren();
    }
    const { text, redraws, sources } = answer;
    const isReplaced = redraws !== this.#redraws && !text.startsWith(this.#text);
    const isOther = isReplaced || sources !== this.#sources || (this.#isEnded && text.length > this.#text.length);
    if (isOther) this.#clear();
    this.#redraws = redraws;
    this.#sources = sources;
    this.#stream ??= render(this.element, { sources });
    if (this.#slices.isUnderWay) return;
    if (this.#write(AT_ONCE_CHARS)) this.#slices.begin();
  }

  /**
   * Write some more of the text.
   * @param {number} chars about so many
   * @returns {boolean} whether there is more
   */
  #write(chars) {
    const answer = this.#latest;
    const from = this.#text.length;
    if (!answer || !this.#stream) return false;
    const { text } = answer;
    if (text.length > from) {
      const to = cutOf(text, from, chars);
      this.#stream.write(text.slice(from, to));
      this.#text = text.slice(0, to);
      if (to < text.length) return true;
    }
    if (!isOver(answer) || this.#isEnded) return false;
    this.#isEnded = true;
    this.#stream.end();
    return false;
  }

  #clear() {
    this.#slices.stop();
    this.#stream?.close();
    this.#stream = null;
    this.#isEnded = false;
    this.#text = "";
    this.element.replaceChildren();
  }
}

/**
 * @param {string} text
 * @param {number} from
 * @param {number} chars
 * @returns {number} where to cut: behind a line end where there is one, else anywhere but within a character
 */
function cutOf(text, from, chars) {
  const to = from + chars;
  if (to >= text.length) return text.length;
  const end = text.lastIndexOf("\n", to - 1) + 1;
  if (end > from) return end;
  return /[\uD800-\uDBFF]/.test(text.charAt(to - 1)) ? to + 1 : to;
}

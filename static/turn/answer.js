/**
 * The text of one answer: feeds what its frames add to the Markdown renderer.
 *
 * The renderer is half of the page's code and not needed for the first paint, so it is loaded in parallel.
 */
import { h, setText } from "../dom/elements.js";
import { SlicedTask } from "../dom/idle-slices.js";
import { isOver } from "../stream/answer-state.js";
import { CutFinder, wordStart } from "./text-cuts.js";
import { warmUp } from "./warm-up.js";

/** @typedef {import("../stream/answer-state.js").Answer} Answer */
/** @typedef {typeof import("../render/index.js").stream} Render */

/** After a failed load, the next frame after this time loads the renderer again. */
const RELOAD_AFTER_MS = 2_000;
/** This much is rendered synchronously. */
const SYNC_CHARS = 3_000;
/** Longer text is rendered in slices of about this size, with the same result as if it had streamed. */
const SLICE_CHARS = 1_000;

/** Of a longer answer that is over, the end is shown at once, and the whole when it is rendered. */
const WHOLE_CHARS = 12_000;
/** Half of this fills any screen. */
const END_CHARS = 8_000;
/** How long to wait for the entity table between two looks at it. */
const WAIT_MS = 50;

/** @type {Render | null} */
let render = null;
/** @type {Promise<void> | null} */
let loading = null;

let isWarm = false;
let hasLoadFailed = false;
/** Called when the load failed. */
let loadFailed = () => {};

/** Load the renderer. Settles when it is loaded or the load failed; never rejects. */
export function loadRenderer() {
  loading ??= import("../render/index.js").then(
    (module) => {
      render = module.stream;
    },
    () => {
      setTimeout(() => (loading = null), RELOAD_AFTER_MS);
      hasLoadFailed = true;
      loadFailed();
    },
  );
  return loading;
}

/**
 * Make the renderer ready for an answer, which somebody is about to ask for: the first one would be slower without it.
 * @param {HTMLElement} host a part of the page in which a sample is rendered out of sight
 */
export function warmUpRenderer(host) {
  void loadRenderer().then(() => {
    if (isWarm || !render || !host.isConnected) return;
    isWarm = true;
    warmUp(render, host);
  });
}

/**
 * Call `act` when the renderer can't be loaded: it may belong to a version of the page that the server no longer has.
 * @param {() => void} act
 */
export function onRendererMissing(act) {
  loadFailed = act;
  if (hasLoadFailed) act();
}

/** One answer's text in its element, which another one may replace. */
export class AnswerText {
  /** @type {HTMLElement} */
  element;
  #text = "";
  #redraws = 0;
  #sources;
  #isEnded = false;
  /** Where the whole answer is rendered while only its end is shown. @type {HTMLElement | null} */
  #whole = null;
  /** @type {ReturnType<Render> | null} */
  #stream = null;
  /** @type {Answer | null} */
  #latest = null;
  #task = new SlicedTask(() => this.#write(SLICE_CHARS));

  /** @param {string} name class of the element */
  constructor(name) {
    this.element = h("div", { class: name });
    this.#sources = /** @type {Answer["sources"]} */ ([]);
  }

  /** How many characters are rendered. */
  get chars() {
    return this.#text.length;
  }

  /** Whether the answer is over and rendered to its end. */
  get isWhole() {
    return this.#isEnded && !this.#stream?.isWaiting;
  }

  /**
   * Show an answer's text. If it only grew, existing elements stay untouched.
   * @param {Answer} answer
   */
  show(answer) {
    this.#latest = answer;
    if (render) return this.#draw(render);
    void loadRenderer().then(() => {
      if (render) this.#draw(render);
      else this.#showUnrendered();
    });
  }

  /** Show the Markdown as plain text until the renderer can be loaded. */
  #showUnrendered() {
    setText(this.element, this.#latest?.text ?? "");
    if (this.element.style.whiteSpace !== "") return;
    this.element.style.whiteSpace = "pre-wrap";
    const retry = () => {
      loading = null;
      if (this.#latest) this.show(this.#latest);
    };
    addEventListener("online", retry, { once: true });
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
    const isCited = sources !== this.#sources && citesChanged(this.#text, this.#sources, sources);
    const isNew = isReplaced || isCited || (this.#isEnded && text.length > this.#text.length);
    if (isNew) this.#reset();
    else if (sources !== this.#sources) this.#stream?.cite(sources);
    this.#redraws = redraws;
    this.#sources = sources;
    if (this.#stream === null && isOver(answer) && text.length > WHOLE_CHARS) return this.#showEnd(render, answer);
    this.#stream ??= render(this.element, { sources });
    if (this.#task.isScheduled) return;
    if (this.#write(SYNC_CHARS)) this.#task.run();
  }

  /**
   * Render the next part of the text.
   * @param {number} chars approximate length
   * @returns {boolean} whether more is left
   */
  #write(chars) {
    const answer = this.#latest;
    const from = this.#text.length;
    if (!answer || !this.#stream) return false;
    const { text } = answer;
    if (text.length > from) {
      const to = sliceEnd(text, from, chars);
      this.#stream.write(text.slice(from, to));
      this.#text = text.slice(0, to);
      if (to < text.length) return true;
    }
    if (!isOver(answer) || this.#isEnded) return false;
    this.#isEnded = true;
    this.#stream.end();
    if (this.#whole) this.#showWhole(this.#whole);
    return false;
  }

  /**
   * Show the end of a long answer, and render the whole one off the page: shown while it is rendered, all of it would
   * rush past.
   * @param {Render} render
   * @param {Answer} answer
   */
  #showEnd(render, { text, sources }) {
    const end = render(this.element, { sources });
    end.write(endOf(text));
    end.end();
    this.#whole = h("div", { class: this.element.className });
    this.#stream = render(this.#whole, { sources });
    this.#task.schedule();
  }

  /**
   * Put the whole answer in the place of its end, which stays where it is on the screen.
   * @param {HTMLElement} whole
   */
  #showWhole(whole) {
    if (whole !== this.#whole) return; // reset meanwhile
    if (this.#stream?.isWaiting) return void setTimeout(() => this.#showWhole(whole), WAIT_MS);
    this.#whole = null;
    const scroller = this.element.closest(".scroller");
    const { top, bottom } = this.element.getBoundingClientRect();
    this.element.replaceWith(whole);
    this.element = whole;
    if (scroller === null) return;
    const { scrollTop, clientHeight, scrollHeight } = scroller;
    const { top: screenTop, bottom: screenBottom } = scroller.getBoundingClientRect();
    const isAtEnd = bottom < screenBottom || scrollHeight - scrollTop - clientHeight < 1;
    if (top < screenTop || isAtEnd) scroller.scrollTop += whole.getBoundingClientRect().bottom - bottom;
  }

  #reset() {
    this.#task.stop();
    this.#stream?.close();
    this.#stream = null;
    this.#isEnded = false;
    this.#whole = null;
    this.#text = "";
    this.element.replaceChildren();
  }
}

/**
 * Return the end of a text, from the start of a block on. What it needs of the text before is put in front: the line that
 * begins a code block, the head of a table, the targets of links.
 * @param {string} text
 * @param {number} [chars] about its length: half of that at least, and at most two and a half times as much
 */
export function endOf(text, chars = END_CHARS) {
  const least = text.length - chars;
  const finder = new CutFinder();
  /** The places before, once they are passed. @type {import("./text-cuts.js").Cut[] | null} */
  let passed = null;
  let at = 0;
  for (const line of text.split("\n")) {
    if (at > least) passed ??= [finder.block, finder.line, { at: wordStart(text, least), before: finder.opening }];
    if (at > text.length - chars / 2) break;
    finder.read(line, at);
    if (finder.block.at >= least) {
      passed = [finder.block];
      break;
    }
    at += line.length + 1;
  }
  const cut = passed?.find((found) => found.at >= text.length - 2.5 * chars) ?? { at: wordStart(text, least), before: finder.opening };
  return finder.definitions + cut.before + text.slice(cut.at);
}

/**
 * Return whether a text cites a source that has changed: then it must be rendered again.
 * @param {string} text
 * @param {Answer["sources"]} before
 * @param {Answer["sources"]} after
 */
function citesChanged(text, before, after) {
  const known = new Map(before.map((source) => [source.n, source]));
  const isSame = (/** @type {Answer["sources"][number]} */ { n, source, title }) => known.get(n)?.source === source && known.get(n)?.title === title;
  const kept = new Set(after.map(({ n }) => n));
  const changed = [...after.filter((source) => !isSame(source)), ...before.filter(({ n }) => !kept.has(n))];
  return changed.some(({ n }) => text.includes(`[${n}]`));
}

/**
 * Return where a slice ends: after a line end if there is one, else not between surrogates.
 * @param {string} text
 * @param {number} from
 * @param {number} chars
 */
function sliceEnd(text, from, chars) {
  const to = from + chars;
  if (to >= text.length) return text.length;
  const end = text.lastIndexOf("\n", to - 1) + 1;
  if (end > from) return end;
  return /[\uD800-\uDBFF]/.test(text.charAt(to - 1)) ? to + 1 : to;
}

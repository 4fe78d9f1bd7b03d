/** Names of rare characters: the table of all is loaded when an answer has one, and the answer waits for it there. */
import { LONGEST, learn, rareIn } from "./references.js";

/** An answer waits no longer; then, and where the table can't be loaded, such names stay as they are written. */
const PATIENCE_MS = 5_000;

/** @type {Promise<void> | null} */
let learning = null;

/** Load the table. Settles when it is known, or not to be waited for. */
function load() {
  learning ??= Promise.race([
    import("./entities.js").then(({ names }) => learn(names())).catch(() => {}),
    new Promise((resolve) => setTimeout(resolve, PATIENCE_MS)),
  ]);
  return learning;
}

/** Lets a text through up to the first name that is not known yet, and the rest as soon as the table is there. */
export class Rare {
  #pass;
  /** What went through last: a name may begin there. */
  #tail = "";
  /** @type {string | null} null: nothing waits */
  #waiting = null;
  /** What is to be done when all is through. @type {(() => void) | null} */
  #act = null;

  /** @param {(text: string) => void} pass takes the text, in order; not called any more after `close` */
  constructor(pass) {
    this.#pass = pass;
  }

  /** Whether some of the text waits. */
  get isWaiting() {
    return this.#waiting !== null;
  }

  /** @param {string} text */
  write(text) {
    if (this.#waiting !== null) {
      this.#waiting += text;
      return;
    }
    const at = rareIn(this.#tail + text) - this.#tail.length;
    const ready = at < 0 ? text : text.slice(0, at);
    this.#tail = (this.#tail + ready).slice(-LONGEST);
    if (ready !== "") this.#pass(ready);
    if (at < 0) return;
    this.#waiting = text.slice(at);
    void load().then(() => this.#open());
  }

  /**
   * Do something when all of the text is through: now, where nothing waits.
   * @param {() => void} act not called any more after `close`
   */
  end(act) {
    if (this.#waiting === null) act();
    else this.#act = act;
  }

  /** Let nothing through any more. */
  close() {
    this.#pass = () => {};
    this.#act = null;
  }

  #open() {
    const text = this.#waiting ?? "";
    this.#waiting = null;
    this.#pass(text);
    this.#act?.();
  }
}

/** Loads the complete table of entities when a text contains an uncommon one, and holds the text back there until then. */
import { MAX_REFERENCE_CHARS, setEntities, findUnknownEntity } from "./character-references.js";

/** The longest wait. After it, and if the table can't be loaded, such entities are shown as written. */
const MAX_WAIT_MS = 5_000;

/** @type {Promise<void> | null} */
let loadingEntities = null;

/** Load the table. Resolves when it is loaded, has failed to load, or the longest wait is over. */
function loadEntities() {
  loadingEntities ??= Promise.race([
    import("./entities.js").then(({ entityNames }) => setEntities(entityNames())).catch(() => {}),
    new Promise((resolve) => setTimeout(resolve, MAX_WAIT_MS)),
  ]);
  return loadingEntities;
}

/** Passes text on up to the first unknown entity, and the rest when the table is loaded. */
export class EntityBuffer {
  #pass;
  /** The end of the text passed on: an entity may begin there. */
  #tail = "";
  /** @type {string | null} the text held back; null if there is none */
  #held = null;
  /** @type {(() => void) | null} called when all text has been passed on */
  #ended = null;

  /** @param {(text: string) => void} pass receives the text in order; not called after `close` */
  constructor(pass) {
    this.#pass = pass;
  }

  /** Whether text is held back. */
  get isWaiting() {
    return this.#held !== null;
  }

  /** @param {string} text */
  write(text) {
    if (this.#held !== null) {
      this.#held += text;
      return;
    }
    const at = findUnknownEntity(this.#tail + text) - this.#tail.length;
    const ready = at < 0 ? text : text.slice(0, at);
    this.#tail = (this.#tail + ready).slice(-MAX_REFERENCE_CHARS);
    if (ready) this.#pass(ready);
    if (at < 0) return;
    this.#held = text.slice(at);
    void loadEntities().then(() => this.#release());
  }

  /**
   * End the text.
   * @param {() => void} ended called when all text has been passed on; not called after `close`
   */
  end(ended) {
    if (this.#held === null) ended();
    else this.#ended = ended;
  }

  /** Stop passing text on. */
  close() {
    this.#pass = () => {};
    this.#ended = null;
  }

  #release() {
    const text = this.#held ?? "";
    this.#held = null;
    this.#pass(text);
    this.#ended?.();
  }
}

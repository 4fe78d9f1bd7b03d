/** Uploads files as documents, two at a time; each tells how far it is. */
import { parseObject } from "../stream/frames.js";

/** @typedef {import("./conversation.js").AttachedDocument} AttachedDocument */
/** @typedef {{conversation: string} | {collection: string}} DocumentPlace where a document belongs */
/** @typedef {"unreadable" | "encrypted" | "large" | "type" | "empty" | "timeout" | "storage" | "full" | "busy" | "unavailable"} UploadError */

const MAX_AT_ONCE = 2;
/** The server's limit of a file, so that a larger one is not sent in vain. */
const MAX_BYTES = 20_000_000;
/** A busy server is asked again so often. */
const MAX_TRIES = 4;
const MAX_PAUSE_MS = 10_000;
/** Reading a file on the server takes half a minute at most, its upload as long as it needs. */
const TIMEOUT_MS = 15 * 60_000;

/** What a person is told, by the server's error code. @type {Record<string, UploadError>} */
const ERRORS = {
  document_unreadable: "unreadable",
  document_encrypted: "encrypted",
  document_too_large: "large",
  body_too_large: "large",
  document_type: "type",
  document_empty: "empty",
  document_timeout: "timeout",
  storage_full: "storage",
  too_many_bytes: "storage",
  conversation_full: "full",
  too_many_documents: "full",
  too_many_collections: "full",
};

/** One file on its way to the server. `settled` resolves when it is `done`, `failed` or `cancelled`. */
export class Upload {
  /** @type {"waiting" | "sending" | "reading" | "done" | "failed" | "cancelled"} */
  state = "waiting";
  /** The part that is sent, 0 to 1. */
  progress = 0;
  /** @type {AttachedDocument | null} */
  stored = null;
  /** @type {UploadError | null} */
  error = null;
  file;
  place;
  settled;
  #changed;
  /** @type {() => void} */
  #settle = () => {};
  #request = new XMLHttpRequest();

  /**
   * @param {File} file
   * @param {DocumentPlace} place
   * @param {(upload: Upload) => void} changed
   */
  constructor(file, place, changed) {
    this.file = file;
    this.place = place;
    this.#changed = changed;
    this.settled = new Promise((/** @type {(value: void) => void} */ resolve) => (this.#settle = resolve));
  }

  /** Whether it is still going on. */
  get isActive() {
    return this.state === "waiting" || this.state === "sending" || this.state === "reading";
  }

  /** End it. What the server has stored by then stays there. */
  cancel() {
    if (!this.isActive) return;
    this.#set("cancelled");
    this.#request.abort();
  }

  /**
   * Send the file, again while the server is busy.
   * @param {string} base the address that the server's paths are relative to
   */
  async send(base) {
    if (this.file.size > MAX_BYTES) return this.#fail("large");
    if (this.file.size === 0) return this.#fail("empty");
    const query = new URLSearchParams({ name: this.file.name, ...this.place });
    const address = new URL(`documents?${query}`, base).href;
    for (let tries = 1; this.isActive; tries += 1) {
      this.#set("sending");
      const { status, text, retry_ms } = await this.#post(address);
      if (!this.isActive) return;
      const body = parseObject(text) ?? {};
      if (status === 201) {
        this.stored = /** @type {AttachedDocument} */ (/** @type {unknown} */ (body));
        return this.#set("done");
      }
      const isBusy = status === 429 || status === 503;
      if (!isBusy || tries >= MAX_TRIES || retry_ms > MAX_PAUSE_MS) {
        const { code } = /** @type {Record<string, unknown>} */ (body.error ?? {});
        return this.#fail(ERRORS[String(code)] ?? (status === 413 ? "large" : isBusy ? "busy" : "unavailable"));
      }
      this.#set("waiting");
      await new Promise((resolve) => setTimeout(resolve, retry_ms));
    }
  }

  /**
   * @param {string} address
   * @returns {Promise<{status: number, text: string, retry_ms: number}>} status 0: there was no response
   */
  #post(address) {
    const request = (this.#request = new XMLHttpRequest());
    return new Promise((resolve) => {
      request.open("POST", address);
      request.timeout = TIMEOUT_MS;
      request.setRequestHeader("Content-Type", "application/octet-stream");
      request.upload.addEventListener("progress", ({ loaded, total }) => {
        this.progress = total > 0 ? loaded / total : 0;
        this.#set(this.progress < 1 ? "sending" : "reading");
      });
      request.addEventListener("loadend", () => {
        const seconds = Number(request.getResponseHeader("Retry-After") ?? 1);
        resolve({ status: request.status, text: request.status === 0 ? "" : request.responseText, retry_ms: 1_000 * (Number.isFinite(seconds) ? seconds : 1) });
      });
      request.send(this.file);
    });
  }

  /** @param {UploadError} error */
  #fail(error) {
    if (!this.isActive) return;
    this.error = error;
    this.#set("failed");
  }

  /** @param {Upload["state"]} state */
  #set(state) {
    if (!this.isActive) return; // it was cancelled
    this.state = state;
    this.#changed(this);
    if (!this.isActive) this.#settle();
  }
}

/** The uploads of one page. */
export class DocumentUploads {
  #base;
  #running = 0;
  /** @type {Upload[]} */
  #waiting = [];

  /** @param {string} base the address that the server's paths are relative to */
  constructor(base) {
    this.#base = base;
  }

  /**
   * Upload a file when its turn comes.
   * @param {File} file
   * @param {DocumentPlace} place
   * @param {(upload: Upload) => void} changed called at each step
   */
  add(file, place, changed) {
    const upload = new Upload(file, place, changed);
    this.#waiting.push(upload);
    queueMicrotask(() => this.#next()); // `changed` may need what this returns
    return upload;
  }

  /**
   * Delete a document.
   * @param {string} id
   * @returns {Promise<boolean>} whether it is deleted
   */
  async remove(id) {
    const address = new URL(`documents/${encodeURIComponent(id)}`, this.#base);
    const response = await fetch(address, { method: "DELETE", signal: AbortSignal.timeout(10_000) }).catch(() => null);
    return response !== null && (response.ok || response.status === 404);
  }

  #next() {
    while (this.#running < MAX_AT_ONCE) {
      const upload = this.#waiting.shift();
      if (!upload) return;
      this.#running += 1;
      void upload.send(this.#base).finally(() => {
        this.#running -= 1;
        this.#next();
      });
    }
  }
}

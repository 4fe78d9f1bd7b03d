/**
 * `conversation/`: The message tree, the dialogue that changes it, and where it is stored: the server's
 * endpoints and this browser. Nothing here draws.
 */
/** The doors of the conversations that the server keeps: listing, reading, changing, deleting. */
import { parseObject } from "../stream/frames.js";

/** @typedef {import("./branches.js").Kept} Kept */

/**
 * @typedef {object} Head a conversation without its messages
 * @property {string} id
 * @property {string} title
 * @property {number} updated_at milliseconds since 1970
 * @property {string | null} run the answer that is being made in it
 */

/** @typedef {{conversations: Head[], next: string | null}} Page */
/** @typedef {{title?: string, leaf?: string, system?: string | null}} Change */

/** @typedef {{id: string} | {status: number, code: string, param: string}} Brought the new conversation, or why there is none; status 0: it is not known */

/**
 * @typedef {object} Link to what a conversation shows to others
 * @property {number | null} shared_at milliseconds since 1970; null: it is not shared
 * @property {string | null} address null: it is not shared, or the server can't tell the link again
 */

/** What a door may take; then the page goes on without. */
const DOOR_PATIENCE_MS = 10_000;
const PAGE_HEADER = "Freshet-Page";
/** A file takes as long as a slow line needs for it. */
const SLOWEST_BYTES_PER_MS = 32;

/** The conversations of this visitor. Whatever goes wrong is null, and `missing` where there is no such one. */
export class Library {
  #base;
  #told;
  #signedOut;
  /** The answer to the next `load`, where it was asked for already. @type {Promise<Response | null> | null} */
  early = null;

  /**
   * @param {string} base the address of the page, to which the doors are relative
   * @param {(page: string) => void} told which version of the page the server has; with every answer
   * @param {() => void} signedOut the server does not know who asks any more
   */
  constructor(base, told, signedOut) {
    this.#base = base;
    this.#told = told;
    this.#signedOut = signedOut;
  }

  /** Ask for nothing but which version of the page the server has. */
  async look() {
    await this.ask("GET", "conversations?limit=1");
  }

  /**
   * List one page of them.
   * @param {{search?: string, after?: string | null, signal?: AbortSignal}} what
   * @returns {Promise<Page | null>}
   */
  async list({ search = "", after = null, signal }) {
    const query = new URLSearchParams({ ...(search !== "" && { search }), ...(after !== null && { after }) });
    const { body } = await this.ask("GET", `conversations?${query}`, { signal });
    return Array.isArray(body?.conversations) ? /** @type {Page} */ (/** @type {unknown} */ (body)) : null;
  }

  /**
   * Read one with its messages.
   * @param {string} id
   * @returns {Promise<Kept | "missing" | null>}
   */
  async load(id) {
    const { early } = this;
    this.early = null;
    const { status, body } = await this.ask("GET", this.#path(id), { early });
    if (status === 404) return "missing";
    return Array.isArray(body?.messages) ? /** @type {Kept} */ (/** @type {unknown} */ (body)) : null;
  }

  /**
   * @param {string} id
   * @param {Change} change
   * @returns {Promise<Head | null>}
   */
  async change(id, change) {
    const { body } = await this.ask("PATCH", this.#path(id), { json: change });
    return /** @type {Head | null} */ (/** @type {unknown} */ (body));
  }

  /**
   * @param {string} id
   * @returns {Promise<boolean>} whether it is gone
   */
  async remove(id) {
    const { status, body } = await this.ask("DELETE", this.#path(id));
    return body !== null || status === 404;
  }

  /**
   * Take a deletion back.
   * @param {string} id
   */
  async restore(id) {
    return (await this.ask("POST", `${this.#path(id)}/restore`)).body !== null;
  }

  /**
   * Make a conversation of a file that one was saved in.
   * @param {Blob} file
   * @returns {Promise<Brought>}
   */
  async bring(file) {
    const patience_ms = DOOR_PATIENCE_MS + file.size / SLOWEST_BYTES_PER_MS;
    try {
      const response = await fetch(new URL("conversations/import", this.#base), {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: file,
        signal: AbortSignal.timeout(patience_ms),
      });
      const body = parseObject(await response.text()) ?? {};
      if (response.ok) return { id: String(body.id) };
      const { code, param } = /** @type {Record<string, unknown>} */ (body.error ?? {});
      return { status: response.status, code: String(code ?? ""), param: String(param ?? "body") };
    } catch {
      return { status: 0, code: "", param: "" };
    }
  }

  /**
   * Ask for the link that shows a conversation.
   * @param {string} id
   * @returns {Promise<Link | null>} null: it can't be known now
   */
  async link(id) {
    return this.#linkOf(await this.ask("GET", `${this.#path(id)}/share`));
  }

  /**
   * Make a link that shows the branch as it is now.
   * @param {string} id
   * @returns {Promise<Link | null>} null: that did not work
   */
  async share(id) {
    return this.#linkOf(await this.ask("POST", `${this.#path(id)}/share`));
  }

  /**
   * End the link.
   * @param {string} id
   * @returns {Promise<Link | null>} null: that did not work
   */
  async unshare(id) {
    return this.#linkOf(await this.ask("DELETE", `${this.#path(id)}/share`));
  }

  /**
   * Name the file of a conversation.
   * @param {string} id
   * @param {"markdown" | "json"} format
   */
  file(id, format) {
    return new URL(`${this.#path(id)}/export?format=${format}`, this.#base).href;
  }

  /**
   * Name the address of an image.
   * @param {string} id
   * @param {string} image
   */
  picture(id, image) {
    return new URL(`${this.#path(id)}/images/${encodeURIComponent(image)}`, this.#base).href;
  }

  /**
   * @param {{body: Record<string, unknown> | null}} told
   * @returns {Link | null}
   */
  #linkOf({ body }) {
    if (!body) return null;
    const { path, shared_at } = body;
    return { shared_at: typeof shared_at === "number" ? shared_at : null, address: typeof path === "string" ? new URL(path, this.#base).href : null };
  }

  /** @param {string} id */
  #path(id) {
    return `conversations/${encodeURIComponent(id)}`;
  }

  /**
   * Ask the server for something.
   * @param {string} method
   * @param {string} path
   * @param {{json?: object, signal?: AbortSignal, early?: Promise<Response | null> | null}} [what]
   * @returns {Promise<{status: number, body: Record<string, unknown> | null}>} without a body unless all went well
   */
  async ask(method, path, { json, signal, early } = {}) {
    const aborter = new AbortController();
    const timer = setTimeout(() => aborter.abort(), DOOR_PATIENCE_MS);
    signal?.addEventListener("abort", () => aborter.abort());
    try {
      const headers = json ? { "Content-Type": "application/json" } : undefined;
      const body = json && JSON.stringify(json);
      const response = (await early) ?? (await fetch(new URL(path, this.#base), { method, headers, body, cache: "no-store", signal: aborter.signal }));
      const page = response.headers.get(PAGE_HEADER);
      if (page) this.#told(page);
      const told = parseObject(await response.text());
      if (response.status === 401 && codeOf(told) !== "no_owner") this.#signedOut();
      return { status: response.status, body: response.ok ? told : null };
    } catch {
      return { status: 0, body: null };
    } finally {
      clearTimeout(timer);
    }
  }
}

/** @param {Record<string, unknown> | null} told */
function codeOf(told) {
  return /** @type {Record<string, unknown>} */ (told?.error ?? {}).code;
}

/**
 * `conversation/`: The message tree, the dialogue that changes it, and where it is stored: the server's
 * endpoints and this browser. Nothing here draws.
 */
/** A client of the server's conversation endpoints: list, load, change, delete, import, share. */
import { COOKIES, withToken } from "../stream/access.js";
import { parseObject } from "../stream/frames.js";

/** @typedef {import("./branches.js").StoredConversation} StoredConversation */

/**
 * @typedef {object} ConversationSummary a conversation without its messages
 * @property {string} id
 * @property {string} title
 * @property {string | null} [leaf] the last message of the branch that is shown
 * @property {number} updated_at milliseconds since 1970
 * @property {string | null} run the run that is answering in it
 * @property {{message: string, text: string, marks: [number, number][]}} [match] where a search found it, with the places of the words
 */

/** @typedef {{conversations: ConversationSummary[], next: string | null, cursor?: string}} ConversationPage `cursor`: a feed of changes that begins there follows this list */
/** @typedef {{title?: string, leaf?: string, system?: string | null}} ConversationPatch */

/** @typedef {{kind: "image" | "file", reason: string, count: number}} LeftOut what of a conversation was not imported */
/** @typedef {{id: string, title: string, left_out: LeftOut[]}} ImportedConversation */
/** @typedef {{index: number, title: string, code: string, param: string | null}} ImportFailure why a conversation of a file was not imported */

/**
 * @typedef {{id: string}
 *   | {imported: ImportedConversation[], failed: ImportFailure[]}
 *   | {status: number, code: string, param: string, retry_ms: number | null}} ImportResult
 *   the new conversation, a report of several, or the server's error; status 0: there was no response
 */

/**
 * @typedef {object} ShareLink the public link of a conversation
 * @property {number | null} shared_at milliseconds since 1970; null: it is not shared
 * @property {string | null} address null: it is not shared, or the server cannot compute its link again
 */

/** A request is aborted after this long. */
const TIMEOUT_MS = 10_000;
const PAGE_HEADER = "Freshet-Page";
/** An upload at this rate or faster is not aborted. */
const MIN_BYTES_PER_MS = 32;

/** The client of one owner. A failed request returns null; a conversation that does not exist, `missing`. */
export class ConversationApi {
  #base;
  #access;
  #versionSeen;
  #signedOut;
  /** The response to the next `load`, if it was requested before. @type {Promise<Response | null> | null} */
  prefetched = null;

  /**
   * @param {string} base the address of the page, to which the endpoints are relative
   * @param {(page: string) => void} versionSeen called with the server's version of the page, on every response
   * @param {() => void} signedOut called when the server answers 401
   * @param {import("../stream/types.js").Access} [access]
   */
  constructor(base, versionSeen, signedOut, access = COOKIES) {
    this.#base = base;
    this.#access = access;
    this.#versionSeen = versionSeen;
    this.#signedOut = signedOut;
  }

  /** Request the server's version of the page, which `versionSeen` receives. */
  async checkVersion() {
    await this.request("GET", "conversations?limit=1");
  }

  /**
   * List one page of conversations.
   * @param {{search?: string, after?: string | null, signal?: AbortSignal}} query
   * @returns {Promise<ConversationPage | null>}
   * @throws {DOMException} AbortError, if the signal is already aborted
   */
  async list({ search = "", after = null, signal }) {
    const query = new URLSearchParams({ ...(search !== "" && { search }), ...(after !== null && { after }) });
    const { body } = await this.request("GET", `conversations?${query}`, { signal });
    return Array.isArray(body?.conversations) ? /** @type {ConversationPage} */ (/** @type {unknown} */ (body)) : null;
  }

  /**
   * Load a conversation with its messages.
   * @param {string} id
   * @returns {Promise<StoredConversation | "missing" | null>}
   */
  async load(id) {
    const { prefetched } = this;
    this.prefetched = null;
    const { status, body } = await this.request("GET", this.#path(id), { prefetched });
    if (status === 404) return "missing";
    return Array.isArray(body?.messages) ? /** @type {StoredConversation} */ (/** @type {unknown} */ (body)) : null;
  }

  /**
   * @param {string} id
   * @param {ConversationPatch} patch
   * @returns {Promise<ConversationSummary | null>}
   */
  async change(id, patch) {
    const { body } = await this.request("PATCH", this.#path(id), { json: patch });
    return /** @type {ConversationSummary | null} */ (/** @type {unknown} */ (body));
  }

  /**
   * @param {string} id
   * @returns {Promise<boolean>} whether it is deleted
   */
  async remove(id) {
    const { status, body } = await this.request("DELETE", this.#path(id));
    return body !== null || status === 404;
  }

  /**
   * Restore a deleted conversation.
   * @param {string} id
   */
  async restore(id) {
    return (await this.request("POST", `${this.#path(id)}/restore`)).body !== null;
  }

  /**
   * Import one exported conversation, or a list of them.
   * @param {Blob} file
   * @param {AbortSignal | null} signal ends the request
   * @returns {Promise<ImportResult>}
   */
  async importFile(file, signal = null) {
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), TIMEOUT_MS + Math.ceil(file.size / MIN_BYTES_PER_MS));
    signal?.addEventListener("abort", () => abort.abort());
    try {
      const response = await fetch(new URL("conversations/import", this.#base), {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: file,
        signal: abort.signal,
      });
      const body = parseObject(await response.text()) ?? {};
      if (Array.isArray(body.imported) && Array.isArray(body.failed)) return { imported: body.imported, failed: body.failed };
      if (response.ok) return { id: String(body.id) };
      const { code, param } = /** @type {Record<string, unknown>} */ (body.error ?? {});
      const retry_ms = 1_000 * Number(response.headers.get("Retry-After") ?? NaN);
      return { status: response.status, code: String(code ?? ""), param: String(param ?? "body"), retry_ms: Number.isFinite(retry_ms) ? retry_ms : null };
    } catch {
      return { status: 0, code: "", param: "", retry_ms: null };
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * Load the share link of a conversation.
   * @param {string} id
   * @returns {Promise<ShareLink | null>}
   */
  async shareLink(id) {
    return this.#parseLink(await this.request("GET", `${this.#path(id)}/share`));
  }

  /**
   * Share the branch as it is now, under a new link.
   * @param {string} id
   * @returns {Promise<ShareLink | null>}
   */
  async share(id) {
    return this.#parseLink(await this.request("POST", `${this.#path(id)}/share`));
  }

  /**
   * Revoke the link.
   * @param {string} id
   * @returns {Promise<ShareLink | null>}
   */
  async unshare(id) {
    return this.#parseLink(await this.request("DELETE", `${this.#path(id)}/share`));
  }

  /**
   * Return the address of the file that a conversation is exported to.
   * @param {string} id
   * @param {"markdown" | "json"} format
   */
  exportUrl(id, format) {
    return new URL(`${this.#path(id)}/export?format=${format}`, this.#base).href;
  }

  /**
   * Return the address of an image.
   * @param {string} id
   * @param {string} image
   */
  imageUrl(id, image) {
    return new URL(`${this.#path(id)}/images/${encodeURIComponent(image)}`, this.#base).href;
  }

  /**
   * Return the address of a shared link. The server may not know under which path of the site it is.
   * @param {string} path `/shared/<token>`, below the server's own path
   */
  #sharedAddress(path) {
    return new URL(path.slice(path.lastIndexOf("/shared/") + 1), this.#base).href;
  }

  /**
   * @param {{body: Record<string, unknown> | null}} response
   * @returns {ShareLink | null}
   */
  #parseLink({ body }) {
    if (!body) return null;
    const { path, shared_at } = body;
    return { shared_at: typeof shared_at === "number" ? shared_at : null, address: typeof path === "string" ? this.#sharedAddress(path) : null };
  }

  /** @param {string} id */
  #path(id) {
    return `conversations/${encodeURIComponent(id)}`;
  }

  /**
   * @param {string} path
   * @param {RequestInit} request
   */
  async #fetch(path, request) {
    const headers = await withToken(this.#access, request.body ? { "Content-Type": "application/json" } : {});
    return fetch(new URL(path, this.#base), { ...request, headers, credentials: this.#access.credentials, cache: "no-store" });
  }

  /**
   * Send a request and parse its response.
   * @param {string} method
   * @param {string} path
   * @param {{json?: object, signal?: AbortSignal, prefetched?: Promise<Response | null> | null}} [options]
   * @returns {Promise<{status: number, body: Record<string, unknown> | null}>} the body only of a 2xx response; status 0
   *   when there was no response: no network, a timeout, or an abort while waiting
   * @throws {DOMException} AbortError, if the signal is already aborted
   */
  async request(method, path, { json, signal, prefetched } = {}) {
    signal?.throwIfAborted();
    const aborter = new AbortController();
    const timer = setTimeout(() => aborter.abort(), TIMEOUT_MS);
    signal?.addEventListener("abort", () => aborter.abort());
    try {
      const body = json && JSON.stringify(json);
      const response = (await prefetched) ?? (await this.#fetch(path, { method, body, signal: aborter.signal }));
      const page = response.headers.get(PAGE_HEADER);
      if (page) this.#versionSeen(page);
      const found = parseObject(await response.text());
      if (response.status === 401 && errorCode(found) !== "no_owner") this.#signedOut();
      return { status: response.status, body: response.ok ? found : null };
    } catch {
      return { status: 0, body: null };
    } finally {
      clearTimeout(timer);
    }
  }
}

/** @param {Record<string, unknown> | null} body */
function errorCode(body) {
  return /** @type {Record<string, unknown>} */ (body?.error ?? {}).code;
}

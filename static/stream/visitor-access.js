/**
 * The access of a visitor of another site: tokens that belong to a publishable key. One that the server issued is renewed before it
 * expires, and kept for the next visit; one that the site has signed comes from the site.
 */

/** @typedef {import("./types.js").Access} Access */

/**
 * @typedef {object} PublicProfile what a key says about how its chat looks
 * @property {string | null} greeting
 * @property {string[]} suggestions
 * @property {string | null} language
 * @property {string | null} privacy_url
 * @property {boolean} signed_only
 */

/**
 * @typedef {object} TokenStorage where a visitor's token is kept
 * @property {() => string | null} load
 * @property {(token: string) => void} save
 */

/** A token is renewed when it is valid for less than this. */
const MARGIN_MS = 120_000;

/** The server refuses the key or the visitor; `code` is its reason. */
export class AccessRefused extends Error {
  /**
   * @param {string} message
   * @param {string} code
   * @param {number} status
   */
  constructor(message, code, status) {
    super(message);
    this.name = "AccessRefused";
    this.code = code;
    this.status = status;
  }
}

/** @implements {Access} */
export class VisitorAccess {
  /** @type {RequestCredentials} */
  credentials = "omit";
  #base;
  #key;
  #storage;
  /** The token that the site has signed, or what returns the next one. @type {string | (() => Promise<string>) | null} */
  #signed = null;
  /** @type {string | null} */
  #token = null;
  #renewAt_ms = 0;
  /** @type {Promise<void> | null} */
  #renewal = null;
  /** @type {PublicProfile | null} */
  #profile = null;

  /**
   * @param {string} base the server's address
   * @param {string} key
   * @param {TokenStorage} [storage]
   */
  constructor(base, key, storage = { load: () => null, save: () => {} }) {
    this.#base = base;
    this.#key = key;
    this.#storage = storage;
  }

  /**
   * Use the token that the site's own server has signed, or a function that fetches one whenever one is needed; null: be the visitor of
   * before again.
   * @param {string | (() => Promise<string>) | null} token
   */
  identify(token) {
    this.#signed = token;
    this.#token = null;
    this.#renewAt_ms = 0;
  }

  /** Return a token that is valid for a while. @throws {AccessRefused} */
  async token() {
    if (Date.now() >= this.#renewAt_ms) {
      this.#renewal ??= this.#renew().finally(() => (this.#renewal = null));
      await this.#renewal;
    }
    return this.#token;
  }

  /** Return how the key wants its chat to look. @throws {AccessRefused} */
  async profile() {
    await this.token();
    return /** @type {PublicProfile} */ (this.#profile);
  }

  async #renew() {
    const signed = typeof this.#signed === "function" ? await this.#signed() : this.#signed;
    const before = signed ?? this.#token ?? this.#storage.load();
    const found = await this.#request(before).catch((error) => {
      // The key was changed, or the stored token is not ours any more: start as a new visitor.
      if (signed === null && before !== null && error instanceof AccessRefused && error.status !== 429) return this.#request(null);
      throw error;
    });
    this.#profile = found.profile;
    this.#renewAt_ms = Date.now() + found.expires_s * 1_000 - Math.min(MARGIN_MS, found.expires_s * 500);
    this.#token = found.token ?? signed;
    if (found.token) this.#storage.save(found.token);
  }

  /**
   * @param {string | null} token
   * @returns {Promise<{token?: string, expires_s: number, profile: PublicProfile}>}
   */
  async #request(token) {
    const response = await fetch(new URL("embed/visitor-token", this.#base), {
      method: "POST",
      credentials: "omit",
      cache: "no-store",
      redirect: "error",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ key: this.#key, ...(token !== null && { token }) }),
    });
    const body = await response.json().catch(() => null);
    if (response.ok && body) return body;
    throw new AccessRefused(String(body?.error?.message ?? response.statusText), String(body?.error?.code ?? "refused"), response.status);
  }
}

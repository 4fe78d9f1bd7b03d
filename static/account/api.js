/**
 * `account/`: What a signed-in user has besides conversations: sessions on other devices, and conversations from
 * before signing in. The sign-in page itself is a template.
 */
/** What the server has of a user besides conversations: the sessions on all devices, and what was a visitor's before. */

/**
 * @typedef {object} Session on one device
 * @property {string} id
 * @property {string} device its browser and system; empty where they are not known
 * @property {number} created_at milliseconds since 1970
 * @property {number} seen_at
 * @property {boolean} current whether it is the one of this page
 */

/** @typedef {(method: string, path: string) => Promise<{status: number, body: Record<string, unknown> | null}>} Asking without a body unless all went well */

/** The account of whoever uses this page. Whatever goes wrong is null or false. */
export class Account {
  #ask;

  /** @param {Asking} ask */
  constructor(ask) {
    this.#ask = ask;
  }

  /**
   * List the sessions, the one of this page first.
   * @returns {Promise<Session[] | null>}
   */
  async sessions() {
    const { body } = await this.#ask("GET", "sessions");
    if (!Array.isArray(body?.sessions)) return null;
    const sessions = /** @type {Session[]} */ (body.sessions);
    return [...sessions.filter(({ current }) => current), ...sessions.filter(({ current }) => !current)];
  }

  /**
   * End one session.
   * @param {string} id
   * @returns {Promise<boolean>} whether it is gone
   */
  async end(id) {
    const { status, body } = await this.#ask("DELETE", `sessions/${encodeURIComponent(id)}`);
    return body !== null || status === 404;
  }

  /**
   * End all sessions but the one of this page.
   * @returns {Promise<boolean>} whether they are gone
   */
  async endOthers() {
    return (await this.#ask("DELETE", "sessions")).body !== null;
  }

  /**
   * Count the conversations that this browser has from when its user was a visitor.
   * @returns {Promise<number>} 0 also where that can't be known now
   */
  async earlier() {
    return Number((await this.#ask("GET", "visitor")).body?.conversations) || 0;
  }

  /**
   * Move them to the user.
   * @returns {Promise<number | null>} how many were moved
   */
  async move() {
    const { body } = await this.#ask("POST", "visitor/move");
    return body && (Number(body.moved) || 0);
  }
}

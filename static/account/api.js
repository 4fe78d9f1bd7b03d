/**
 * `account/`: What a signed-in user has besides conversations: sessions on other devices, and conversations from
 * before signing in. The sign-in page itself is a template.
 */
/** A client of the account endpoints: the user's sessions, and moving a visitor's conversations to the user. */

/**
 * @typedef {object} DeviceSession a sign-in session on one device
 * @property {string} id
 * @property {string} device browser and operating system; empty when unknown
 * @property {number} created_at milliseconds since 1970
 * @property {number} seen_at the last request, in milliseconds since 1970
 * @property {boolean} current whether it is this page's session
 */

/** @typedef {(method: string, path: string) => Promise<{status: number, body: Record<string, unknown> | null}>} SendRequest see `ConversationApi.request` */

/** The client. A failed request returns null or false. */
export class AccountApi {
  #request;

  /** @param {SendRequest} request */
  constructor(request) {
    this.#request = request;
  }

  /**
   * List the sessions, this page's first.
   * @returns {Promise<DeviceSession[] | null>}
   */
  async sessions() {
    const { body } = await this.#request("GET", "sessions");
    if (!Array.isArray(body?.sessions)) return null;
    const sessions = /** @type {DeviceSession[]} */ (body.sessions);
    return [...sessions.filter(({ current }) => current), ...sessions.filter(({ current }) => !current)];
  }

  /**
   * Revoke a session.
   * @param {string} id
   * @returns {Promise<boolean>} whether it is revoked
   */
  async revoke(id) {
    const { status, body } = await this.#request("DELETE", `sessions/${encodeURIComponent(id)}`);
    return body !== null || status === 404;
  }

  /**
   * Revoke all sessions but this page's.
   * @returns {Promise<boolean>} whether they are revoked
   */
  async revokeOthers() {
    return (await this.#request("DELETE", "sessions")).body !== null;
  }

  /**
   * Count the conversations that belong to this browser from before the sign-in.
   * @returns {Promise<number>} 0 also when the request failed
   */
  async countVisitorConversations() {
    return Number((await this.#request("GET", "visitor")).body?.conversations) || 0;
  }

  /**
   * Move those conversations to the user.
   * @returns {Promise<number | null>} the number moved
   */
  async moveConversations() {
    const { body } = await this.#request("POST", "visitor/move");
    return body && (Number(body.moved) || 0);
  }
}

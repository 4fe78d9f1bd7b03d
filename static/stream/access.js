/**
 * `stream/`: From the network to the state of an answer: frames, transports, sessions that resume. Nothing here
 * knows the DOM or a conversation.
 */
/** How requests show who is asking: by the cookies of the page's own server, or by a token in a header. */

/** @typedef {import("./types.js").Access} Access */

/** Of the server's own page. @type {Access} */
export const COOKIES = { credentials: "same-origin", token: async () => null };

/**
 * Return the headers of a request with its token.
 * @param {Access} access
 * @param {Record<string, string>} [headers]
 * @returns {Promise<Record<string, string>>}
 */
export async function withToken(access, headers = {}) {
  const token = await access.token();
  return token === null ? headers : { ...headers, Authorization: `Bearer ${token}` };
}

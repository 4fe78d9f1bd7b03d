/**
 * `page/`: What belongs to the browser's page around the chat: its address, its tab, its service worker.
 * Everything in a chat is in `chat/`.
 */
/** The conversation in the page's address (`?c=<id>`), for reloads and the back button. */

const KEY = "c";
const ID = /^[A-Za-z0-9_-]{22}$/;

/** Return the id of the conversation in the address; empty when there is none. */
export function conversationInUrl() {
  const id = new URL(location.href).searchParams.get(KEY) ?? "";
  return ID.test(id) ? id : "";
}

/**
 * Return the address of a conversation.
 * @param {string} id empty: of a new conversation
 */
export function urlOf(id) {
  const url = new URL(location.href);
  url.hash = "";
  url.search = id === "" ? "" : new URLSearchParams({ [KEY]: id }).toString();
  return url.href;
}

/**
 * Set the conversation in the address.
 * @param {string} id
 * @param {boolean} isNewEntry whether to add a history entry, so that the back button leads to the previous conversation
 */
export function setUrl(id, isNewEntry) {
  if (id === conversationInUrl()) return;
  if (isNewEntry) history.pushState(null, "", urlOf(id));
  else history.replaceState(null, "", urlOf(id));
}

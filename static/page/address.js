/**
 * `page/`: What belongs to the browser's page around the chat: its address, its tab, its service worker.
 * Everything in a chat is in `chat/`.
 */
/** Which conversation the address of the page names, so that a reload and the back button find it. */

const KEY = "c";
const NAME = /^[A-Za-z0-9_-]{22}$/;

/** The conversation that the address names; empty where it names none. */
export function named() {
  const id = new URL(location.href).searchParams.get(KEY) ?? "";
  return NAME.test(id) ? id : "";
}

/**
 * Give the address of the page that shows a conversation.
 * @param {string} id empty: the page for a new one
 */
export function addressOf(id) {
  const url = new URL(location.href);
  url.hash = "";
  url.search = id === "" ? "" : new URLSearchParams({ [KEY]: id }).toString();
  return url.href;
}

/**
 * Let the address name what is shown.
 * @param {string} id
 * @param {boolean} isStep whether the back button is to lead to what was shown before
 */
export function nameShown(id, isStep) {
  if (id === named()) return;
  if (isStep) history.pushState(null, "", addressOf(id));
  else history.replaceState(null, "", addressOf(id));
}

/** What happens to the page around a chat: it is hidden, put to sleep, left, cut off; and the key that stops. */

/**
 * @typedef {object} Present
 * @property {(distrust: boolean) => void} woken `distrust` when connections may be dead without knowing it
 * @property {() => void} linked the network came or went
 * @property {() => void} left nobody sees the page any more; it may never come back
 * @property {() => void} hidden
 * @property {() => void} stopped
 */

/**
 * Tell a chat, until it is taken away.
 * @param {Present} chat
 * @param {AbortSignal} signal
 */
export function attend(chat, signal) {
  const options = { signal };
  addEventListener("online", () => (chat.linked(), chat.woken(true)), options);
  addEventListener("offline", () => chat.linked(), options);
  addEventListener("pageshow", (event) => event.persisted && chat.woken(true), options);
  addEventListener("pagehide", () => chat.left(), options);
  const looked = () => (document.visibilityState === "visible" ? chat.woken(false) : (chat.left(), chat.hidden()));
  document.addEventListener("visibilitychange", looked, options);
  const pressed = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "Escape" && !event.isComposing && !isInDialog(event)) chat.stopped();
  };
  document.addEventListener("keydown", pressed, options);
}

/**
 * Tell whether a key is pressed in an open dialog: there it means something else.
 * @param {Event} event
 */
function isInDialog(event) {
  return event.composedPath().some((element) => element instanceof HTMLDialogElement && element.open);
}

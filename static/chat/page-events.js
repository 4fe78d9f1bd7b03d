/** Events of the page around a chat: visibility, navigation, network, and the Escape key. */

/**
 * @typedef {object} PageEventHandlers
 * @property {(replace: boolean) => void} woken the page is in use again; `replace`: open connections may be dead unnoticed
 * @property {() => void} networkChanged the browser went online or offline
 * @property {() => void} leaving the page is hidden or left, and may be discarded without another event
 * @property {() => void} hidden
 * @property {() => void} escaped Escape was pressed outside a dialog
 */

/**
 * Call the handlers until the signal aborts.
 * @param {PageEventHandlers} handlers
 * @param {AbortSignal} signal
 */
export function watchPage(handlers, signal) {
  const options = { signal };
  addEventListener("online", () => (handlers.networkChanged(), handlers.woken(true)), options);
  addEventListener("offline", () => handlers.networkChanged(), options);
  addEventListener("pageshow", (event) => event.persisted && handlers.woken(true), options);
  addEventListener("pagehide", () => handlers.leaving(), options);
  const visibilityChanged = () => {
    if (document.visibilityState === "visible") return handlers.woken(false);
    handlers.leaving();
    handlers.hidden();
  };
  document.addEventListener("visibilitychange", visibilityChanged, options);
  const keyPressed = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "Escape" && !event.isComposing && !isInDialog(event)) handlers.escaped();
  };
  document.addEventListener("keydown", keyPressed, options);
}

/**
 * Return whether a key was pressed in an open dialog, where Escape closes the dialog.
 * @param {Event} event
 */
function isInDialog(event) {
  return event.composedPath().some((element) => element instanceof HTMLDialogElement && element.open);
}

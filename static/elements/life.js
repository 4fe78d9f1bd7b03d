/** What happens to a tab while a chat is in it: the network, being hidden and shown, Escape; and when a tab has pictures. */

/** A tab that nobody sees is drawn no more often than this. */
const HIDDEN_MS = 250;

/**
 * @typedef {object} Life
 * @property {(isSure: boolean) => void} wake look at the connection; `isSure`: whatever was open is not any more
 * @property {() => void} linked the network came or went
 * @property {() => void} leave save: the tab may go away
 * @property {() => void} hide it is hidden: a picture that was waited for may never come
 * @property {() => void} stop
 */

/**
 * Listen until the signal says otherwise.
 * @param {Life} life
 * @param {AbortSignal} signal
 */
export function live({ wake, linked, leave, hide, stop }, signal) {
  const shown = () => {
    if (document.visibilityState === "visible") return wake(false);
    leave();
    hide();
  };
  addEventListener("online", () => (linked(), wake(true)), { signal });
  addEventListener("offline", linked, { signal });
  addEventListener("pageshow", (event) => event.persisted && wake(true), { signal });
  addEventListener("pagehide", leave, { signal });
  document.addEventListener("visibilitychange", shown, { signal });
  document.addEventListener("keydown", (event) => event.key === "Escape" && !event.isComposing && !isInDialog(event) && stop(), { signal });
}

/** Draws with the browser's next picture, however often it is asked to until then; a hidden tab has no pictures. */
export class Pictures {
  #draw;
  #isAsked = false;

  /** @param {() => void} draw */
  constructor(draw) {
    this.#draw = draw;
  }

  /** Draw soon. */
  ask() {
    if (this.#isAsked) return;
    this.#isAsked = true;
    if (document.visibilityState === "visible") requestAnimationFrame(() => this.take());
    else setTimeout(() => this.take(), HIDDEN_MS);
  }

  /** Draw now what was asked for. */
  take() {
    if (!this.#isAsked) return;
    this.#isAsked = false;
    this.#draw();
  }
}

/**
 * Tell whether a key is pressed in an open dialog: there it means something else.
 * @param {Event} event
 */
function isInDialog(event) {
  return event.composedPath().some((element) => element instanceof HTMLDialogElement && element.open);
}

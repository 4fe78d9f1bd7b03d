/**
 * `dom/`: Small helpers for the DOM and the event loop that know nothing of a chat. What shows an answer belongs
 * in `turn/` or `render/`.
 */
/** Putting text into the clipboard. */
import { h } from "./elements.js";

/**
 * Copy a text. Over plain http there is no `navigator.clipboard`: then it is selected and copied by command.
 * @param {string} text
 * @param {HTMLElement} [place] a part of the page that takes the focus now: while a dialog is open, the dialog
 * @returns {Promise<boolean>} whether it is there now
 */
export async function copyText(text, place = document.body) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const before = document.activeElement;
    const field = h("textarea", { readonly: true });
    field.value = text;
    place.append(field);
    field.select();
    const isDone = document.execCommand("copy");
    field.remove();
    if (before instanceof HTMLElement) before.focus({ preventScroll: true });
    return isDone;
  }
}

/**
 * `dom/`: Small helpers for the DOM and the event loop that know nothing of a chat. What shows an answer belongs
 * in `turn/` or `render/`.
 */
/** Copies text to the clipboard. */
import { h } from "./elements.js";

/**
 * Copy a text. Over plain http there is no `navigator.clipboard`: there the text is selected and copied by `execCommand`.
 * @param {string} text
 * @param {HTMLElement} [place] an element in which focus is possible: while a modal dialog is open, the dialog
 * @returns {Promise<boolean>} whether it was copied
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

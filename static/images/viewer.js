/** One image as large as the window allows, over everything else, until it is closed. */
import { ICONS, h, icon } from "../dom/elements.js";
import { words } from "../strings/words.js";

/**
 * Show an image.
 * @param {ShadowRoot} root where it stands; its styles hold for it
 * @param {string} address
 * @param {string} name
 */
export function show(root, address, name) {
  const close = h("button", { type: "button", class: "shut", "aria-label": words.close, title: words.close, autofocus: true }, icon(ICONS.close));
  const dialog = h("dialog", { class: "viewer", "aria-label": name }, h("img", { src: address, alt: name }), close);
  // A press anywhere closes it: there is nothing else in it to press.
  dialog.addEventListener("click", () => dialog.close());
  // Escape ends what is open here; outside it would stop an answer.
  dialog.addEventListener("keydown", (event) => event.key === "Escape" && event.stopPropagation());
  dialog.addEventListener("close", () => dialog.remove());
  root.append(dialog);
  dialog.showModal();
}

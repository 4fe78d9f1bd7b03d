/** The dialog that shows one image as large as the window. */
import { ICONS, h, icon } from "../dom/elements.js";
import { words } from "../strings/words.js";

/**
 * Open the dialog.
 * @param {ShadowRoot} root its parent, whose styles apply
 * @param {string} address
 * @param {string} name
 */
export function showImage(root, address, name) {
  const close = h("button", { type: "button", class: "close", "aria-label": words.close, title: words.close, autofocus: true }, icon(ICONS.close));
  const dialog = h("dialog", { class: "viewer", "aria-label": name }, h("img", { src: address, alt: name }), close);
  dialog.addEventListener("click", () => dialog.close());
  // Escape closes the dialog; outside it would stop the answer.
  dialog.addEventListener("keydown", (event) => event.key === "Escape" && event.stopPropagation());
  dialog.addEventListener("close", () => dialog.remove());
  root.append(dialog);
  dialog.showModal();
}

/** The images of a question. Each has its final size before it loads; a click opens it at full size. */
import { h } from "../dom/elements.js";
import { formatCount } from "../strings/format.js";
import { words } from "../strings/words.js";

/** @typedef {import("../stream/types.js").Picture} Picture */

/** The aspect ratio of a single image is kept within these bounds. */
const MIN_RATIO = 0.6;
const MAX_RATIO = 2.4;
/** The longer side of a single image, and the smallest target for a finger. */
const MAX_PX = 320;
const MIN_PX = 64;

/**
 * Create the gallery of a question's images.
 * @param {readonly Picture[]} images
 * @param {(picture: Picture) => string} addressOf
 */
export function createGallery(images, addressOf) {
  const isSingle = images.length === 1;
  const tiles = images.map((picture, at) => createTile(picture, addressOf(picture), formatCount(at + 1), isSingle));
  return h("div", { class: isSingle ? "gallery alone" : "gallery" }, ...tiles);
}

/**
 * @param {Picture} picture
 * @param {string} address
 * @param {string} number
 * @param {boolean} isSingle
 */
function createTile({ width, height }, address, number, isSingle) {
  // Without an address the attribute is absent, because an empty one is an error: a broken image would be shown.
  const image = h("img", { ...(address && { src: address }), alt: words.imageNumber(number), decoding: "async", draggable: "false" });
  const button = h("button", { type: "button", title: words.showImage }, image);
  if (isSingle && width > 0 && height > 0) {
    const ratio = Math.min(MAX_RATIO, Math.max(MIN_RATIO, width / height));
    button.style.aspectRatio = String(ratio);
    button.style.inlineSize = `${Math.min(Math.max(width, MIN_PX), MAX_PX * Math.min(1, ratio))}px`;
  }
  button.addEventListener("click", () => void openViewer(button, image));
  return button;
}

/**
 * @param {HTMLElement} button
 * @param {HTMLImageElement} image
 */
async function openViewer(button, image) {
  const { showImage } = await import("./viewer.js");
  showImage(/** @type {ShadowRoot} */ (button.getRootNode()), image.src, image.alt);
}

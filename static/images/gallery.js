/** The images of a question, each in a place of its final size before it loads; pressing one shows it larger. */
import { h } from "../dom/elements.js";
import { formatCount } from "../strings/format.js";
import { words } from "../strings/words.js";

/** @typedef {import("../stream/types.js").Picture} Picture */

/** One image stands in its own shape, but never narrower or wider than this. */
const SLIMMEST = 0.6;
const WIDEST = 2.4;
/** Its longer side; and what a finger needs. */
const MOST_PX = 320;
const LEAST_PX = 64;

/**
 * Show images.
 * @param {readonly Picture[]} images
 * @param {(picture: Picture) => string} addressOf
 */
export function gallery(images, addressOf) {
  const isAlone = images.length === 1;
  const tiles = images.map((picture, at) => tile(picture, addressOf(picture), formatCount(at + 1), isAlone));
  return h("div", { class: isAlone ? "gallery alone" : "gallery" }, ...tiles);
}

/**
 * @param {Picture} picture
 * @param {string} address
 * @param {string} number
 * @param {boolean} isAlone
 */
function tile({ width, height }, address, number, isAlone) {
  const image = h("img", { src: address, alt: words.imageNumber(number), decoding: "async", draggable: "false" });
  const button = h("button", { type: "button", title: words.showImage }, image);
  if (isAlone && width > 0 && height > 0) {
    const shape = Math.min(WIDEST, Math.max(SLIMMEST, width / height));
    button.style.aspectRatio = String(shape);
    button.style.inlineSize = `${Math.min(Math.max(width, LEAST_PX), MOST_PX * Math.min(1, shape))}px`;
  }
  button.addEventListener("click", () => void enlarged(button, image));
  return button;
}

/**
 * @param {HTMLElement} button
 * @param {HTMLImageElement} image
 */
async function enlarged(button, image) {
  const { show } = await import("./viewer.js");
  show(/** @type {ShadowRoot} */ (button.getRootNode()), image.src, image.alt);
}

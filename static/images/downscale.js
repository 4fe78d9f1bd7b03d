/**
 * `images/`: Images that a person adds or looks at: their type, size, gallery and full-size view. Images
 * in an answer's Markdown are drawn in `render/`.
 */
/**
 * Turns a file that the user chose into an image to send: below the server's limit, not animated, and encoded anew, which
 * removes the camera's metadata, above all the place.
 */
import { h } from "../dom/elements.js";
import { sniff } from "./sniff.js";

/** @typedef {import("../stream/types.js").Picture} Picture */

/** Larger files are not read. */
const MAX_FILE_BYTES = 40_000_000;
/** Larger images are not decoded: they would take more memory than a phone has. */
const MAX_PIXELS = 64_000_000;
const MAX_SIDE_PX = 16_384;
/** Models gain nothing from a longer side. */
const TARGET_SIDE_PX = 2_048;
/** The server's limit. */
const MAX_BYTES = 2_000_000;
const QUALITIES = [0.88, 0.8, 0.65];
const SHRINK = 0.7;
/** The types of drawings and screenshots: sent as PNG, which keeps edges sharp, if that is below the limit. */
const LOSSLESS = new Set(["image/png", "image/gif", "image/webp", "image/bmp"]);

/** A file cannot be sent: it is no image that the browser decodes, has too many bytes, or too many pixels. */
export class ImageError extends Error {
  /** @param {"unreadable" | "heavy" | "pixels"} code */
  constructor(code) {
    super(code);
    this.code = code;
  }
}

/**
 * Read a file and encode it below the server's limit.
 * @param {File} file
 * @returns {Promise<{picture: Picture, isAnimated: boolean}>} `isAnimated`: the picture is the first frame of an animation
 * @throws {ImageError}
 */
export async function prepareImage(file) {
  if (file.size > MAX_FILE_BYTES) throw new ImageError("heavy");
  const bytes = new Uint8Array(await file.arrayBuffer().catch(unreadable));
  const { type, width, height, isAnimated } = sniff(bytes) ?? unreadable();
  if (Math.max(width, height) > MAX_SIDE_PX || width * height > MAX_PIXELS) throw new ImageError("pixels");
  const image = await decode(new Blob([bytes], { type }));
  return { picture: await fit(image, LOSSLESS.has(type)), isAnimated };
}

/** @returns {never} */
function unreadable() {
  throw new ImageError("unreadable");
}

/** @param {Blob} blob */
async function decode(blob) {
  const url = URL.createObjectURL(blob);
  const image = new Image();
  try {
    image.src = url;
    await image.decode();
    if (image.naturalWidth === 0 || image.naturalHeight === 0) unreadable();
    return image;
  } catch {
    return unreadable();
  } finally {
    URL.revokeObjectURL(url);
  }
}

/**
 * Scale an image down until its encoding is below the limit.
 * @param {HTMLImageElement} image
 * @param {boolean} isLossless
 * @returns {Promise<Picture>}
 */
async function fit(image, isLossless) {
  let scale = Math.min(1, TARGET_SIDE_PX / Math.max(image.naturalWidth, image.naturalHeight));
  for (;;) {
    const width = Math.max(1, Math.round(image.naturalWidth * scale));
    const height = Math.max(1, Math.round(image.naturalHeight * scale));
    const blob = await encode(image, width, height, isLossless);
    if (blob) return { ...(await toPicture(blob)), width, height };
    if (Math.max(width, height) < 64) unreadable(); // the browser cannot encode it: an image this small is always below the limit
    scale *= SHRINK;
  }
}

/**
 * @param {HTMLImageElement} image
 * @param {number} width
 * @param {number} height
 * @param {boolean} isLossless
 * @returns {Promise<Blob | null>} null when it is above the limit at every quality
 */
async function encode(image, width, height, isLossless) {
  const canvas = h("canvas", { width: String(width), height: String(height) });
  const context = canvas.getContext("2d") ?? unreadable();
  try {
    context.imageSmoothingQuality = "high";
    context.drawImage(image, 0, 0, width, height);
    const png = isLossless ? await toBlob(canvas, "image/png") : null;
    if (png) return png;
    context.globalCompositeOperation = "destination-over"; // transparent pixels would become black in a JPEG
    context.fillStyle = "#fff";
    context.fillRect(0, 0, width, height);
    for (const quality of QUALITIES) {
      const blob = await toBlob(canvas, "image/jpeg", quality);
      if (blob) return blob;
    }
    return null;
  } finally {
    canvas.width = canvas.height = 0; // free the memory now: phones limit that of all canvases
  }
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {string} type
 * @param {number} [quality]
 * @returns {Promise<Blob | null>} null when it is above the limit
 */
async function toBlob(canvas, type, quality) {
  /** @type {Blob | null} */
  const blob = await new Promise((done) => canvas.toBlob(done, type, quality));
  return blob && blob.type === type && blob.size <= MAX_BYTES ? blob : null;
}

/** @param {Blob} blob */
async function toPicture(blob) {
  const reader = new FileReader();
  const data = await new Promise((done, fail) => {
    reader.addEventListener("load", () => done(String(reader.result)));
    reader.addEventListener("error", () => fail(new ImageError("unreadable")));
    reader.readAsDataURL(blob);
  });
  return { id: "", data };
}

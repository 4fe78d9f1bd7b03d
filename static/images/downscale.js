/**
 * `images/`: Images that a person adds or looks at: their type, size, digest, gallery and full-size view. Images
 * in an answer's Markdown are drawn in `render/`.
 */
/**
 * From a file that a person chose to an image that can be sent: small enough, still, and drawn anew, so that what a
 * camera wrote beside the picture (where it was taken, above all) stays behind.
 */
import { h } from "../dom/elements.js";
import { sha256 } from "./sha256.js";
import { sniff } from "./sniff.js";

/** @typedef {import("../stream/types.js").Picture} Picture */

/** A file beyond this is not even read. */
const MOST_FILE_BYTES = 40_000_000;
/** Beyond this a picture is not decoded: it would take more memory than a phone has. */
const MOST_PIXELS = 64_000_000;
const MOST_SIDE = 16_384;
/** No model looks closer than this. */
const LONGEST_SIDE = 2_048;
/** The server takes no more. */
const MOST_BYTES = 2_000_000;
const QUALITIES = [0.88, 0.8, 0.65];
const SHRINK = 0.7;
/** What is drawn rather than photographed: edges stay sharp where that is small enough. */
const DRAWN = new Set(["image/png", "image/gif", "image/webp", "image/bmp"]);

/** Why a file can't be sent: it is no image that can be read, too heavy, or has too many pixels. */
export class Unfit extends Error {
  /** @param {"unreadable" | "heavy" | "pixels"} code */
  constructor(code) {
    super(code);
    this.code = code;
  }
}

/**
 * Read a file and make it small.
 * @param {File} file
 * @returns {Promise<{picture: Picture, moves: boolean}>} `moves`: it was an animation, of which this is the first picture
 * @throws {Unfit}
 */
export async function readPicture(file) {
  if (file.size > MOST_FILE_BYTES) throw new Unfit("heavy");
  const bytes = new Uint8Array(await file.arrayBuffer().catch(unreadable));
  const facts = sniff(bytes) ?? unreadable();
  const { type, width, height, moves } = facts;
  if (Math.max(width, height) > MOST_SIDE || width * height > MOST_PIXELS) throw new Unfit("pixels");
  const image = await decoded(new Blob([bytes], { type }));
  return { picture: await smallEnough(image, DRAWN.has(type)), moves };
}

/** @returns {never} */
function unreadable() {
  throw new Unfit("unreadable");
}

/** @param {Blob} blob */
async function decoded(blob) {
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
 * Draw it as large as may be, and smaller until it fits.
 * @param {HTMLImageElement} image
 * @param {boolean} isDrawn
 * @returns {Promise<Picture>}
 */
async function smallEnough(image, isDrawn) {
  let scale = Math.min(1, LONGEST_SIDE / Math.max(image.naturalWidth, image.naturalHeight));
  for (;;) {
    const width = Math.max(1, Math.round(image.naturalWidth * scale));
    const height = Math.max(1, Math.round(image.naturalHeight * scale));
    const blob = await encoded(image, width, height, isDrawn);
    if (blob) return { ...(await written(blob)), width, height };
    if (Math.max(width, height) < 64) unreadable(); // no browser makes that large
    scale *= SHRINK;
  }
}

/**
 * @param {HTMLImageElement} image
 * @param {number} width
 * @param {number} height
 * @param {boolean} isDrawn
 * @returns {Promise<Blob | null>} null where it is too large so
 */
async function encoded(image, width, height, isDrawn) {
  const canvas = h("canvas", { width: String(width), height: String(height) });
  const pen = canvas.getContext("2d") ?? unreadable();
  try {
    pen.imageSmoothingQuality = "high";
    pen.drawImage(image, 0, 0, width, height);
    const sharp = isDrawn ? await exported(canvas, "image/png") : null;
    if (sharp) return sharp;
    pen.globalCompositeOperation = "destination-over"; // a JPEG is black where nothing is
    pen.fillStyle = "#fff";
    pen.fillRect(0, 0, width, height);
    for (const quality of QUALITIES) {
      const blob = await exported(canvas, "image/jpeg", quality);
      if (blob) return blob;
    }
    return null;
  } finally {
    canvas.width = canvas.height = 0; // phones give a page little memory for these
  }
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {string} type
 * @param {number} [quality]
 * @returns {Promise<Blob | null>} null where it is too large
 */
async function exported(canvas, type, quality) {
  /** @type {Blob | null} */
  const blob = await new Promise((done) => canvas.toBlob(done, type, quality));
  return blob && blob.type === type && blob.size <= MOST_BYTES ? blob : null;
}

/** @param {Blob} blob */
async function written(blob) {
  const id = sha256(new Uint8Array(await blob.arrayBuffer()));
  const reader = new FileReader();
  const data = await new Promise((done, fail) => {
    reader.addEventListener("load", () => done(String(reader.result)));
    reader.addEventListener("error", () => fail(new Unfit("unreadable")));
    reader.readAsDataURL(blob);
  });
  return { id, data };
}

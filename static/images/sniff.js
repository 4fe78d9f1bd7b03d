/** Reads an image's type and size, and whether it is animated, from the file's headers, without decoding. Pure. */

/**
 * @typedef {object} ImageHeader
 * @property {string} type MIME type
 * @property {number} width in pixels
 * @property {number} height
 * @property {boolean} isAnimated
 */

/** The sizes in an AVIF or HEIC precede the image data: search this much. */
const HEAD_BYTES = 65_536;
const HEIF = { avif: "image/avif", avis: "image/avif", heic: "image/heic", heix: "image/heic", mif1: "image/heif" };

/**
 * Read the header of a file.
 * @param {Uint8Array} bytes the whole file
 * @returns {ImageHeader | null} null when the format is unknown or the header has no size
 */
export function sniff(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const text = (/** @type {number} */ at, /** @type {number} */ size) => String.fromCharCode(...bytes.subarray(at, at + size));
  try {
    const header = read(view, text);
    return header && header.width > 0 && header.height > 0 ? header : null;
  } catch (error) {
    if (error instanceof RangeError) return null; // the file is truncated
    throw error;
  }
}

/**
 * @param {DataView} view
 * @param {(at: number, size: number) => string} text
 * @returns {ImageHeader | null}
 */
function read(view, text) {
  if (text(0, 8) === "\x89PNG\r\n\x1a\n") return readPng(view, text);
  if (text(0, 3) === "\xff\xd8\xff") return readJpeg(view);
  if (/^GIF8[79]a/.test(text(0, 6))) return readGif(view);
  if (text(0, 4) === "RIFF" && text(8, 4) === "WEBP") return readWebp(view, text);
  if (text(0, 2) === "BM") {
    return { type: "image/bmp", width: view.getInt32(18, true), height: Math.abs(view.getInt32(22, true)), isAnimated: false };
  }
  return text(4, 4) === "ftyp" ? readHeif(view, text) : null;
}

/**
 * @param {DataView} view
 * @param {(at: number, size: number) => string} text
 */
function readPng(view, text) {
  let isAnimated = false;
  for (let at = 8; at + 8 <= view.byteLength && text(at + 4, 4) !== "IDAT"; at += 12 + view.getUint32(at)) {
    isAnimated ||= text(at + 4, 4) === "acTL";
  }
  return { type: "image/png", width: view.getUint32(16), height: view.getUint32(20), isAnimated };
}

/** @param {DataView} view */
function readJpeg(view) {
  let at = 2;
  for (;;) {
    while (view.getUint8(at) !== 0xff) at += 1;
    while (view.getUint8(at) === 0xff) at += 1;
    const marker = view.getUint8(at);
    at += 1;
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) return { type: "image/jpeg", width: view.getUint16(at + 5), height: view.getUint16(at + 3), isAnimated: false };
    if (marker === 0xd9 || marker === 0xda) return null;
    const isBare = (marker >= 0xd0 && marker <= 0xd8) || marker === 0x01;
    if (!isBare) at += Math.max(2, view.getUint16(at));
  }
}

/**
 * Read the blocks up to the second frame.
 * @param {DataView} view
 */
function readGif(view) {
  const tableBytes = (/** @type {number} */ flags) => (flags & 0x80 ? 3 << ((flags & 7) + 1) : 0);
  const size = { type: "image/gif", width: view.getUint16(6, true), height: view.getUint16(8, true) };
  let at = 13 + tableBytes(view.getUint8(10));
  let frames = 0;
  while (at < view.byteLength && view.getUint8(at) !== 0x3b) {
    if (view.getUint8(at) === 0x2c) {
      frames += 1;
      if (frames > 1) break;
      at += 10 + tableBytes(view.getUint8(at + 9)) + 1;
    } else if (view.getUint8(at) === 0x21) at += 2;
    else return null;
    while (view.getUint8(at) !== 0) at += 1 + view.getUint8(at);
    at += 1;
  }
  return frames > 0 ? { ...size, isAnimated: frames > 1 } : null;
}

/**
 * @param {DataView} view
 * @param {(at: number, size: number) => string} text
 */
function readWebp(view, text) {
  const type = "image/webp";
  const uint24 = (/** @type {number} */ at) => view.getUint16(at, true) + (view.getUint8(at + 2) << 16) + 1;
  const kind = text(12, 4);
  if (kind === "VP8X") return { type, width: uint24(24), height: uint24(27), isAnimated: (view.getUint8(20) & 2) !== 0 };
  if (kind === "VP8L") {
    const bits = view.getUint32(21, true);
    return { type, width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1, isAnimated: false };
  }
  return kind === "VP8 " ? { type, width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff, isAnimated: false } : null;
}

/**
 * Return the largest size among the images in the file.
 * @param {DataView} view
 * @param {(at: number, size: number) => string} text
 */
function readHeif(view, text) {
  const brand = text(8, 4);
  const type = Object.hasOwn(HEIF, brand) ? HEIF[/** @type {keyof typeof HEIF} */ (brand)] : null;
  if (type === null) return null;
  const header = { type, width: 0, height: 0, isAnimated: brand === "avis" };
  const end = Math.min(view.byteLength, HEAD_BYTES) - 16;
  for (let at = 12; at < end; at += 1) {
    if (view.getUint32(at) !== 0x69_73_70_65) continue; // "ispe"
    header.width = Math.max(header.width, view.getUint32(at + 8));
    header.height = Math.max(header.height, view.getUint32(at + 12));
  }
  return header;
}

/** What a file says in its first bytes of the image in it: its form, its size, whether it moves. Pure; nothing is decoded. */

/**
 * @typedef {object} Facts
 * @property {string} type
 * @property {number} width in pixels
 * @property {number} height
 * @property {boolean} moves
 */

/** Where the sizes of an AVIF or a HEIC stand: before the pictures. */
const HEAD_BYTES = 65_536;
const HEIF = { avif: "image/avif", avis: "image/avif", heic: "image/heic", heix: "image/heic", mif1: "image/heif" };

/**
 * Look at a file.
 * @param {Uint8Array} bytes all of it
 * @returns {Facts | null} null where it is no image of a form that is known, or says no size
 */
export function sniff(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const text = (/** @type {number} */ at, /** @type {number} */ size) => String.fromCharCode(...bytes.subarray(at, at + size));
  try {
    const facts = read(view, text);
    return facts && facts.width > 0 && facts.height > 0 ? facts : null;
  } catch (error) {
    if (error instanceof RangeError) return null; // it ends too soon
    throw error;
  }
}

/**
 * @param {DataView} view
 * @param {(at: number, size: number) => string} text
 * @returns {Facts | null}
 */
function read(view, text) {
  if (text(0, 8) === "\x89PNG\r\n\x1a\n") return png(view, text);
  if (text(0, 3) === "\xff\xd8\xff") return jpeg(view);
  if (/^GIF8[79]a/.test(text(0, 6))) return gif(view);
  if (text(0, 4) === "RIFF" && text(8, 4) === "WEBP") return webp(view, text);
  if (text(0, 2) === "BM") {
    return { type: "image/bmp", width: view.getInt32(18, true), height: Math.abs(view.getInt32(22, true)), moves: false };
  }
  return text(4, 4) === "ftyp" ? heif(view, text) : null;
}

/**
 * @param {DataView} view
 * @param {(at: number, size: number) => string} text
 */
function png(view, text) {
  let moves = false;
  for (let at = 8; at + 8 <= view.byteLength && text(at + 4, 4) !== "IDAT"; at += 12 + view.getUint32(at)) {
    moves ||= text(at + 4, 4) === "acTL";
  }
  return { type: "image/png", width: view.getUint32(16), height: view.getUint32(20), moves };
}

/** @param {DataView} view */
function jpeg(view) {
  let at = 2;
  for (;;) {
    while (view.getUint8(at) !== 0xff) at += 1;
    while (view.getUint8(at) === 0xff) at += 1;
    const marker = view.getUint8(at);
    at += 1;
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) return { type: "image/jpeg", width: view.getUint16(at + 5), height: view.getUint16(at + 3), moves: false };
    if (marker === 0xd9 || marker === 0xda) return null;
    const isAlone = (marker >= 0xd0 && marker <= 0xd8) || marker === 0x01;
    if (!isAlone) at += Math.max(2, view.getUint16(at));
  }
}

/**
 * Go from block to block as far as the second picture.
 * @param {DataView} view
 */
function gif(view) {
  const table = (/** @type {number} */ flags) => (flags & 0x80 ? 3 << ((flags & 7) + 1) : 0);
  const size = { type: "image/gif", width: view.getUint16(6, true), height: view.getUint16(8, true) };
  let at = 13 + table(view.getUint8(10));
  let pictures = 0;
  while (at < view.byteLength && view.getUint8(at) !== 0x3b) {
    if (view.getUint8(at) === 0x2c) {
      pictures += 1;
      if (pictures > 1) break;
      at += 10 + table(view.getUint8(at + 9)) + 1;
    } else if (view.getUint8(at) === 0x21) at += 2;
    else return null;
    while (view.getUint8(at) !== 0) at += 1 + view.getUint8(at);
    at += 1;
  }
  return pictures > 0 ? { ...size, moves: pictures > 1 } : null;
}

/**
 * @param {DataView} view
 * @param {(at: number, size: number) => string} text
 */
function webp(view, text) {
  const type = "image/webp";
  const three = (/** @type {number} */ at) => view.getUint16(at, true) + (view.getUint8(at + 2) << 16) + 1;
  const kind = text(12, 4);
  if (kind === "VP8X") return { type, width: three(24), height: three(27), moves: (view.getUint8(20) & 2) !== 0 };
  if (kind === "VP8L") {
    const bits = view.getUint32(21, true);
    return { type, width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1, moves: false };
  }
  return kind === "VP8 " ? { type, width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff, moves: false } : null;
}

/**
 * Find the largest size that one of these says of a picture in it.
 * @param {DataView} view
 * @param {(at: number, size: number) => string} text
 */
function heif(view, text) {
  const brand = text(8, 4);
  const type = Object.hasOwn(HEIF, brand) ? HEIF[/** @type {keyof typeof HEIF} */ (brand)] : null;
  if (type === null) return null;
  const facts = { type, width: 0, height: 0, moves: brand === "avis" };
  const end = Math.min(view.byteLength, HEAD_BYTES) - 16;
  for (let at = 12; at < end; at += 1) {
    if (view.getUint32(at) !== 0x69_73_70_65) continue; // "ispe"
    facts.width = Math.max(facts.width, view.getUint32(at + 8));
    facts.height = Math.max(facts.height, view.getUint32(at + 12));
  }
  return facts;
}

/** Reads a zip file that ChatGPT or Claude has exported: the files named `conversations.json`, and ChatGPT's images. */

const END_SIZE = 22;
const MAX_COMMENT = 65_535;
const END_MARK = 0x06054b50;
const ENTRY_MARK = 0x02014b50;
const ENTRY_SIZE = 46;
const LOCAL_MARK = 0x04034b50;
const LOCAL_SIZE = 30;
const MAX_DIRECTORY_BYTES = 32_000_000;
const STORED = 0;
const DEFLATED = 8;
const ENCRYPTED = 1;
/** ChatGPT splits a large export: `conversations-000.json`, … */
const WANTED = /(?:^|\/)conversations(?:-\d{1,4})?\.json$/;
/** ChatGPT names an image by its id, and often the name that it had: `file-AbC-photo.png`, in any folder. */
const IMAGE = /(?:^|\/)(file[-_][A-Za-z0-9]{1,64})(?:[-_.][^/]*)?$/;

/** A zip file cannot be read. */
export class ZipError extends Error {
  /** @param {"zipUnreadable" | "zipEmpty"} code */
  constructor(code) {
    super(code);
    this.code = code;
  }
}

/**
 * @typedef {object} ZipEntry
 * @property {string} name
 * @property {number} size unpacked, in bytes, as the zip file says
 * @property {() => Promise<ReadableStream<Uint8Array>>} open
 */

/**
 * Return the conversations in a zip file, sorted by name, and its images by their id.
 * @param {Blob} file
 * @returns {Promise<{conversations: ZipEntry[], images: Map<string, ZipEntry>}>}
 * @throws {ZipError}
 */
export async function openZip(file) {
  const entries = await readDirectory(file);
  const conversations = entries.filter(({ name }) => WANTED.test(name)).sort((a, b) => (a.name < b.name ? -1 : 1));
  if (conversations.length === 0) throw new ZipError("zipEmpty");
  const images = entries.map((entry) => /** @type {const} */ ([IMAGE.exec(entry.name)?.[1] ?? "", entry]));
  return { conversations, images: new Map(images.filter(([id]) => id !== "")) };
}

/** @param {Blob} file */
async function readDirectory(file) {
  const tail = await readView(file, Math.max(0, file.size - END_SIZE - MAX_COMMENT), file.size);
  let at = tail.byteLength - END_SIZE;
  while (at >= 0 && tail.getUint32(at, true) !== END_MARK) at -= 1;
  if (at < 0) throw new ZipError("zipUnreadable");
  const size = tail.getUint32(at + 12, true);
  const start = tail.getUint32(at + 16, true);
  // A zip file of more than 4 GB has other fields, which make these too large.
  if (size > MAX_DIRECTORY_BYTES || start + size > file.size) throw new ZipError("zipUnreadable");
  return parseDirectory(file, await readView(file, start, start + size));
}

/**
 * @param {Blob} file
 * @param {DataView} view
 */
function parseDirectory(file, view) {
  /** @type {ZipEntry[]} */
  const entries = [];
  let at = 0;
  while (at + ENTRY_SIZE <= view.byteLength && view.getUint32(at, true) === ENTRY_MARK) {
    const nameSize = view.getUint16(at + 28, true);
    const name = new TextDecoder().decode(new Uint8Array(view.buffer, at + ENTRY_SIZE, Math.min(nameSize, view.byteLength - at - ENTRY_SIZE)));
    const place = { method: view.getUint16(at + 10, true), packed: view.getUint32(at + 20, true), start: view.getUint32(at + 42, true) };
    const isEncrypted = (view.getUint16(at + 8, true) & ENCRYPTED) !== 0;
    entries.push({ name, size: view.getUint32(at + 24, true), open: () => openEntry(file, place, isEncrypted) });
    at += ENTRY_SIZE + nameSize + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  return entries;
}

/**
 * @param {Blob} file
 * @param {{method: number, packed: number, start: number}} place
 * @param {boolean} isEncrypted
 * @returns {Promise<ReadableStream<Uint8Array>>}
 */
async function openEntry(file, { method, packed, start }, isEncrypted) {
  const head = await readView(file, start, start + LOCAL_SIZE);
  if (isEncrypted || head.byteLength < LOCAL_SIZE || head.getUint32(0, true) !== LOCAL_MARK) throw new ZipError("zipUnreadable");
  const data = start + LOCAL_SIZE + head.getUint16(26, true) + head.getUint16(28, true);
  const stream = file.slice(data, data + packed).stream();
  if (method === STORED) return stream;
  // Browsers before 2023 cannot unpack.
  if (method !== DEFLATED || typeof DecompressionStream === "undefined") throw new ZipError("zipUnreadable");
  return stream.pipeThrough(new DecompressionStream("deflate-raw"));
}

/**
 * @param {Blob} file
 * @param {number} start
 * @param {number} end
 */
async function readView(file, start, end) {
  return new DataView(await file.slice(start, end).arrayBuffer());
}

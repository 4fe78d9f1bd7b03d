/**
 * Imports a file of conversations. A list is sent in small requests, one after the other, while it is read: so a file of any
 * size takes little memory here and on the server, and the progress is known.
 */
import { ExportImages } from "./export-images.js";
import { LIST, ListSplitter, SPACES } from "./list-splitter.js";
import { ZipError, openZip } from "./zip-file.js";

/** @typedef {import("../api.js").ImportResult} ImportResult */
/** @typedef {import("../api.js").ImportFailure} ImportFailure */
/** @typedef {import("../api.js").ImportedConversation} ImportedConversation */
/** @typedef {import("./list-splitter.js").ListItem} ListItem */

/**
 * @typedef {object} ImportReport
 * @property {ImportedConversation[]} imported
 * @property {ImportFailure[]} failed `index` counts the conversations of the file
 * @property {string} stopped why the rest of the file was not imported, as a code; empty: all of it was read
 */

/**
 * @typedef {object} ImportOptions
 * @property {number} maxBytes the server's limit for a request
 * @property {(body: Blob, signal: AbortSignal | null) => Promise<ImportResult>} send
 * @property {AbortSignal} signal stops the import: what was sent stays, and the rest is not
 * @property {(image: File) => Promise<string>} encodeImage returns a data URL within the server's limits; rejects if it is not an image
 * @property {(part: number) => void} progress called with the part that is done, 0 to 1
 * @property {(ms: number) => Promise<void>} sleep ends early when `signal` does
 */

const BATCH_BYTES = 900_000;
const BATCH_ITEMS = 50;
const MAX_UNPACKED_BYTES = 4_000_000_000;
const MAX_WAIT_MS = 90_000;
const MAX_WAITS = 20;
const DEFAULT_WAIT_MS = 2_000;
const ZIP_MARK = [0x50, 0x4b];

/**
 * Import a file.
 * @param {Blob} file
 * @param {ImportOptions} options
 * @returns {Promise<ImportResult | ImportReport>} the server's answer to one conversation alone, or a report
 */
export async function importFile(file, options) {
  const head = new Uint8Array(await file.slice(0, 4_096).arrayBuffer());
  try {
    if (startsWith(head, ZIP_MARK)) return await importZip(file, options);
    const start = startOf(head);
    if (head[start] !== LIST) return await importOne(file, options);
    const importer = new ListImporter(options);
    await importer.read(file.slice(start).stream(), (bytes) => options.progress(bytes / file.size));
    return importer.report;
  } catch (error) {
    if (error instanceof ZipError) return { status: 400, code: error.code, param: "body", retry_ms: null };
    return { status: 0, code: "unreadable", param: "body", retry_ms: null }; // the file is gone, or its packed bytes are damaged
  }
}

/**
 * @param {Blob} file
 * @param {ImportOptions} options
 * @returns {Promise<ImportResult | ImportReport>}
 */
async function importOne(file, options) {
  const { maxBytes, signal } = options;
  if (file.size > maxBytes) return { status: 413, code: "too_large", param: "body", retry_ms: null };
  const result = await sendPatiently(file, options, signal);
  return signal.aborted && "status" in result ? { imported: [], failed: [], stopped: "cancelled" } : result;
}

/**
 * @param {Blob} file
 * @param {ImportOptions} options
 * @returns {Promise<ImportReport>}
 */
async function importZip(file, options) {
  const { conversations, images } = await openZip(file);
  const total = Math.max(1, conversations.reduce((sum, { size }) => sum + size, 0));
  const importer = new ListImporter(options, new ExportImages(images, options));
  let before = 0;
  for (const { size, open } of conversations) {
    if (importer.report.stopped !== "") break;
    const base = before;
    await importer.read(await open(), (bytes) => options.progress(Math.min(1, (base + bytes) / total)));
    before += size;
  }
  return importer.report;
}

/** Sends the items of one or several lists in batches. */
class ListImporter {
  #options;
  #images;
  /** @type {BlobPart[][]} */
  #batch = [];
  #batchBytes = 0;
  /** The place of the batch's first conversation in the file. */
  #first = 0;
  #next = 0;
  #unpacked = 0;
  /** @type {ImportReport} */
  report = { imported: [], failed: [], stopped: "" };

  /**
   * @param {ImportOptions} options
   * @param {ExportImages | null} images those that lie beside the list in a zip file
   */
  constructor(options, images = null) {
    this.#options = options;
    this.#images = images;
  }

  /**
   * Read a list, and import it.
   * @param {ReadableStream<Uint8Array>} stream
   * @param {(bytes: number) => void} progress
   */
  async read(stream, progress) {
    const splitter = new ListSplitter(this.#options.maxBytes - 2);
    const reader = stream.getReader();
    let bytes = 0;
    while (this.report.stopped === "") {
      const { done, value } = await reader.read();
      if (done) break;
      bytes += value.length;
      this.#unpacked += value.length;
      for (const item of splitter.push(value)) await this.#add(item);
      if (this.#options.signal.aborted) this.report.stopped = "cancelled";
      if (this.#unpacked > MAX_UNPACKED_BYTES) this.report.stopped = "too_large";
      progress(bytes);
    }
    await this.#flush();
    if (this.report.stopped !== "") void reader.cancel().catch(() => {});
    else if (!splitter.isList) this.report.stopped = "unknown_format";
    else if (!splitter.isOver) this.report.stopped = "cut";
    else if (this.#next === 0) this.report.stopped = "no_conversations";
  }

  /** @param {ListItem} item */
  async #add({ parts, size }) {
    if (this.report.stopped !== "" || this.#options.signal.aborted) return; // the server is gone, or nobody wants the rest
    if (parts === null) {
      await this.#flush();
      this.#fail(this.#next, "", "too_large", "body");
      this.#next += 1;
      this.#first = this.#next;
      return;
    }
    const whole = this.#images ? await this.#images.addTo(parts, size) : { parts: /** @type {BlobPart[]} */ (parts), size };
    if (this.#batchBytes + whole.size > Math.min(BATCH_BYTES, this.#options.maxBytes - BATCH_ITEMS)) await this.#flush();
    this.#batch.push(whole.parts);
    this.#batchBytes += whole.size;
    this.#next += 1;
    if (this.#batch.length >= BATCH_ITEMS) await this.#flush();
  }

  async #flush() {
    const count = this.#batch.length;
    if (this.#options.signal.aborted) this.report.stopped ||= "cancelled";
    if (count === 0 || this.report.stopped === "unavailable" || this.report.stopped === "cancelled") return;
    const parts = this.#batch.flatMap((item, at) => [at === 0 ? "[" : ",", ...item]);
    const body = new Blob([...parts, "]"]);
    this.#batch = [];
    this.#batchBytes = 0;
    const result = await sendPatiently(body, this.#options, null);
    const base = this.#first;
    this.#first = this.#next;
    if ("imported" in result) {
      this.report.imported.push(...result.imported);
      this.report.failed.push(...result.failed.map((failure) => ({ ...failure, index: base + failure.index })));
      return;
    }
    if (isBusy(result) && this.#options.signal.aborted) {
      this.report.stopped = "cancelled";
      return;
    }
    const code = "id" in result ? "" : result.code || "unavailable";
    for (let at = 0; at < count; at += 1) this.#fail(base + at, "", code, "body");
    if ("status" in result && (result.status === 0 || result.status === 401 || result.status >= 429)) this.report.stopped = "unavailable";
  }

  /**
   * @param {number} index
   * @param {string} title
   * @param {string} code
   * @param {string} param
   */
  #fail(index, title, code, param) {
    this.report.failed.push({ index, title, code, param });
  }
}

/**
 * Send a request, and again when the server asks to wait.
 * @param {Blob} body
 * @param {ImportOptions} options
 * @param {AbortSignal | null} abort null: the request is not broken off, so that it is known what the server has stored
 */
async function sendPatiently(body, { send, sleep, signal }, abort) {
  for (let waits = 0; ; waits += 1) {
    const result = await send(body, abort);
    const wait_ms = isBusy(result) ? (result.retry_ms ?? DEFAULT_WAIT_MS) : 0;
    if (!isBusy(result) || waits >= MAX_WAITS || wait_ms > MAX_WAIT_MS) return result;
    await sleep(wait_ms);
    if (signal.aborted) return result;
  }
}

/**
 * @param {ImportResult} result
 * @returns {result is Extract<ImportResult, {status: number}>}
 */
function isBusy(result) {
  return "status" in result && (result.status === 429 || result.status === 503);
}

/**
 * Return where the text begins: after a byte order mark and spaces.
 * @param {Uint8Array} head
 */
function startOf(head) {
  let at = 0;
  while (SPACES.has(head[at] ?? -1)) at += 1;
  return at;
}

/**
 * @param {Uint8Array} bytes
 * @param {readonly number[]} mark
 */
function startsWith(bytes, mark) {
  return mark.every((byte, at) => bytes[at] === byte);
}

/**
 * Puts the images of ChatGPT's zip file into the conversations that point to them: as a field `image_files` of data URLs, by
 * which the server finds them. Each conversation stays below the limit of a request.
 */

/** @typedef {import("./import-file.js").ImportOptions} ImportOptions */
/** @typedef {import("./zip-file.js").ZipEntry} ZipEntry */

/** Larger files are not unpacked, whatever size the zip file says. */
const MAX_FILE_BYTES = 40_000_000;
const MAX_IMAGES = 1_000;
const POINTER = /"(?:file-service|sediment):\\?\/\\?\/(file[-_][A-Za-z0-9]{1,64})["#?]/g;
/** What the field takes beside its images. */
const FIELD_BYTES = 100;

/** The images of one zip file. */
export class ExportImages {
  #images;
  #options;

  /**
   * @param {Map<string, ZipEntry>} images by id
   * @param {Pick<ImportOptions, "maxBytes" | "signal" | "encodeImage">} options
   */
  constructor(images, options) {
    this.#images = images;
    this.#options = options;
  }

  /**
   * Return a conversation with those of its images that can be shown and have room.
   * @param {Uint8Array[]} parts its JSON
   * @param {number} size in bytes
   * @returns {Promise<{parts: BlobPart[], size: number}>}
   */
  async addTo(parts, size) {
    const blobParts = /** @type {BlobPart[]} */ (parts);
    if (this.#images.size === 0) return { parts: blobParts, size };
    const json = await new Blob(blobParts).text();
    const ids = new Set([...json.matchAll(POINTER)].map(([, id]) => String(id)).filter((id) => this.#images.has(id)));
    /** @type {string[]} */
    const fields = [];
    let whole = size + FIELD_BYTES;
    for (const id of [...ids].slice(0, MAX_IMAGES)) {
      if (this.#options.signal.aborted) break;
      const url = await this.#read(id);
      const field = `"${id}":"${url}"`;
      if (!url || whole + field.length >= this.#options.maxBytes) continue;
      fields.push(field);
      whole += field.length + 1;
    }
    const at = json.indexOf("{") + 1;
    if (fields.length === 0 || at === 0) return { parts: blobParts, size };
    return { parts: [json.slice(0, at), `"image_files":{${fields.join(",")}},`, json.slice(at)], size: whole };
  }

  /**
   * @param {string} id
   * @returns {Promise<string | null>} null: it is damaged, too large, or no image
   */
  async #read(id) {
    try {
      const stream = await this.#images.get(id)?.open();
      const bytes = stream ? await readBounded(stream) : null;
      return bytes && (await this.#options.encodeImage(new File(bytes, id)));
    } catch {
      return null;
    }
  }
}

/**
 * @param {ReadableStream<Uint8Array>} stream
 * @returns {Promise<BlobPart[] | null>} null when it is too long
 */
async function readBounded(stream) {
  const reader = stream.getReader();
  /** @type {BlobPart[]} */
  const parts = [];
  for (let bytes = 0; bytes <= MAX_FILE_BYTES; ) {
    const { done, value } = await reader.read();
    if (done) return parts;
    parts.push(/** @type {BlobPart} */ (value));
    bytes += value.length;
  }
  void reader.cancel().catch(() => {});
  return null;
}

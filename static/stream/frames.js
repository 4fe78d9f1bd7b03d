/**
 * Frames and cursors: their types and how they are parsed.
 *
 * A frame is a JSON object whose key says its kind. Unknown keys and unknown frames are ignored, so that an older page
 * works with a newer server.
 */

/**
 * @typedef {object} Cursor the position of a frame in a run: resume after the last one received
 * @property {string} run the run's id
 * @property {number} epoch 1, 2, 3 …; raised when another writer takes over
 * @property {number} seq 1, 2, 3 … within an epoch
 */

/**
 * @typedef {object} Usage
 * @property {number} input_tokens
 * @property {number} output_tokens
 * @property {boolean} [estimated] counted by the server because the provider did not report it
 */

/** @typedef {{n: number, title?: string, source?: string, snippet?: string, document?: string, page?: number, start?: number, score?: number}} Source `source` is a web address, or names what has none; `document` is the id of one that the server has */
/** @typedef {{run: string, provider: string, model: string, question?: string, images?: string[]}} Start */
/** @typedef {{text?: string, reasoning?: string, sources?: Source[], start?: Start}} Reset */
/** @typedef {{code: string, after_ms?: number, parameter?: string}} Notice */

/**
 * @typedef {object} Done the terminal frame of an answer that did not fail
 * @property {true} done
 * @property {string} finish_reason `stop length tool_calls content_filter cancelled`
 * @property {Usage} [usage]
 * @property {string | number | null} [cost] in US dollars; absent or null when the price is unknown
 * @property {string} [by] who cancelled: `user`, `orphan` (nobody was reading), `budget`, `operator`
 * @property {number} [thought_ms] how long the model reasoned before its answer
 * @property {string} [provider] the provider that answered; after a fallback not that of the start frame
 * @property {string} [model] the model that answered
 */

/**
 * @typedef {object} Failure the terminal frame of an answer that failed
 * @property {string} error a sentence in English
 * @property {string} code
 * @property {boolean} [retryable]
 * @property {boolean} [partial] whether the server has part of an answer
 * @property {string} [param] the field of the request that has to be another: `model`
 * @property {number | null} [retry_after] seconds
 * @property {number} [limit] the limit that was exceeded: a number, or bytes
 * @property {number} [thought_ms]
 * @property {string} [provider]
 * @property {string} [model]
 * @property {Usage} [usage]
 * @property {string | number | null} [cost]
 */

/**
 * @typedef {object} Frame one event of a run; exactly one of these keys is present
 * @property {Start} [start]
 * @property {string} [text]
 * @property {string} [reasoning]
 * @property {Source[]} [sources]
 * @property {Reset} [reset]
 * @property {Notice} [notice]
 * @property {true} [done]
 * @property {string} [error]
 */

/**
 * @typedef {object} Received a frame as a transport hands it over
 * @property {Cursor | null} cursor null for frames without an id, which cannot be resumed from
 * @property {Frame} frame
 */

/** `run:epoch:seq`. */
const CURSOR = /^([A-Za-z0-9_-]{22}):([1-9][0-9]{0,14}):(0|[1-9][0-9]{0,14})$/;

/**
 * Parse a cursor.
 * @param {unknown} text
 * @returns {Cursor | null} null when it is none
 */
export function parseCursor(text) {
  const match = typeof text === "string" ? CURSOR.exec(text) : null;
  return match ? { run: String(match[1]), epoch: Number(match[2]), seq: Number(match[3]) } : null;
}

/**
 * Format a cursor as `run:epoch:seq`.
 * @param {Cursor} cursor
 */
export function formatCursor({ run, epoch, seq }) {
  return `${run}:${epoch}:${seq}`;
}

/**
 * Parse a JSON object.
 * @param {string} text
 * @returns {Record<string, unknown> | null} null when it is invalid or no object
 */
export function parseObject(text) {
  try {
    const value = JSON.parse(text);
    return value !== null && typeof value === "object" && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

/**
 * Check that the known keys of a frame have the types above.
 * @param {Record<string, unknown> | null} json
 * @returns {Frame | null} null when one has another type
 */
export function parseFrame(json) {
  if (json === null) return null;
  const types = { text: "string", reasoning: "string", error: "string", done: "boolean" };
  for (const [key, type] of Object.entries(types)) {
    if (key in json && typeof json[key] !== type) return null;
  }
  for (const key of ["start", "reset", "notice"]) {
    if (key in json && (json[key] === null || typeof json[key] !== "object")) return null;
  }
  if ("sources" in json && !Array.isArray(json.sources)) return null;
  return /** @type {Frame} */ (json);
}

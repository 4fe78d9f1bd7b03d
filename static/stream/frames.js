/**
 * Frames, cursors and their one wire form, as the page knows them. Values only.
 *
 * A frame is one JSON object; the keys below say what it is. Unknown keys and unknown frames are
 * ignored, so that an older page keeps working with a newer server.
 */

/**
 * @typedef {object} Cursor where a reader stands: the last frame it has
 * @property {string} run the answer it belongs to
 * @property {number} epoch 1, 2, 3 …; raised when another writer took over
 * @property {number} seq 1, 2, 3 … within an epoch
 */

/**
 * @typedef {object} Usage
 * @property {number} input_tokens
 * @property {number} output_tokens
 * @property {boolean} [estimated] the provider did not say; the server counted
 */

/** @typedef {{n: number, title: string, source: string, snippet: string, score: number}} Source */
/** @typedef {{run: string, provider: string, model: string, question?: string}} Start */
/** @typedef {{text?: string, reasoning?: string, sources?: Source[], start?: Start}} Reset */
/** @typedef {{code: string, after_ms?: number}} Notice */

/**
 * @typedef {object} Done the terminal frame of an answer that came to an end
 * @property {true} done
 * @property {string} finish_reason `stop length tool_calls content_filter cancelled`
 * @property {Usage} [usage]
 * @property {string | number | null} [cost] in US dollars; absent or null when the price is unknown
 * @property {string} [by] who cancelled: `user`, `orphan`, `budget`
 * @property {number} [thought_ms] how long the model thought before it answered
 * @property {string} [provider] who really answered, which a fallback may have changed
 * @property {string} [model]
 */

/**
 * @typedef {object} Failure the terminal frame of an answer that failed
 * @property {string} error a sentence
 * @property {string} code
 * @property {boolean} [retryable]
 * @property {boolean} [partial]
 * @property {number | null} [retry_after] seconds
 * @property {number} [limit] what may be had, where that was too little: a number, or bytes
 * @property {number} [thought_ms]
 * @property {string} [provider]
 * @property {string} [model]
 * @property {Usage} [usage]
 * @property {string | number | null} [cost]
 */

/**
 * @typedef {object} Frame one write to a reader; exactly one of these keys is there
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
 * @property {Cursor | null} cursor null for the frames that have no place of their own
 * @property {Frame} frame
 */

/** What a run and the numbers in a cursor may look like; anything else is no cursor. */
const CURSOR = /^([A-Za-z0-9_-]{22}):([1-9][0-9]{0,14}):(0|[1-9][0-9]{0,14})$/;

/**
 * Read a cursor from its wire form `run:epoch:seq`.
 * @param {unknown} text
 * @returns {Cursor | null} null when it is not one
 */
export function parseCursor(text) {
  const match = typeof text === "string" ? CURSOR.exec(text) : null;
  return match ? { run: String(match[1]), epoch: Number(match[2]), seq: Number(match[3]) } : null;
}

/**
 * Write a cursor in its wire form.
 * @param {Cursor} cursor
 */
export function formatCursor({ run, epoch, seq }) {
  return `${run}:${epoch}:${seq}`;
}

/**
 * Read a JSON object, whatever it means.
 * @param {string} text
 * @returns {Record<string, unknown> | null} null when it is no JSON object
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
 * Read a frame; its known keys have the types written above afterwards, or it is no frame.
 * @param {Record<string, unknown> | null} json
 * @returns {Frame | null}
 */
export function readFrame(json) {
  if (json === null) return null;
  const shapes = { text: "string", reasoning: "string", error: "string", done: "boolean" };
  for (const [key, shape] of Object.entries(shapes)) {
    if (key in json && typeof json[key] !== shape) return null;
  }
  for (const key of ["start", "reset", "notice"]) {
    if (key in json && (json[key] === null || typeof json[key] !== "object")) return null;
  }
  if ("sources" in json && !Array.isArray(json.sources)) return null;
  return /** @type {Frame} */ (json);
}

/** The state of an answer, as an immutable value, and the reducer that applies frames to it. Pure: time is an argument. */
/** @typedef {import("./frames.js").Cursor} Cursor */
/** @typedef {import("./frames.js").Done} Done */
/** @typedef {import("./frames.js").Failure} Failure */
/** @typedef {import("./frames.js").Frame} Frame */
/** @typedef {import("./frames.js").Received} Received */
/** @typedef {import("./frames.js").Source} Source */

/**
 * @typedef {object} Answer
 * @property {string} run
 * @property {Cursor | null} cursor of the last frame applied; null: there was none, or it cannot be resumed from any more
 * @property {"waiting" | "streaming" | "done" | "failed"} status
 * @property {readonly string[] | null} images ids of the question's images; null until the server sends them
 * @property {string | null} question id of the question's message; null until the server sends it
 * @property {string} provider
 * @property {string} model
 * @property {string} text
 * @property {string} reasoning
 * @property {Source[]} sources
 * @property {number} redraws raised whenever text is replaced instead of appended to
 * @property {boolean} stale the server sends everything from the beginning: the next frame replaces the text
 * @property {string | null} notice code of the server's latest notice
 * @property {{code: string, until_ms: number} | null} held why the server does not start it yet, and when the next try is
 * @property {boolean} unsaved the server reported that it could not store it
 * @property {string[]} ignored parameters of the request that the model does not support, and that were left out
 * @property {Done | null} end set when status is `done`
 * @property {Failure | null} failure set when status is `failed`
 * @property {number | null} asked_ms when this page sent the question; null: another page did, or it had to wait
 * @property {number | null} thought_ms how long the model reasoned before its answer; null: it did not, or unknown
 * @property {number | null} began_ms when the first character came
 * @property {number | null} ended_ms when the terminal frame came
 * @property {boolean} gapped the connection was interrupted, so no speed can be computed from the times
 */

/** At most so many parameters are named. */
const MAX_IGNORED = 8;

/**
 * Create the state of an answer before its first frame.
 * @param {string} run
 * @returns {Answer}
 */
export function newAnswer(run) {
  return {
    run,
    cursor: null,
    status: "waiting",
    images: null,
    question: null,
    provider: "",
    model: "",
    text: "",
    reasoning: "",
    sources: [],
    redraws: 0,
    stale: false,
    notice: null,
    held: null,
    unsaved: false,
    ignored: [],
    end: null,
    failure: null,
    asked_ms: null,
    thought_ms: null,
    began_ms: null,
    ended_ms: null,
    gapped: false,
  };
}

/**
 * Return whether the answer is complete or has failed.
 * @param {Answer} answer
 */
export function isOver(answer) {
  return answer.status === "done" || answer.status === "failed";
}

/**
 * Apply one frame. Duplicates, frames of an older epoch, unknown frames, and frames after the terminal one return the
 * same value.
 * @param {Answer} answer
 * @param {Received} received
 * @param {number} now_ms
 * @returns {Answer}
 */
export function reduce(answer, { cursor, frame }, now_ms) {
  if (isOver(answer)) return answer;
  if (frame.reset) return applyReset(answer, frame.reset, cursor, now_ms);
  if (cursor && isDuplicate(answer, cursor)) return answer;
  const started = answer.held ? { ...answer, held: null } : answer;
  const base = answer.stale ? clear(started) : started;
  const next = apply(base, frame, now_ms);
  return cursor ? { ...next, cursor } : next;
}

/**
 * Prepare for a new connection. Without a cursor the server sends everything again, which replaces the text.
 * @param {Answer} answer
 * @returns {Answer}
 */
export function reopen(answer) {
  return { ...answer, stale: answer.cursor === null, gapped: answer.gapped || answer.began_ms !== null };
}

/**
 * Drop the cursor, so that the next connection reads from the beginning.
 * @param {Answer} answer
 * @returns {Answer}
 */
export function dropCursor(answer) {
  return { ...answer, cursor: null };
}

/**
 * Set how an answer ended: by its terminal frame, or without one when the user stopped it or it cannot be read any more.
 * @param {Answer} answer
 * @param {Done | Failure} end
 * @param {number} now_ms
 * @returns {Answer}
 */
export function endAnswer(answer, end, now_ms) {
  if (isOver(answer)) return answer;
  const over = { ...answer, ended_ms: now_ms, notice: null, held: null };
  return "done" in end ? { ...over, status: "done", end } : { ...over, status: "failed", failure: end };
}

/**
 * Set why an answer cannot start yet. The wait does not count as part of its duration.
 * @param {Answer} answer
 * @param {string | undefined} code of the refusal; undefined: the server was not reached
 * @param {number} until_ms when the next try is
 * @returns {Answer}
 */
export function holdBack(answer, code, until_ms) {
  if (code === undefined) return answer.held ? { ...answer, held: null } : answer;
  return { ...answer, held: { code, until_ms }, asked_ms: null };
}

/**
 * Return whether the server has stored the part of an answer that failed.
 * @param {Answer} answer
 */
export function isPartSaved({ text, failure, unsaved, question }) {
  return text !== "" && failure?.partial === true && !unsaved && question !== null;
}

/** The codes of `held` that are shown in place of the answer. */
const SHOWN_HOLDS = new Set(["too_many_answers", "too_many_starts", "store_away"]);

/**
 * Return whether the reason why an answer cannot start yet is shown in its place.
 * @param {Answer | undefined} answer
 */
export function isHoldShown(answer) {
  return SHOWN_HOLDS.has(answer?.held?.code ?? "");
}

/**
 * @param {Answer} answer
 * @param {Cursor} cursor
 */
function isDuplicate(answer, cursor) {
  if (cursor.run !== answer.run) return true;
  const last = answer.cursor;
  if (last === null) return false;
  if (cursor.epoch !== last.epoch) return cursor.epoch < last.epoch;
  return cursor.seq <= last.seq;
}

/**
 * @param {Answer} answer
 * @returns {Answer}
 */
function clear(answer) {
  return { ...answer, text: "", reasoning: "", sources: [], redraws: answer.redraws + 1, stale: false };
}

/**
 * @param {Answer} answer
 * @param {import("./frames.js").Reset} reset
 * @param {Cursor | null} cursor null: more of the text follows, and only the next frame with an id can be resumed from
 * @param {number} now_ms
 * @returns {Answer}
 */
function applyReset(answer, reset, cursor, now_ms) {
  if (cursor && cursor.run !== answer.run) return answer;
  const text = typeof reset.text === "string" ? reset.text : "";
  const reasoning = typeof reset.reasoning === "string" ? reset.reasoning : "";
  const sources = Array.isArray(reset.sources) ? reset.sources : [];
  const started = reset.start ? apply(answer, { start: reset.start }, now_ms) : answer;
  const next = { ...clear(started), cursor, text, reasoning, sources, gapped: true };
  return text || reasoning ? markStreaming(next, now_ms) : next;
}

/**
 * @param {Answer} answer
 * @param {Frame} frame
 * @param {number} now_ms
 * @returns {Answer}
 */
function apply(answer, frame, now_ms) {
  if (frame.text !== undefined) {
    const isFirst = answer.text === "" && answer.reasoning !== "" && answer.began_ms !== null && answer.thought_ms === null;
    const thought_ms = isFirst ? now_ms - Number(answer.began_ms) : answer.thought_ms;
    return markStreaming({ ...answer, text: answer.text + frame.text, thought_ms }, now_ms);
  }
  if (frame.reasoning !== undefined) {
    return markStreaming({ ...answer, reasoning: answer.reasoning + frame.reasoning }, now_ms);
  }
  if (frame.start) {
    const { provider, model, question, images } = frame.start;
    return { ...answer, images: images ?? answer.images, question: question ?? answer.question, provider: provider ?? answer.provider, model: model ?? answer.model };
  }
  if (frame.sources) return { ...answer, sources: frame.sources };
  if (frame.notice) {
    const { code, parameter } = frame.notice;
    if (code === "parameter_ignored") return { ...answer, ignored: withIgnored(answer.ignored, parameter) };
    return { ...answer, notice: code, unsaved: answer.unsaved || code === "not_saved" };
  }
  if (frame.done || frame.error !== undefined) {
    const end = /** @type {Done | Failure} */ (/** @type {unknown} */ (frame));
    const { provider = answer.provider, model = answer.model, thought_ms = answer.thought_ms } = end;
    return endAnswer({ ...answer, provider, model, thought_ms }, end, now_ms);
  }
  return answer;
}

/**
 * @param {string[]} ignored
 * @param {unknown} parameter
 */
function withIgnored(ignored, parameter) {
  if (typeof parameter !== "string" || ignored.includes(parameter) || ignored.length >= MAX_IGNORED) return ignored;
  return [...ignored, parameter];
}

/**
 * @param {Answer} answer
 * @param {number} now_ms
 * @returns {Answer}
 */
function markStreaming(answer, now_ms) {
  return { ...answer, status: "streaming", notice: null, began_ms: answer.began_ms ?? now_ms };
}

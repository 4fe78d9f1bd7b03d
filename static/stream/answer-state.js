/**
 * `stream/`: From the network to the state of an answer: frames, transports, sessions that resume. Nothing here
 * knows the DOM or a conversation.
 */
/**
 * One answer as a value, and how each frame changes it. Pure: time is an argument, nothing is
 * changed in place.
 */
/** @typedef {import("./frames.js").Cursor} Cursor */
/** @typedef {import("./frames.js").Done} Done */
/** @typedef {import("./frames.js").Failure} Failure */
/** @typedef {import("./frames.js").Frame} Frame */
/** @typedef {import("./frames.js").Received} Received */
/** @typedef {import("./frames.js").Source} Source */

/**
 * @typedef {object} Answer
 * @property {string} run
 * @property {Cursor | null} cursor the last frame taken; null: none, or not provable any more
 * @property {"waiting" | "streaming" | "done" | "failed"} status
 * @property {string | null} question the message that is answered, where the server has told it
 * @property {string} provider
 * @property {string} model
 * @property {string} text
 * @property {string} reasoning
 * @property {Source[]} sources
 * @property {number} redraws raised whenever text was replaced and not only added to
 * @property {boolean} stale the next frame is the first of everything again: it replaces what is here
 * @property {string | null} notice code of the server's latest notice
 * @property {{code: string, until_ms: number} | null} held why it could not begin yet, and when it is asked for again
 * @property {boolean} unsaved the server could not keep it yet when it last said so
 * @property {Done | null} end set when status is `done`
 * @property {Failure | null} failure set when status is `failed`
 * @property {number | null} asked_ms when it was asked for here; null: elsewhere, or earlier
 * @property {number | null} thought_ms how long the model thought before it answered; null: it did not, or nobody knows
 * @property {number | null} began_ms when the first character came
 * @property {number | null} ended_ms when the terminal frame came
 * @property {boolean} gapped the connection was cut on the way, so that times say little about pace
 */

/**
 * Make an answer of which nothing has come yet.
 * @param {string} run
 * @returns {Answer}
 */
export function newAnswer(run) {
  return {
    run,
    cursor: null,
    status: "waiting",
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
 * Tell whether nothing more will come.
 * @param {Answer} answer
 */
export function isOver(answer) {
  return answer.status === "done" || answer.status === "failed";
}

/**
 * Take one frame. Frames already seen, frames of an older epoch, unknown frames, and anything
 * after the terminal frame change nothing (the same value is returned).
 * @param {Answer} answer
 * @param {Received} received
 * @param {number} now_ms
 * @returns {Answer}
 */
export function reduce(answer, { cursor, frame }, now_ms) {
  if (isOver(answer)) return answer;
  if (frame.reset) return applyReset(answer, frame.reset, cursor, now_ms);
  if (cursor && isSeen(answer, cursor)) return answer;
  const begun = answer.held ? { ...answer, held: null } : answer;
  const base = answer.stale ? emptied(begun) : begun;
  const next = apply(base, frame, now_ms);
  return cursor ? { ...next, cursor } : next;
}

/**
 * Prepare for a connection that begins without a cursor: whatever comes first stands for everything.
 * @param {Answer} answer
 * @returns {Answer}
 */
export function reopened(answer) {
  return { ...answer, stale: answer.cursor === null, gapped: answer.gapped || answer.began_ms !== null };
}

/**
 * Forget the cursor: continuity can't be proven any more.
 * @param {Answer} answer
 * @returns {Answer}
 */
export function withoutCursor(answer) {
  return { ...answer, cursor: null };
}

/**
 * End an answer here, without the server: its reader stopped it, or it can't be had any more.
 * @param {Answer} answer
 * @param {Done | Failure} end
 * @param {number} now_ms
 * @returns {Answer}
 */
export function ended(answer, end, now_ms) {
  if (isOver(answer)) return answer;
  const over = { ...answer, ended_ms: now_ms, notice: null, held: null };
  return "done" in end ? { ...over, status: "done", end } : { ...over, status: "failed", failure: end };
}

/**
 * Note why an answer can't begin yet. How long it takes is counted from its beginning then.
 * @param {Answer} answer
 * @param {string | undefined} code undefined: the server did not say no, it can't be reached
 * @param {number} until_ms when it is asked for again
 * @returns {Answer}
 */
export function heldBack(answer, code, until_ms) {
  if (code === undefined) return answer.held ? { ...answer, held: null } : answer;
  return { ...answer, held: { code, until_ms }, asked_ms: null };
}

/** Codes of what keeps an answer from beginning, shown where it would stand. */
const EXPLAINED = new Set(["too_many_answers", "too_many_starts", "store_away"]);

/**
 * Return whether the reason why an answer can't begin yet is shown where it would stand.
 * @param {Answer | undefined} answer
 */
export function isExplained(answer) {
  return EXPLAINED.has(answer?.held?.code ?? "");
}

/**
 * @param {Answer} answer
 * @param {Cursor} cursor
 */
function isSeen(answer, cursor) {
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
function emptied(answer) {
  return { ...answer, text: "", reasoning: "", sources: [], redraws: answer.redraws + 1, stale: false };
}

/**
 * @param {Answer} answer
 * @param {import("./frames.js").Reset} reset
 * @param {Cursor | null} cursor null when the rest follows: until a frame with an id comes, nothing proves where we are
 * @param {number} now_ms
 * @returns {Answer}
 */
function applyReset(answer, reset, cursor, now_ms) {
  if (cursor && cursor.run !== answer.run) return answer;
  const text = typeof reset.text === "string" ? reset.text : "";
  const reasoning = typeof reset.reasoning === "string" ? reset.reasoning : "";
  const sources = Array.isArray(reset.sources) ? reset.sources : [];
  const started = reset.start ? apply(answer, { start: reset.start }, now_ms) : answer;
  const next = { ...emptied(started), cursor, text, reasoning, sources, gapped: true };
  return text || reasoning ? streaming(next, now_ms) : next;
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
    return streaming({ ...answer, text: answer.text + frame.text, thought_ms }, now_ms);
  }
  if (frame.reasoning !== undefined) {
    return streaming({ ...answer, reasoning: answer.reasoning + frame.reasoning }, now_ms);
  }
  if (frame.start) {
    const { provider, model, question } = frame.start;
    return { ...answer, question: question ?? answer.question, provider: provider ?? answer.provider, model: model ?? answer.model };
  }
  if (frame.sources) return { ...answer, sources: frame.sources };
  if (frame.notice) {
    const { code } = frame.notice;
    return { ...answer, notice: code, unsaved: answer.unsaved || code === "not_saved" };
  }
  if (frame.done || frame.error !== undefined) {
    const end = /** @type {Done | Failure} */ (/** @type {unknown} */ (frame));
    const { provider = answer.provider, model = answer.model, thought_ms = answer.thought_ms } = end;
    return ended({ ...answer, provider, model, thought_ms }, end, now_ms);
  }
  return answer;
}

/**
 * @param {Answer} answer
 * @param {number} now_ms
 * @returns {Answer}
 */
function streaming(answer, now_ms) {
  return { ...answer, status: "streaming", notice: null, began_ms: answer.began_ms ?? now_ms };
}

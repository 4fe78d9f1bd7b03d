/**
 * The conversation as an immutable value: the turns of one branch, the body that starts each run, and the saved form that
 * survives a reload. Pure.
 */
import { isOver, newAnswer } from "../stream/answer-state.js";

/** @typedef {import("../stream/answer-state.js").Answer} Answer */
/** @typedef {import("../stream/types.js").StartBody} StartBody */
/** @typedef {import("../stream/types.js").Picture} Picture */
/** @typedef {import("../stream/types.js").RunOptions} RunOptions */

/**
 * @typedef {object} Versions the messages with one parent and one role, the oldest first
 * @property {readonly string[]} ids message ids; for a question whose id is unknown, its answer's run
 * @property {number} at the index of the one that is shown
 */

/**
 * @typedef {object} Turn
 * @property {string} question
 * @property {readonly Picture[]} images
 * @property {string | null} asked the id of the question's message; null until the server sends it
 * @property {StartBody | null} opening the body that started its run; null: the turn was loaded from the server
 * @property {Answer} answer
 * @property {Versions} questions
 * @property {Versions} answers
 */

/**
 * @typedef {object} Conversation
 * @property {string} id empty before the first question
 * @property {readonly Turn[]} turns of the branch that is shown, the oldest first
 * @property {boolean} trimmed older turns were dropped from the saved form to bound its size
 * @property {readonly AttachedDocument[]} documents those that were added to it, the oldest first
 */

/** @typedef {{id: string, source: string, file_bytes: number, pages: number}} AttachedDocument `source` is the file's name; 0 bytes: unknown */

/** The server's limit of images in a question. */
export const MAX_IMAGES = 4;

/** @type {Conversation} */
export const EMPTY = { id: "", turns: [], trimmed: false, documents: [] };

/** Sent for an image that the server never named, and that a reload has lost: the server says that there is no such image. */
const UNNAMED_IMAGE = "0".repeat(64);
/** Version of the saved form; other versions are not read. */
const VERSION = 2;
/** The part of the saved form for older turns. The server has them, and a running answer is saved every second. */
const OLDER_PART = 1 / 8;

/**
 * Add a question at the end of the branch.
 * @param {Conversation} conversation
 * @param {string} question
 * @param {RunOptions} options
 * @param {string} run
 * @param {readonly Picture[]} [images]
 * @returns {Conversation}
 */
export function addQuestion({ turns, ...rest }, question, options, run, images = []) {
  const parent = lastStored(turns);
  // Below the newest message: a turn that was asked elsewhere may not be here yet.
  const place = parent === null ? { parent } : { parent, at_leaf: true };
  const opening = { ...options, conversation: rest.id, query: question, ...imageFields(images), ...place };
  return { ...rest, turns: [...turns, newTurn(question, images, opening, run, [])] };
}

/**
 * Replace a question by an edited one: a new version with the same images. The later turns are dropped.
 * @param {Conversation} conversation
 * @param {number} at
 * @param {string} question
 * @param {RunOptions} options
 * @param {string} run
 * @returns {Conversation}
 */
export function replaceQuestion({ turns, ...rest }, at, question, options, run) {
  const before = turns.slice(0, at);
  const images = turns[at]?.images ?? [];
  const opening = { ...options, conversation: rest.id, query: question, ...imageFields(images), parent: lastStored(before) };
  const others = turns[at] && isStored(turns[at]) ? turns[at].questions.ids : [];
  return { ...rest, turns: [...before, newTurn(question, images, opening, run, others)] };
}

/**
 * Answer a question again. A question whose id is unknown, or that the server did not store, is sent again.
 * @param {Conversation} conversation
 * @param {number} at
 * @param {RunOptions} options
 * @param {string} run
 * @returns {Conversation}
 */
export function retryAnswer(conversation, at, options, run) {
  const turn = conversation.turns[at];
  if (!turn) return conversation;
  if (turn.asked === null || isQuestionLost(turn)) return replaceQuestion(conversation, at, turn.question, options, run);
  const opening = { ...options, conversation: conversation.id, parent: turn.asked };
  return addVersion(conversation, at, opening, newAnswer(run));
}

/**
 * Continue an answer: start a new version of it that begins with its text.
 * @param {Conversation} conversation
 * @param {number} at
 * @param {RunOptions} options
 * @param {string} run
 * @returns {Conversation}
 */
export function extendAnswer(conversation, at, options, run) {
  const turn = conversation.turns[at];
  if (!turn) return conversation;
  const opening = { ...options, conversation: conversation.id, continue: turn.answer.run };
  // Show its text until the server sends it again.
  return addVersion(conversation, at, opening, { ...newAnswer(run), text: turn.answer.text, stale: true });
}

/**
 * @param {Conversation} conversation
 * @param {number} at
 * @param {StartBody} opening
 * @param {Answer} answer
 * @returns {Conversation}
 */
function addVersion({ turns, ...rest }, at, opening, answer) {
  const turn = /** @type {Turn} */ (turns[at]);
  const ids = [...turn.answers.ids, answer.run];
  const next = { ...turn, opening, answer, answers: { ids, at: ids.length - 1 } };
  return { ...rest, turns: [...turns.slice(0, at), next] };
}

/**
 * @param {readonly Picture[]} images
 * @returns {{images?: string[]}}
 */
function imageFields(images) {
  return images.length > 0 ? { images: images.map(({ id, data }) => data ?? (id || UNNAMED_IMAGE)) } : {};
}

/**
 * @param {string} question
 * @param {readonly Picture[]} images
 * @param {StartBody} opening
 * @param {string} run
 * @param {readonly string[]} others the other versions of the question
 * @returns {Turn}
 */
function newTurn(question, images, opening, run, others) {
  const questions = { ids: [...others, run], at: others.length };
  return { question, images, asked: null, opening, answer: newAnswer(run), questions, answers: { ids: [run], at: 0 } };
}

/**
 * Return the parent of the next question: the last answer that the server has.
 * @param {readonly Turn[]} turns
 */
function lastStored(turns) {
  return turns.filter(isStored).at(-1)?.answer.run ?? null;
}

/**
 * Return whether the server has a turn: it was loaded, or a frame of its run came.
 * @param {Turn} turn
 */
export function isStored({ asked, opening, answer }) {
  const isLost = asked === null && answer.failure?.code === "gone"; // the page was reloaded before the server had its images
  return (opening === null && !isLost) || answer.cursor !== null;
}

/**
 * Return whether retrying an answer failed because the server never stored its question.
 * @param {Turn} turn
 */
function isQuestionLost({ opening, answer }) {
  const wasRetry = opening !== null && opening.query === undefined && answer.cursor === null;
  return wasRetry && (answer.failure?.code === "gone" || answer.failure?.code === "message_not_found");
}

/**
 * Replace the last answer by its next state.
 * @param {Conversation} conversation
 * @param {Answer} answer
 * @returns {Conversation}
 */
export function setAnswer(conversation, answer) {
  const last = conversation.turns.at(-1);
  if (!last) return conversation;
  const turn = { ...last, images: nameImages(last.images, answer.images), asked: last.asked ?? answer.question, answer };
  return { ...conversation, turns: [...conversation.turns.slice(0, -1), turn] };
}

/**
 * Return images with the ids that the server has given them.
 * @param {readonly Picture[]} images
 * @param {readonly string[] | null} ids
 */
function nameImages(images, ids) {
  const isNew = ids !== null && ids.length === images.length && images.some(({ id }) => id === "");
  return isNew ? images.map((image, at) => ({ ...image, id: ids[at] ?? "" })) : images;
}

/**
 * Return the last answer if it is still running.
 * @param {Conversation} conversation
 * @returns {Answer | null}
 */
export function pendingAnswer(conversation) {
  const last = conversation.turns.at(-1);
  return last && !isOver(last.answer) ? last.answer : null;
}

/**
 * Replace a conversation by the server's. Answers that ended in this tab keep their state, which has more details.
 * @param {Conversation} conversation
 * @param {Conversation} stored
 * @returns {Conversation}
 */
export function mergeStored({ turns }, stored) {
  const known = new Map(turns.map(({ answer }) => [answer.run, answer]));
  const merged = stored.turns.map((turn) => {
    const answer = known.get(turn.answer.run);
    const isSame = answer && isOver(answer) && isOver(turn.answer) && answer.text === turn.answer.text;
    return isSame ? { ...turn, answer: answer.unsaved ? { ...answer, unsaved: false } : answer } : turn;
  });
  return { ...stored, turns: merged };
}

/**
 * Return the saved form. Older turns are dropped to fit, the last one is kept. Images are saved without their data,
 * which the server has.
 * @param {Conversation} conversation
 * @param {number} maxChars
 * @returns {string | null} null when the last turn alone is longer than `maxChars`
 */
export function serialize(conversation, maxChars) {
  const { id, documents } = conversation;
  let turns = newest(conversation.turns, maxChars * OLDER_PART).map(withoutImageData);
  let trimmed = conversation.trimmed || turns.length < conversation.turns.length;
  for (;;) {
    const text = JSON.stringify({ v: VERSION, id, trimmed, documents, turns });
    if (text.length <= maxChars || turns.length <= 1) return text.length <= maxChars ? text : null;
    turns = turns.slice(Math.ceil(turns.length / 2));
    trimmed = true;
  }
}

/**
 * @param {Turn} turn
 * @returns {Turn}
 */
function withoutImageData(turn) {
  if (turn.images.length === 0) return turn;
  const images = turn.images.map(({ id, width, height }) => ({ id, width, height }));
  // Without its images a question cannot be asked, only its run be joined: the server may have it.
  if (turn.images.some(({ id }) => id === "")) return { ...turn, images, opening: null };
  return { ...turn, images, opening: turn.opening?.images ? { ...turn.opening, ...imageFields(images) } : turn.opening };
}

/**
 * Return the last turn, and as many of those before it as fit into `chars`.
 * @param {readonly Turn[]} turns
 * @param {number} chars
 */
function newest(turns, chars) {
  let [from, left] = [turns.length - 1, chars];
  while (from > 0 && left > 0) {
    const { question, answer } = /** @type {Turn} */ (turns[--from]);
    left -= question.length + answer.text.length + answer.reasoning.length;
  }
  return left < 0 ? turns.slice(from + 1) : turns.slice(Math.max(from, 0));
}

/**
 * Parse the saved form.
 * @param {string | null} text
 * @returns {Conversation} empty when it is invalid or of another version
 */
export function deserialize(text) {
  if (text === null) return EMPTY;
  try {
    const { v, id, turns, trimmed, documents } = JSON.parse(text);
    if (v !== VERSION || typeof id !== "string" || !Array.isArray(turns) || !turns.every(isTurn)) return EMPTY;
    const restored = turns.map((/** @type {Turn} */ turn) => ({ ...turn, images: turn.images ?? [], answer: { ...newAnswer(turn.answer.run), ...turn.answer } }));
    return { id, turns: restored, trimmed: trimmed === true, documents: Array.isArray(documents) ? documents : [] };
  } catch {
    return EMPTY;
  }
}

/** @param {any} turn */
function isTurn(turn) {
  return (
    typeof turn?.question === "string" &&
    typeof turn.answer?.run === "string" &&
    typeof turn.answer.text === "string" &&
    Array.isArray(turn.images ?? []) &&
    Array.isArray(turn.questions?.ids) &&
    Array.isArray(turn.answers?.ids)
  );
}

/**
 * A conversation as a value: the turns of one branch, each a question and its answer, what the server is
 * asked for each, and the form in which it outlives a reload. Pure.
 */
import { isOver, newAnswer } from "../stream/answer-state.js";

/** @typedef {import("../stream/answer-state.js").Answer} Answer */
/** @typedef {import("../stream/types.js").Opening} Opening */
/** @typedef {import("../stream/types.js").Picture} Picture */
/** @typedef {import("../stream/types.js").Wishes} Wishes */

/**
 * @typedef {object} Versions messages in the same place, the oldest first
 * @property {readonly string[]} ids a message each; a question of which only the answer is known goes by that
 * @property {number} at which of them is shown
 */

/**
 * @typedef {object} Turn
 * @property {string} question
 * @property {readonly Picture[]} images that belong to it
 * @property {string | null} asked the question's own id, where the server has told it
 * @property {Opening | null} opening what its run was started with; null: the server has told the turn
 * @property {Answer} answer
 * @property {Versions} questions
 * @property {Versions} answers
 */

/**
 * @typedef {object} Conversation
 * @property {string} id empty before the first question
 * @property {readonly Turn[]} turns of the branch that is shown, oldest first
 * @property {boolean} trimmed older turns were dropped to keep the saved form small
 */

/** The server takes no more images with one question. */
export const MOST_IMAGES = 4;

/** @type {Conversation} */
export const EMPTY = { id: "", turns: [], trimmed: false };

/** Version of the saved form; another one is not read. */
const VERSION = 2;
/** Of what may be saved the older turns get this part: the server has them, and saving goes on while an answer comes. */
const OLDER_PART = 1 / 8;

/**
 * Ask on, at the end of the branch.
 * @param {Conversation} conversation
 * @param {string} question
 * @param {Wishes} wishes
 * @param {string} run
 * @param {readonly Picture[]} [images]
 * @returns {Conversation}
 */
export function asked({ turns, ...rest }, question, wishes, run, images = []) {
  const opening = { ...wishes, conversation: rest.id, query: question, ...shown(images), parent: standing(turns) };
  return { ...rest, turns: [...turns, fresh(question, images, opening, run, [])] };
}

/**
 * Ask another question in the place of one, which stays beside it; its images go with it.
 * @param {Conversation} conversation
 * @param {number} at
 * @param {string} question
 * @param {Wishes} wishes
 * @param {string} run
 * @returns {Conversation}
 */
export function askedInstead({ turns, ...rest }, at, question, wishes, run) {
  const before = turns.slice(0, at);
  const images = turns[at]?.images ?? [];
  const opening = { ...wishes, conversation: rest.id, query: question, ...shown(images), parent: standing(before) };
  const others = turns[at] && isKept(turns[at]) ? turns[at].questions.ids : [];
  return { ...rest, turns: [...before, fresh(question, images, opening, run, others)] };
}

/**
 * Have a question answered once more. A question whose id is not known is asked again as it was.
 * @param {Conversation} conversation
 * @param {number} at
 * @param {Wishes} wishes
 * @param {string} run
 * @returns {Conversation}
 */
export function answeredAgain(conversation, at, wishes, run) {
  const turn = conversation.turns[at];
  if (!turn) return conversation;
  if (turn.asked === null || isLost(turn)) return askedInstead(conversation, at, turn.question, wishes, run);
  const opening = { ...wishes, conversation: conversation.id, parent: turn.asked };
  return another(conversation, at, opening, newAnswer(run));
}

/**
 * Have an answer go on from where it stops: a new one, which begins with its text.
 * @param {Conversation} conversation
 * @param {number} at
 * @param {Wishes} wishes
 * @param {string} run
 * @returns {Conversation}
 */
export function continued(conversation, at, wishes, run) {
  const turn = conversation.turns[at];
  if (!turn) return conversation;
  const opening = { ...wishes, conversation: conversation.id, continue: turn.answer.run };
  // Its text stands there until the server repeats it.
  return another(conversation, at, opening, { ...newAnswer(run), text: turn.answer.text, stale: true });
}

/**
 * @param {Conversation} conversation
 * @param {number} at
 * @param {Opening} opening
 * @param {Answer} answer
 * @returns {Conversation}
 */
function another({ turns, ...rest }, at, opening, answer) {
  const turn = /** @type {Turn} */ (turns[at]);
  const ids = [...turn.answers.ids, answer.run];
  const next = { ...turn, opening, answer, answers: { ids, at: ids.length - 1 } };
  return { ...rest, turns: [...turns.slice(0, at), next] };
}

/**
 * @param {readonly Picture[]} images
 * @returns {{images?: string[]}}
 */
function shown(images) {
  return images.length > 0 ? { images: images.map(({ id, data }) => data ?? id) } : {};
}

/**
 * @param {string} question
 * @param {readonly Picture[]} images
 * @param {Opening} opening
 * @param {string} run
 * @param {readonly string[]} others questions in the same place
 * @returns {Turn}
 */
function fresh(question, images, opening, run, others) {
  const questions = { ids: [...others, run], at: others.length };
  return { question, images, asked: null, opening, answer: newAnswer(run), questions, answers: { ids: [run], at: 0 } };
}

/**
 * Name the message on which the next question stands: the last answer that the server has.
 * @param {readonly Turn[]} turns
 */
function standing(turns) {
  return turns.filter(isKept).at(-1)?.answer.run ?? null;
}

/**
 * Tell whether the server has a turn, and did not refuse it.
 * @param {Turn} turn
 */
export function isKept({ opening, answer }) {
  return opening === null || answer.cursor !== null;
}

/**
 * Tell whether a question was to be answered once more and the server does not have it: it was never saved.
 * @param {Turn} turn
 */
function isLost({ opening, answer }) {
  const wasAskedAgain = opening !== null && opening.query === undefined && answer.cursor === null;
  return wasAskedAgain && (answer.failure?.code === "gone" || answer.failure?.code === "message_not_found");
}

/**
 * Put the last answer's next value in its place.
 * @param {Conversation} conversation
 * @param {Answer} answer
 * @returns {Conversation}
 */
export function answered(conversation, answer) {
  const last = conversation.turns.at(-1);
  if (!last) return conversation;
  const turn = { ...last, asked: last.asked ?? answer.question, answer };
  return { ...conversation, turns: [...conversation.turns.slice(0, -1), turn] };
}

/**
 * The last turn's answer where it is still being made.
 * @param {Conversation} conversation
 * @returns {Answer | null}
 */
export function underway(conversation) {
  const last = conversation.turns.at(-1);
  return last && !isOver(last.answer) ? last.answer : null;
}

/**
 * Take what the server has of a conversation. Answers that were followed to their end here stay as they are:
 * more is known of them.
 * @param {Conversation} conversation
 * @param {Conversation} told
 * @returns {Conversation}
 */
export function refreshed({ turns }, told) {
  const ours = new Map(turns.map(({ answer }) => [answer.run, answer]));
  const merged = told.turns.map((turn) => {
    const mine = ours.get(turn.answer.run);
    const isOurs = mine && isOver(mine) && isOver(turn.answer) && mine.text === turn.answer.text;
    return isOurs ? { ...turn, answer: mine.unsaved ? { ...mine, unsaved: false } : mine } : turn;
  });
  return { ...told, turns: merged };
}

/**
 * Write the saved form, at most `maxChars` long: the oldest turns go first, the last one stays. Of images only the
 * names are written: the server has the rest.
 * @param {Conversation} conversation
 * @param {number} maxChars
 */
export function freeze(conversation, maxChars) {
  const { id } = conversation;
  let turns = recent(conversation.turns, maxChars * OLDER_PART).map(light);
  let trimmed = conversation.trimmed || turns.length < conversation.turns.length;
  for (;;) {
    const text = JSON.stringify({ v: VERSION, id, trimmed, turns });
    if (text.length <= maxChars || turns.length <= 1) return text.length <= maxChars ? text : null;
    turns = turns.slice(Math.ceil(turns.length / 2));
    trimmed = true;
  }
}

/**
 * @param {Turn} turn
 * @returns {Turn}
 */
function light(turn) {
  if (turn.images.length === 0) return turn;
  const images = turn.images.map(({ id, width, height }) => ({ id, width, height }));
  return { ...turn, images, opening: turn.opening?.images ? { ...turn.opening, ...shown(images) } : turn.opening };
}

/**
 * Give the last turn, and of those before it the newest.
 * @param {readonly Turn[]} turns
 * @param {number} chars
 */
function recent(turns, chars) {
  let [from, left] = [turns.length - 1, chars];
  while (from > 0 && left > 0) {
    const { question, answer } = /** @type {Turn} */ (turns[--from]);
    left -= question.length + answer.text.length + answer.reasoning.length;
  }
  return left < 0 ? turns.slice(from + 1) : turns.slice(Math.max(from, 0));
}

/**
 * Read the saved form.
 * @param {string | null} text
 * @returns {Conversation} empty when it can't be read
 */
export function thaw(text) {
  if (text === null) return EMPTY;
  try {
    const { v, id, turns, trimmed } = JSON.parse(text);
    if (v !== VERSION || typeof id !== "string" || !Array.isArray(turns) || !turns.every(isTurn)) return EMPTY;
    const whole = turns.map((/** @type {Turn} */ turn) => ({ ...turn, images: turn.images ?? [], answer: { ...newAnswer(turn.answer.run), ...turn.answer } }));
    return { id, turns: whole, trimmed: trimmed === true };
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

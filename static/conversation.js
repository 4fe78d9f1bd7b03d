/**
 * A conversation as a value: turns of a question and its answer, what of it the model is told, and
 * the form in which it outlives a reload. Pure.
 */
import { isOver, newAnswer } from "./state.js";

/** @typedef {import("./state.js").Answer} Answer */
/** @typedef {import("./seams.js").Message} Message */
/** @typedef {import("./seams.js").Opening} Opening */
/** @typedef {import("./seams.js").Wishes} Wishes */
/** @typedef {{question: string, wishes: Wishes, answer: Answer}} Turn */

/**
 * @typedef {object} Conversation
 * @property {readonly Turn[]} turns oldest first
 * @property {boolean} trimmed older turns were dropped to keep the saved form small
 */

/** @type {Conversation} */
export const EMPTY = { turns: [], trimmed: false };

/** Version of the saved form; another one is not read. */
const VERSION = 1;

/**
 * Add a turn whose answer has yet to come.
 * @param {Conversation} conversation
 * @param {string} question
 * @param {Wishes} wishes
 * @param {string} run
 * @returns {Conversation}
 */
export function asked(conversation, question, wishes, run) {
  return { ...conversation, turns: [...conversation.turns, { question, wishes, answer: newAnswer(run) }] };
}

/**
 * Ask the last question once more.
 * @param {Conversation} conversation
 * @param {Wishes} wishes
 * @param {string} run
 * @returns {Conversation}
 */
export function askedAgain(conversation, wishes, run) {
  const last = conversation.turns.at(-1);
  if (!last) return conversation;
  return asked({ ...conversation, turns: conversation.turns.slice(0, -1) }, last.question, wishes, run);
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
  return { ...conversation, turns: [...conversation.turns.slice(0, -1), { ...last, answer }] };
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
 * Say what the run of the last answer is started with. It is the same after a reload.
 * @param {Conversation} conversation
 * @returns {Opening}
 */
export function opening(conversation) {
  return { ...conversation.turns.at(-1)?.wishes, messages: messages(conversation) };
}

/**
 * Say what the model is asked: every turn so far, without answers of which nothing came, and
 * without the one that is being made now.
 * @param {Conversation} conversation
 * @returns {Message[]}
 */
function messages(conversation) {
  /** @type {Message[]} */
  const said = [];
  const last = conversation.turns.length - 1;
  conversation.turns.forEach(({ question, answer }, at) => {
    said.push({ role: "user", content: question });
    if (at < last && answer.text !== "") said.push({ role: "assistant", content: answer.text });
  });
  return said;
}

/**
 * Write the saved form, at most `maxChars` long: the oldest turns go first, the last one stays.
 * @param {Conversation} conversation
 * @param {number} maxChars
 */
export function freeze(conversation, maxChars) {
  let { turns, trimmed } = conversation;
  for (;;) {
    const text = JSON.stringify({ v: VERSION, trimmed, turns });
    if (text.length <= maxChars || turns.length <= 1) return text.length <= maxChars ? text : null;
    turns = turns.slice(Math.ceil(turns.length / 2));
    trimmed = true;
  }
}

/**
 * Read the saved form.
 * @param {string | null} text
 * @returns {Conversation} empty when it can't be read
 */
export function thaw(text) {
  if (text === null) return EMPTY;
  try {
    const saved = JSON.parse(text);
    if (saved.v !== VERSION || !Array.isArray(saved.turns) || !saved.turns.every(isTurn)) return EMPTY;
    const turns = saved.turns.map((/** @type {Turn} */ turn) => ({
      question: turn.question,
      wishes: turn.wishes ?? {},
      answer: { ...newAnswer(turn.answer.run), ...turn.answer },
    }));
    return { turns, trimmed: saved.trimmed === true };
  } catch {
    return EMPTY;
  }
}

/** @param {any} turn */
function isTurn(turn) {
  return (
    typeof turn?.question === "string" &&
    typeof turn.answer?.run === "string" &&
    typeof turn.answer.text === "string"
  );
}

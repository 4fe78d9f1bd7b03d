/** From the tree of messages that the server keeps to the turns of the branch that is shown. Pure. */
import { newAnswer } from "../stream/answer-state.js";

/** @typedef {import("./conversation.js").Conversation} Conversation */
/** @typedef {import("./conversation.js").Turn} Turn */
/** @typedef {import("./conversation.js").Versions} Versions */
/** @typedef {import("../stream/answer-state.js").Answer} Answer */

/**
 * @typedef {object} Message as the server tells it
 * @property {string} id
 * @property {string | null} parent
 * @property {"user" | "assistant"} role
 * @property {{type: string, text?: string, image?: string, width?: number, height?: number}[]} content
 * @property {"streaming" | "done" | "failed" | "cancelled" | "interrupted"} [state]
 * @property {string} [reasoning]
 * @property {string} [provider]
 * @property {string} [model]
 * @property {import("../stream/frames.js").Usage} [usage]
 * @property {number} [cost]
 * @property {string} [finish_reason]
 * @property {string} [error]
 * @property {number} [thought_ms]
 */

/** @typedef {{id: string, leaf: string | null, messages: readonly Message[]}} Kept a conversation as the server tells it */

/**
 * Lay out the branch down to the leaf.
 * @param {Kept} kept messages the oldest first
 * @returns {Conversation}
 */
export function unfold({ id, leaf, messages }) {
  const every = new Map(messages.map((message) => [message.id, message]));
  /** @type {Map<string | null, string[]>} */
  const beside = new Map();
  for (const { id: name, parent } of messages) {
    const place = parent !== null && every.has(parent) ? parent : null;
    beside.set(place, [...(beside.get(place) ?? []), name]);
  }
  const versions = (/** @type {Message} */ { id: name, parent, role }) => {
    const place = parent !== null && every.has(parent) ? parent : null;
    const ids = (beside.get(place) ?? []).filter((other) => every.get(other)?.role === role);
    return { ids, at: ids.indexOf(name) };
  };
  return { id, turns: paired(branch(every, leaf), versions), trimmed: false };
}

/**
 * @param {Map<string, Message>} every
 * @param {string | null} leaf
 */
function branch(every, leaf) {
  /** @type {Message[]} */
  const found = [];
  const seen = new Set();
  let at = leaf === null ? undefined : every.get(leaf);
  while (at && !seen.has(at.id)) {
    seen.add(at.id);
    found.push(at);
    at = at.parent === null ? undefined : every.get(at.parent);
  }
  return found.reverse();
}

/**
 * @param {Message[]} messages
 * @param {(message: Message) => Versions} versions
 */
function paired(messages, versions) {
  /** @type {Turn[]} */
  const turns = [];
  messages.forEach((message, at) => {
    if (message.role === "user") turns.push(unanswered(message, versions(message)));
    else {
      const isAnswer = messages[at - 1]?.role === "user";
      const turn = isAnswer ? /** @type {Turn} */ (turns.pop()) : { question: "", images: [], asked: null, opening: null, questions: { ids: [], at: 0 } };
      turns.push({ ...turn, answer: answerOf(message), answers: versions(message) });
    }
  });
  return turns;
}

/**
 * @param {Message} message
 * @param {Versions} questions
 * @returns {Turn}
 */
function unanswered(message, questions) {
  const failure = { error: "", code: "interrupted" };
  const answer = { ...newAnswer(message.id), status: /** @type {const} */ ("failed"), failure };
  return { question: contentText(message), images: imagesOf(message), asked: message.id, opening: null, answer, questions, answers: { ids: [], at: 0 } };
}

/**
 * @param {Message} message
 * @returns {Answer}
 */
function answerOf(message) {
  const { id, state = "done", reasoning = "", provider = "", model = "", usage, cost, finish_reason, error, thought_ms = null } = message;
  const answer = { ...newAnswer(id), provider, model, reasoning, text: contentText(message), thought_ms, gapped: true };
  if (state === "streaming") return { ...newAnswer(id), provider, model };
  if (state === "failed" || state === "interrupted") {
    return { ...answer, status: "failed", failure: { error: "", code: error ?? "interrupted", usage, cost } };
  }
  const reason = finish_reason ?? (state === "cancelled" ? "cancelled" : "stop");
  return { ...answer, status: "done", end: { done: true, finish_reason: reason, usage, cost } };
}

/** @param {Message} message */
function contentText({ content }) {
  return content
    .filter(({ type }) => type === "text")
    .map(({ text }) => text ?? "")
    .join("\n");
}

/** @param {Message} message */
function imagesOf({ content }) {
  return content.flatMap(({ image, width = 0, height = 0 }) => (image === undefined ? [] : { id: image, width, height }));
}

/** Builds the turns of a branch from the server's tree of messages. Pure. */
import { newAnswer } from "../stream/answer-state.js";

/** @typedef {import("./conversation.js").Conversation} Conversation */
/** @typedef {import("./conversation.js").Turn} Turn */
/** @typedef {import("./conversation.js").Versions} Versions */
/** @typedef {import("../stream/answer-state.js").Answer} Answer */

/**
 * @typedef {object} StoredMessage as the server sends it
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
 * @property {import("../stream/frames.js").Source[]} [sources]
 */

/** @typedef {{id: string, title?: string, leaf: string | null, updated_at?: number, messages: readonly StoredMessage[], documents?: readonly import("./conversation.js").AttachedDocument[]}} StoredConversation as the server sends it */

/**
 * Return the branch from the root to the leaf.
 * @param {StoredConversation} stored its messages are sorted by age, the oldest first
 * @returns {Conversation}
 */
export function buildConversation({ id, leaf, messages, documents = [] }) {
  const byId = new Map(messages.map((message) => [message.id, message]));
  const knownParent = (/** @type {StoredMessage} */ { parent }) => (parent !== null && byId.has(parent) ? parent : null);
  /** @type {Map<string | null, StoredMessage[]>} */
  const children = new Map();
  for (const message of messages) {
    const parent = knownParent(message);
    children.set(parent, [...(children.get(parent) ?? []), message]);
  }
  const versions = (/** @type {StoredMessage} */ message) => {
    const siblings = (children.get(knownParent(message)) ?? []).filter(({ role }) => role === message.role);
    return { ids: siblings.map((sibling) => sibling.id), at: siblings.indexOf(message) };
  };
  return { id, turns: pair(pathTo(byId, leaf), versions), trimmed: false, documents };
}

/**
 * Return the messages from the root to the leaf; a cycle ends the path.
 * @param {Map<string, StoredMessage>} byId
 * @param {string | null} leaf
 */
function pathTo(byId, leaf) {
  /** @type {Set<StoredMessage>} */
  const path = new Set();
  let message = leaf === null ? undefined : byId.get(leaf);
  while (message && !path.has(message)) {
    path.add(message);
    message = message.parent === null ? undefined : byId.get(message.parent);
  }
  return [...path].reverse();
}

/**
 * Pair each question with its answer.
 * @param {StoredMessage[]} messages
 * @param {(message: StoredMessage) => Versions} versions
 */
function pair(messages, versions) {
  /** @type {Turn[]} */
  const turns = [];
  messages.forEach((message, at) => {
    if (message.role === "user") turns.push(unansweredTurn(message, versions(message)));
    else {
      const isAnswer = messages[at - 1]?.role === "user";
      const turn = isAnswer ? /** @type {Turn} */ (turns.pop()) : { question: "", images: [], asked: null, opening: null, questions: { ids: [], at: 0 } };
      turns.push({ ...turn, answer: toAnswer(message), answers: versions(message) });
    }
  });
  return turns;
}

/**
 * @param {StoredMessage} message
 * @param {Versions} questions
 * @returns {Turn}
 */
function unansweredTurn(message, questions) {
  const failure = { error: "", code: "interrupted" };
  const answer = { ...newAnswer(message.id), status: /** @type {const} */ ("failed"), failure };
  return { question: contentText(message), images: imagesOf(message), asked: message.id, opening: null, answer, questions, answers: { ids: [], at: 0 } };
}

/**
 * @param {StoredMessage} message
 * @returns {Answer}
 */
function toAnswer(message) {
  const { id, state = "done", reasoning = "", provider = "", model = "", usage, cost, finish_reason, error, thought_ms = null, sources = [] } = message;
  const answer = { ...newAnswer(id), provider, model, reasoning, text: contentText(message), thought_ms, sources, gapped: true };
  if (state === "streaming") return { ...newAnswer(id), provider, model };
  if (state === "failed" || state === "interrupted") {
    return { ...answer, status: "failed", question: message.parent, failure: { ...toFailure(error ?? "interrupted"), partial: true, usage, cost } };
  }
  const reason = finish_reason ?? (state === "cancelled" ? "cancelled" : "stop");
  return { ...answer, status: "done", end: { done: true, finish_reason: reason, usage, cost } };
}

/**
 * Convert the stored cause of a failure to what its terminal frame said.
 * @param {string} cause
 */
function toFailure(cause) {
  return cause === "model_not_found" ? { error: "", code: "upstream_bad_request", param: "model" } : { error: "", code: cause };
}

/** @param {StoredMessage} message */
function contentText({ content }) {
  return content
    .filter(({ type }) => type === "text")
    .map(({ text }) => text ?? "")
    .join("\n");
}

/** @param {StoredMessage} message */
function imagesOf({ content }) {
  return content.flatMap(({ image, width = 0, height = 0 }) => (image === undefined ? [] : { id: image, width, height }));
}

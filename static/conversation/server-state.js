/** What the server has told of the shown conversation, and whether that must be loaded again. Pure but for its own state. */
import { isStored } from "./conversation.js";

/** @typedef {import("./changes-feed.js").ConversationChange} ConversationChange */
/** @typedef {import("./conversation.js").Conversation} Conversation */

/** The failures of an answer that the server may have all the same. */
const LOST = new Set(["gone", "interrupted"]);

/** The state of one conversation on the server, as far as it is known here. */
export class ServerState {
  /** The newest state that may not be shown yet. @type {ConversationChange | null} */
  #head = null;
  /** Whether the shown branch lacks a turn although its leaf may be the server's. */
  #isBehind = false;
  /** When the conversation had last changed as of the last load. */
  #loadedAt_ms = 0;

  /** Forget all: another conversation is shown. */
  reset() {
    this.#head = null;
    this.#isBehind = false;
    this.#loadedAt_ms = 0;
  }

  /** Whether the conversation was deleted elsewhere. */
  get isDeleted() {
    return this.#head?.deleted === true;
  }

  /** The newest state that may not be shown yet; pass it to `loaded`. */
  get head() {
    return this.#head;
  }

  /**
   * Note a state that the server has told.
   * @param {ConversationChange} head
   * @param {Conversation} conversation as it is shown
   * @param {boolean} isAnswering
   */
  note(head, { turns }, isAnswering) {
    this.#head = head;
    // The own answer's next state will hide this one.
    if (isAnswering && head.leaf != null && !turns.some(({ answer }) => answer.run === head.leaf)) this.noteMissed();
  }

  /** Note that there may be a turn that is not shown. */
  noteMissed() {
    this.#isBehind = true;
  }

  /**
   * Note that the conversation was loaded.
   * @param {ConversationChange | null} head the `head` before the request: what came later may not be in the response
   * @param {number} updated_at when it had last changed
   */
  loaded(head, updated_at) {
    if (this.#head === head) this.#head = null;
    this.#isBehind = false;
    this.#loadedAt_ms = updated_at;
  }

  /**
   * Return whether the conversation must be loaded to show what the server has.
   * @param {Conversation} conversation as it is shown
   */
  needsLoad({ turns, documents }) {
    const last = turns.at(-1);
    if (last && !isStored(last)) return false; // a question that was not sent: the user may want to send it again
    if (this.#isBehind) return true;
    const head = this.#head;
    if (head === null || head.deleted) return false;
    if (head.documents !== undefined && head.documents !== documents.length) return true;
    if ((last?.answer.run ?? null) !== (head.leaf ?? null)) return true;
    return LOST.has(last?.answer.failure?.code ?? "") && head.run == null && head.updated_at !== this.#loadedAt_ms;
  }
}

/**
 * What outlives a reload: the conversation of this tab, in sessionStorage, bounded. Where storage is
 * refused (private windows, embeds) or full, the page goes on without.
 */
import { EMPTY, freeze, thaw } from "./conversation.js";

/** @typedef {import("./conversation.js").Conversation} Conversation */

const KEY = "freshet.conversation";
/** Browsers give an origin about five million UTF-16 units; this leaves room for others. */
const MAX_CHARS = 2_000_000;

/**
 * Keep the conversation for the next load of this tab.
 * @param {Conversation} conversation
 */
export function remember(conversation) {
  try {
    const text = conversation.turns.length > 0 ? freeze(conversation, MAX_CHARS) : null;
    if (text === null) sessionStorage.removeItem(KEY);
    else sessionStorage.setItem(KEY, text);
  } catch {
    // Refused or full: only a reload would have needed it.
  }
}

/**
 * Bring back what the last load of this tab kept.
 * @returns {Conversation}
 */
export function recall() {
  try {
    return thaw(sessionStorage.getItem(KEY));
  } catch {
    return EMPTY;
  }
}

/**
 * What outlives a reload: the conversation of this tab and its draft, in sessionStorage, bounded. Where storage is
 * refused (private windows, embeds) or full, the page goes on without.
 */
import { EMPTY, freeze, thaw } from "./conversation.js";
import { parseObject } from "../stream/frames.js";
import { MODES } from "../speech/speech.js";

/** @typedef {import("./conversation.js").Conversation} Conversation */

const KEY = "freshet.conversation";
/** Browsers give an origin about five million UTF-16 units; this leaves room for others. */
const MAX_CHARS = 2_000_000;

/**
 * Look into what is kept, or change it: that may be refused, and there may be no room.
 * @template T
 * @param {() => T} act
 * @returns {T | undefined}
 */
function attempt(act) {
  try {
    return act();
  } catch {
    return undefined; // what was to be kept holds until the page is left
  }
}

/**
 * Keep the conversation for the next load of this tab.
 * @param {Conversation} conversation
 */
export function remember(conversation) {
  attempt(() => {
    const text = conversation.turns.length > 0 ? freeze(conversation, MAX_CHARS) : null;
    if (text === null) sessionStorage.removeItem(KEY);
    else sessionStorage.setItem(KEY, text);
  });
}

/**
 * Bring back what the last load of this tab kept.
 * @returns {Conversation}
 */
export function recall() {
  return attempt(() => thaw(sessionStorage.getItem(KEY))) ?? EMPTY;
}

/**
 * @typedef {object} Draft what was written and not sent
 * @property {string} text in the field
 * @property {string} queued waiting for an answer to end
 * @property {number} images how many were there; they themselves are not kept
 */

const DRAFT_KEY = "freshet.draft";

/**
 * Keep what is not sent yet for the next load of this tab.
 * @param {Draft} draft
 */
export function rememberDraft(draft) {
  attempt(() => {
    if (draft.text === "" && draft.queued === "" && draft.images === 0) sessionStorage.removeItem(DRAFT_KEY);
    else if (draft.text.length + draft.queued.length <= MAX_CHARS / 4) sessionStorage.setItem(DRAFT_KEY, JSON.stringify(draft));
  });
}

/**
 * Bring it back.
 * @returns {Draft}
 */
export function recallDraft() {
  const kept = attempt(() => parseObject(sessionStorage.getItem(DRAFT_KEY) ?? "")) ?? {};
  return { text: String(kept.text ?? ""), queued: String(kept.queued ?? ""), images: Number(kept.images) || 0 };
}

const WISHES_KEY = "freshet.wishes";

/**
 * Keep how a person wants to be answered, for every tab and the next visit.
 * @param {import("../stream/types.js").Wishes} wishes
 */
export function rememberWishes(wishes) {
  attempt(() => localStorage.setItem(WISHES_KEY, JSON.stringify(wishes)));
}

/**
 * Bring it back, leaving out what is no wish.
 * @returns {import("../stream/types.js").Wishes}
 */
export function recallWishes() {
  const { model, system, temperature, max_tokens } = attempt(() => parseObject(localStorage.getItem(WISHES_KEY) ?? "")) ?? {};
  return {
    model: typeof model === "string" ? model : undefined,
    system: typeof system === "string" ? system : undefined,
    temperature: typeof temperature === "number" ? temperature : undefined,
    max_tokens: typeof max_tokens === "number" ? max_tokens : undefined,
  };
}

const FOLDED_KEY = "freshet.folded";

/**
 * Keep whether the list of conversations is folded away.
 * @param {boolean} isFolded
 */
export function rememberFolded(isFolded) {
  attempt(() => localStorage.setItem(FOLDED_KEY, String(isFolded)));
}

/** Bring it back. */
export function recallFolded() {
  return attempt(() => localStorage.getItem(FOLDED_KEY) === "true") ?? false;
}

const SPEECH_KEY = "freshet.speech";

/**
 * Keep how much a screen reader is told.
 * @param {import("../speech/speech.js").Mode} mode
 */
export function rememberSpeech(mode) {
  attempt(() => localStorage.setItem(SPEECH_KEY, mode));
}

/** Bring it back; answers are read out where nobody said otherwise. */
export function recallSpeech() {
  const kept = attempt(() => localStorage.getItem(SPEECH_KEY));
  return MODES.find((mode) => mode === kept) ?? "sentences";
}

const SINGLE_KEY = "freshet.single-keys";

/**
 * Keep whether single keys do something.
 * @param {boolean} isOn
 */
export function rememberSingleKeys(isOn) {
  attempt(() => localStorage.setItem(SINGLE_KEY, String(isOn)));
}

/** Bring it back; they do where nobody said otherwise. */
export function recallSingleKeys() {
  return attempt(() => localStorage.getItem(SINGLE_KEY) !== "false") ?? true;
}

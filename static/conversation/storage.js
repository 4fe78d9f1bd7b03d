/**
 * What this browser stores: the conversation and the draft of this tab in sessionStorage, bounded; the user's settings
 * in localStorage. Where storage is blocked (private windows, embeds) or full, nothing is stored.
 */
import { EFFORTS } from "./efforts.js";
import { EMPTY, deserialize, serialize } from "./conversation.js";
import { parseObject } from "../stream/frames.js";
import { MODES } from "../speech/speech.js";

/** @typedef {import("./conversation.js").Conversation} Conversation */

const KEY = "freshet.conversation";
/** Browsers allow an origin about five million UTF-16 units; this leaves room for other entries. */
const MAX_CHARS = 2_000_000;

/**
 * Access the storage; ignore its errors.
 * @template T
 * @param {() => T} access
 * @returns {T | undefined} undefined after an error: storage is blocked, or full
 */
function attempt(access) {
  try {
    return access();
  } catch {
    return undefined;
  }
}

/**
 * Store the conversation for a reload of this tab.
 * @param {Conversation} conversation
 */
export function saveConversation(conversation) {
  attempt(() => {
    const text = conversation.turns.length > 0 ? serialize(conversation, MAX_CHARS) : null;
    if (text === null) sessionStorage.removeItem(KEY);
    else sessionStorage.setItem(KEY, text);
  });
}

/**
 * Load the conversation of this tab.
 * @returns {Conversation} empty when none is stored
 */
export function loadConversation() {
  return attempt(() => deserialize(sessionStorage.getItem(KEY))) ?? EMPTY;
}

/**
 * @typedef {object} Draft what the user typed and has not sent
 * @property {string} text in the composer
 * @property {string} queued the message that waits for the current answer to end
 * @property {number} images the number of images attached; the images themselves are not stored
 */

/** The draft of the versions that had one for all conversations. */
const OLD_DRAFT_KEY = "freshet.draft";
const DRAFTS_KEY = "freshet.drafts";
const MAX_DRAFTS = 50;
const MAX_DRAFTS_CHARS = MAX_CHARS / 4;

/** @type {Draft} */
const NO_DRAFT = { text: "", queued: "", images: 0 };

/**
 * Store the draft of a conversation for a reload of this tab. The oldest drafts are dropped when there are too many; one
 * that is too long for all of them is not stored.
 * @param {string} conversation its id; empty: the new one
 * @param {Draft} draft
 * @returns {boolean} whether it is stored
 */
export function saveDraft(conversation, draft) {
  const isStored = attempt(() => {
    const others = loadDrafts().filter(([id]) => id !== conversation);
    const isEmpty = draft.text === "" && draft.queued === "" && draft.images === 0;
    if (isEmpty && others.length === 0) {
      sessionStorage.removeItem(DRAFTS_KEY);
      return true;
    }
    /** @type {[string, Draft][]} */
    const drafts = isEmpty ? others : [...others, [conversation, draft]];
    let left = MAX_DRAFTS_CHARS;
    const kept = drafts.reverse().filter(([, { text, queued }]) => {
      const size = text.length + queued.length;
      const fits = size <= left;
      if (fits) left -= size;
      return fits;
    });
    kept.splice(MAX_DRAFTS);
    sessionStorage.setItem(DRAFTS_KEY, JSON.stringify({ drafts: kept.reverse() }));
    return isEmpty || kept.at(-1)?.[0] === conversation;
  });
  return isStored ?? false;
}

/**
 * Load the draft of a conversation in this tab.
 * @param {string} conversation its id; empty: the new one
 * @returns {Draft}
 */
export function loadDraft(conversation) {
  const old = attempt(() => sessionStorage.getItem(OLD_DRAFT_KEY));
  if (old) {
    attempt(() => sessionStorage.removeItem(OLD_DRAFT_KEY));
    saveDraft(conversation, parseDraft(parseObject(old) ?? {}));
  }
  return loadDrafts().find(([id]) => id === conversation)?.[1] ?? NO_DRAFT;
}

/** @returns {[string, Draft][]} by conversation, the oldest first */
function loadDrafts() {
  const { drafts } = attempt(() => parseObject(sessionStorage.getItem(DRAFTS_KEY) ?? "")) ?? {};
  if (!Array.isArray(drafts)) return [];
  return drafts.flatMap((row) => (Array.isArray(row) && typeof row[0] === "string" ? [/** @type {[string, Draft]} */ ([row[0], parseDraft(row[1] ?? {})])] : []));
}

/** @param {Record<string, unknown>} saved */
function parseDraft({ text, queued, images }) {
  return { text: String(text ?? ""), queued: String(queued ?? ""), images: Number(images) || 0 };
}

const RUN_OPTIONS_KEY = "freshet.wishes";

/**
 * Store the run options, for every tab and the next visit.
 * @param {import("../stream/types.js").RunOptions} options
 */
export function saveRunOptions(options) {
  attempt(() => localStorage.setItem(RUN_OPTIONS_KEY, JSON.stringify(options)));
}

/**
 * Load the saved run options, dropping unknown keys and values of another type.
 * @returns {import("../stream/types.js").RunOptions}
 */
export function loadRunOptions() {
  const { model, system, temperature, max_tokens, effort, collection } = attempt(() => parseObject(localStorage.getItem(RUN_OPTIONS_KEY) ?? "")) ?? {};
  return {
    model: typeof model === "string" ? model : undefined,
    system: typeof system === "string" ? system : undefined,
    temperature: typeof temperature === "number" ? temperature : undefined,
    max_tokens: typeof max_tokens === "number" ? max_tokens : undefined,
    effort: EFFORTS.find((known) => known === effort),
    collection: Array.isArray(collection) && collection.every((name) => typeof name === "string") && collection.length > 0 ? collection : undefined,
  };
}

const RECENT_MODELS_KEY = "freshet.models";
const MAX_RECENT_MODELS = 10;

/**
 * Store the models used last.
 * @param {string[]} names full names, the last used first
 */
export function saveRecentModels(names) {
  attempt(() => localStorage.setItem(RECENT_MODELS_KEY, JSON.stringify({ names: names.slice(0, MAX_RECENT_MODELS) })));
}

/**
 * Load the models used last.
 * @returns {string[]}
 */
export function loadRecentModels() {
  const { names } = attempt(() => parseObject(localStorage.getItem(RECENT_MODELS_KEY) ?? "")) ?? {};
  return Array.isArray(names) ? names.filter((name) => typeof name === "string").slice(0, MAX_RECENT_MODELS) : [];
}

const FOLDED_KEY = "freshet.folded";

/**
 * Store whether the list of conversations is collapsed.
 * @param {boolean} isFolded
 */
export function saveFolded(isFolded) {
  attempt(() => localStorage.setItem(FOLDED_KEY, String(isFolded)));
}

/** Load whether the list of conversations is collapsed; false by default. */
export function loadFolded() {
  return attempt(() => localStorage.getItem(FOLDED_KEY) === "true") ?? false;
}

const SPEECH_KEY = "freshet.speech";

/**
 * Store how much is announced to a screen reader.
 * @param {import("../speech/speech.js").Mode} mode
 */
export function saveSpeechMode(mode) {
  attempt(() => localStorage.setItem(SPEECH_KEY, mode));
}

/** Load how much is announced to a screen reader; whole sentences by default. */
export function loadSpeechMode() {
  const saved = attempt(() => localStorage.getItem(SPEECH_KEY));
  return MODES.find((mode) => mode === saved) ?? "sentences";
}

const SINGLE_KEY = "freshet.single-keys";

/**
 * Store whether shortcuts of a single key are on.
 * @param {boolean} isOn
 */
export function saveSingleKeys(isOn) {
  attempt(() => localStorage.setItem(SINGLE_KEY, String(isOn)));
}

/** Load whether shortcuts of a single key are on; true by default. */
export function loadSingleKeys() {
  return attempt(() => localStorage.getItem(SINGLE_KEY) !== "false") ?? true;
}

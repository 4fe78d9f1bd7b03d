/**
 * Follows the server's feed of changes on a WebSocket of its own: which conversations changed, in this tab or elsewhere.
 * Reconnects after a cut and resumes where it was. The socket and the clock are injected.
 */
import { HEARTBEAT_MS, backoff, silenceMs } from "../stream/backoff.js";
import { parseObject } from "../stream/frames.js";

/** @typedef {import("../stream/types.js").Clock} Clock */

/**
 * @typedef {object} ConversationChange the state of a conversation that changed
 * @property {string} id
 * @property {boolean} [deleted] then it has no other field
 * @property {string} [title]
 * @property {string | null} [leaf] the last message of the branch that is shown
 * @property {number} [created_at] milliseconds since 1970
 * @property {number} [updated_at] milliseconds since 1970
 * @property {string | null} [run] the run that is answering at the leaf
 * @property {number} [documents] how many it has
 */

/**
 * @typedef {object} FeedListener the callbacks of a feed
 * @property {(change: ConversationChange) => void} changed
 * @property {() => void} resync changes were missed: load the list again
 * @property {(isLive: boolean) => void} liveChanged whether changes come; if not, the list may be outdated
 */

/**
 * @typedef {object} FeedTools
 * @property {() => WebSocket} connect
 * @property {Clock} clock
 * @property {FeedListener} listener
 * @property {number} [heartbeat_ms] the longest silence of the server
 */

/** After so many tries in a row without a response, it gives up until it is started again: a proxy drops WebSockets. */
const MAX_CONNECTS = 6;
/** The server's close code for a session that has ended. */
const SESSION_ENDED = 4401;

/** The feed of one tab. */
export class ChangesFeed {
  #tools;
  /** @type {WebSocket | null} */
  #socket = null;
  /** @type {string | null} the id of the last event */
  #cursor = null;
  #tries = 0;
  #isLive = false;
  /** @type {Map<"retry" | "silence", number>} */
  #timers = new Map();

  /** @param {FeedTools} tools */
  constructor(tools) {
    this.#tools = tools;
  }

  /** Whether changes come. */
  get isLive() {
    return this.#isLive;
  }

  /**
   * Connect, unless it is connected.
   * @param {string | null} cursor where to begin if no event has come yet; null: with a resync
   */
  start(cursor) {
    this.#cursor ??= cursor;
    this.#tries = 0;
    if (this.#socket === null) this.#connect();
  }

  /** Disconnect; `start` resumes. */
  stop() {
    const socket = this.#socket;
    this.#socket = null;
    for (const name of this.#timers.keys()) this.#disarm(name);
    socket?.close();
    this.#setLive(false);
  }

  #connect() {
    this.stop();
    this.#tries += 1;
    const socket = this.#tools.connect();
    this.#socket = socket;
    const isCurrent = () => this.#socket === socket;
    socket.addEventListener("open", () => isCurrent() && socket.send(JSON.stringify({ type: "changes", after: this.#cursor })));
    socket.addEventListener("message", ({ data }) => isCurrent() && this.#received(data));
    socket.addEventListener("close", ({ code }) => isCurrent() && this.#closed(code));
    this.#awaitBytes();
  }

  /** @param {unknown} data */
  #received(data) {
    this.#awaitBytes();
    const message = typeof data === "string" ? parseObject(data) : null;
    if (message === null) return;
    if ("refused" in message) return this.stop(); // such as a browser without cookies, whose conversations are not stored
    const { listener } = this.#tools;
    if ("following" in message) {
      this.#tries = 0;
      return this.#setLive(true);
    }
    if (typeof message.id === "string") this.#cursor = message.id;
    if (message.resync === true) listener.resync();
    const { change } = message;
    if (isChange(change)) listener.changed(change);
  }

  /** @param {number} code */
  #closed(code) {
    this.stop();
    if (code === SESSION_ENDED) return this.#tools.listener.resync(); // its response is the sign-in page
    this.#retryLater();
  }

  #retryLater() {
    if (this.#tries >= MAX_CONNECTS) return;
    const { clock } = this.#tools;
    this.#arm("retry", backoff(Math.max(1, this.#tries), 0, clock.random()), () => this.#connect());
  }

  /** Treat the connection as dead if no byte comes for too long. */
  #awaitBytes() {
    this.#arm("silence", silenceMs(this.#tools.heartbeat_ms ?? HEARTBEAT_MS), () => {
      this.stop();
      this.#retryLater();
    });
  }

  /** @param {boolean} isLive */
  #setLive(isLive) {
    if (isLive === this.#isLive) return;
    this.#isLive = isLive;
    this.#tools.listener.liveChanged(isLive);
  }

  /**
   * @param {"retry" | "silence"} name
   * @param {number} ms
   * @param {() => void} act
   */
  #arm(name, ms, act) {
    this.#disarm(name);
    this.#timers.set(name, this.#tools.clock.after(act, ms));
  }

  /** @param {"retry" | "silence"} name */
  #disarm(name) {
    const timer = this.#timers.get(name);
    if (timer !== undefined) this.#tools.clock.cancel(timer);
    this.#timers.delete(name);
  }
}

/**
 * @param {unknown} value
 * @returns {value is ConversationChange}
 */
function isChange(value) {
  return typeof value === "object" && value !== null && typeof (/** @type {Record<string, unknown>} */ (value).id) === "string";
}

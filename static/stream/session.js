/**
 * Reads one answer to its end: keeps the cursor, reconnects after a cut, backs off, and switches transports. Clock and
 * transports are injected.
 *
 * Usually one connection is open. While the first has sent no byte, the other transport is tried beside it; the first
 * that sends a byte is kept.
 */
import { formatCursor } from "./frames.js";
import { HEARTBEAT_MS, MAX_REFUSAL_MS, SWITCH_MS, backoff, silenceMs, suspectMs, uploadMs } from "./backoff.js";
import { endAnswer, holdBack, isOver, reduce, reopen, dropCursor } from "./answer-state.js";

/** @typedef {import("./frames.js").Received} Received */
/** @typedef {import("./types.js").Clock} Clock */
/** @typedef {import("./types.js").Connection} Connection */
/** @typedef {import("./types.js").Disconnect} Disconnect */
/** @typedef {import("./types.js").StartBody} StartBody */
/** @typedef {import("./types.js").Transport} Transport */
/** @typedef {import("./answer-state.js").Answer} Answer */
/** @typedef {{at: number, isActive: boolean, connection: Connection | null}} Attempt one connection, over `transports[at]` */

/**
 * @typedef {object} SessionListener the callbacks of a session
 * @property {(answer: Answer) => void} changed
 * @property {(state: import("./types.js").ConnectionState) => void} connectionChanged
 * @property {(received: Received) => void} [received] a frame came that was not there before
 * @property {() => void} signedOut the server answered 401; the session is closed
 */

/**
 * @typedef {object} SessionTools what a session works with
 * @property {readonly Transport[]} transports in the order in which they are tried
 * @property {Clock} clock
 * @property {SessionListener} listener
 * @property {number} [heartbeat_ms] the longest silence of the server
 */

/** The part of the usual jitter that is kept after a 429. */
const OWN_LIMIT_JITTER = 0.1;

/** Reads one answer, from `start` until the answer is over or `close` is called. */
export class Session {
  #answer;
  #opening;
  #tools;
  /** @type {Set<Attempt>} the open connections */
  #attempts = new Set();
  /** The transport of the next connection: the one that last sent a byte. */
  #at = 0;
  /** Tries since the last frame. */
  #failures = 0;
  /** The server's `retry:`, for every pause but the first after a frame. */
  #retry_ms = 0;
  /** The server's longest silence, as its last response named it. @type {number | null} */
  #namedHeartbeat_ms = null;
  /** The pause that a `reconnect` notice asks for, once. */
  #noticePause_ms = 0;
  #activeAt_ms = 0;
  /** @type {Map<"retry" | "switch" | "silence", number>} */
  #timers = new Map();
  #isClosed = false;

  /**
   * @param {Answer} answer its current state; it may have started before a reload
   * @param {StartBody | null} opening starts the run if the server does not have it; null: only join the run
   * @param {SessionTools} tools
   */
  constructor(answer, opening, tools) {
    this.#answer = answer;
    this.#opening = opening;
    this.#tools = tools;
  }

  /** Connect for the first time. */
  start() {
    this.#connect();
  }

  /**
   * Reconnect if the connection is suspect, because the network came back or the page became visible.
   * @param {boolean} isForced replace the open connection even if bytes came lately
   */
  wake(isForced) {
    if (this.#isOver()) return;
    const quiet_ms = this.#tools.clock.now() - this.#activeAt_ms - this.#upload_ms();
    if (this.#attempts.size > 0 && !isForced && quiet_ms < suspectMs(this.#heartbeat_ms())) return;
    this.#connect();
  }

  /**
   * End the answer without waiting for the server's terminal frame.
   * @param {import("./frames.js").Done | import("./frames.js").Failure} end
   */
  finish(end) {
    this.#end(end);
  }

  /** Stop reading; the run continues on the server. */
  close() {
    this.#isClosed = true;
    this.#disconnect();
  }

  #isOver() {
    return this.#isClosed || isOver(this.#answer);
  }

  #connect() {
    this.#disconnect();
    this.#answer = reopen(this.#answer);
    this.#activeAt_ms = this.#tools.clock.now();
    this.#open(this.#at);
    const upload_ms = this.#upload_ms();
    this.#arm("switch", SWITCH_MS + upload_ms, () => this.#open(this.#at + 1));
    this.#arm("silence", silenceMs(this.#heartbeat_ms()) + upload_ms, () => this.#silent());
  }

  /** Return how long the request may take: it has the images until the first frame shows that the server has them. */
  #upload_ms() {
    return this.#answer.cursor === null ? uploadMs(this.#opening) : 0;
  }

  #heartbeat_ms() {
    return this.#namedHeartbeat_ms ?? this.#tools.heartbeat_ms ?? HEARTBEAT_MS;
  }

  /** @param {number} ms */
  #setHeartbeat(ms) {
    this.#namedHeartbeat_ms = ms;
    this.#arm("silence", silenceMs(ms), () => this.#silent());
  }

  /** @param {number} at */
  #open(at) {
    const { transports } = this.#tools;
    const { run, cursor } = this.#answer;
    /** @type {Attempt} */
    const attempt = { at: at % transports.length, isActive: false, connection: null };
    const request = { run, after: cursor && formatCursor(cursor), opening: this.#opening };
    const isOpen = () => this.#attempts.has(attempt);
    this.#attempts.add(attempt);
    attempt.connection = /** @type {Transport} */ (transports[attempt.at])(request, {
      active: () => isOpen() && this.#active(attempt),
      received: (received) => isOpen() && this.#received(received),
      retry: (ms) => (this.#retry_ms = ms),
      heartbeat: (ms) => isOpen() && this.#setHeartbeat(ms),
      ended: (disconnect) => isOpen() && this.#ended(attempt, disconnect),
    });
  }

  /** @param {Attempt} attempt */
  #active(attempt) {
    this.#activeAt_ms = this.#tools.clock.now();
    this.#arm("silence", silenceMs(this.#heartbeat_ms()), () => this.#silent());
    if (attempt.isActive) return;
    attempt.isActive = true;
    this.#at = attempt.at;
    this.#disarm("switch");
    for (const other of this.#attempts) if (other !== attempt) this.#drop(other);
    this.#tools.listener.connectionChanged("fine");
  }

  /** @param {Received} received */
  #received(received) {
    this.#failures = 0;
    const { frame } = received;
    if (frame.notice?.code === "reconnect") this.#noticePause_ms = frame.notice.after_ms ?? 0;
    const next = reduce(this.#answer, received, this.#tools.clock.now());
    if (next !== this.#answer) this.#tools.listener.received?.(received);
    this.#change(next);
  }

  /** @param {Answer} answer */
  #change(answer) {
    if (answer === this.#answer) return;
    this.#answer = answer;
    if (isOver(answer)) this.#disconnect();
    this.#tools.listener.changed(answer);
  }

  /**
   * @param {Attempt} attempt
   * @param {Disconnect} disconnect
   */
  #ended(attempt, disconnect) {
    this.#attempts.delete(attempt);
    const { kind, message } = disconnect;
    if (kind === "over") {
      // The cursor was the terminal frame's, but this answer is not over, so that frame is missing: read all again.
      this.#answer = dropCursor(this.#answer);
      return this.#retryLater({ kind: "cut" });
    }
    if (kind === "gone") return this.#end({ error: message ?? "", code: "gone" });
    if (kind === "refused" && !this.#isTemporary(disconnect)) return this.#fail(disconnect);
    // Another connection is still open and may succeed.
    if (this.#attempts.size > 0) return;
    if (!attempt.isActive && kind !== "refused") this.#at = attempt.at + 1;
    this.#retryLater(disconnect);
  }

  /** @param {Disconnect} disconnect */
  #isTemporary({ status, code, retry_ms }) {
    if (code === "locked") return false;
    const hasBegun = this.#answer.cursor !== null;
    return (status === 429 || status === 503) && (hasBegun || (typeof retry_ms === "number" && retry_ms <= MAX_REFUSAL_MS));
  }

  /** @param {Disconnect} disconnect */
  #fail({ status, message, code, retry_ms, limit }) {
    // `no_owner`: the browser refuses cookies, so signing in or reloading would not help.
    if (status === 401 && code !== "no_owner") {
      this.close();
      return this.#tools.listener.signedOut();
    }
    const retry_after = typeof retry_ms === "number" ? Math.ceil(retry_ms / 1000) : null;
    this.#end({ error: message ?? "", code: code ?? "refused", retry_after, limit });
  }

  /**
   * Close every connection, and reconnect after a pause.
   * @param {Disconnect} disconnect
   */
  #retryLater({ kind, status, code, retry_ms }) {
    const { clock, listener } = this.#tools;
    this.#disconnect();
    this.#failures += 1;
    const requested_ms = Math.max(retry_ms ?? 0, this.#noticePause_ms, this.#failures > 1 ? this.#retry_ms : 0);
    this.#noticePause_ms = 0;
    // A 429 is a limit of this user alone: no crowd returns at the same time, so little jitter is enough.
    const jitter = status === 429 ? OWN_LIMIT_JITTER : 1;
    const pause_ms = backoff(this.#failures, requested_ms, clock.random() * jitter);
    this.#arm("retry", pause_ms, () => this.#connect());
    if (this.#answer.cursor === null) this.#change(holdBack(this.#answer, code, clock.now() + pause_ms));
    listener.connectionChanged(kind === "refused" ? "busy" : "lost");
  }

  /** No byte came: a proxy buffers the body, or the connection is dead. Try the other transport first. */
  #silent() {
    this.#at += 1;
    this.#retryLater({ kind: "cut" });
  }

  /** @param {import("./frames.js").Done | import("./frames.js").Failure} end */
  #end(end) {
    this.#change(endAnswer(this.#answer, end, this.#tools.clock.now()));
  }

  /** Close every connection and stop every timer. */
  #disconnect() {
    for (const name of this.#timers.keys()) this.#disarm(name);
    for (const attempt of this.#attempts) this.#drop(attempt);
  }

  /** @param {Attempt} attempt */
  #drop(attempt) {
    this.#attempts.delete(attempt);
    attempt.connection?.close();
  }

  /**
   * @param {"retry" | "switch" | "silence"} name
   * @param {number} ms
   * @param {() => void} act
   */
  #arm(name, ms, act) {
    this.#disarm(name);
    this.#timers.set(name, this.#tools.clock.after(act, ms));
  }

  /** @param {"retry" | "switch" | "silence"} name */
  #disarm(name) {
    const timer = this.#timers.get(name);
    if (timer !== undefined) this.#tools.clock.cancel(timer);
    this.#timers.delete(name);
  }
}

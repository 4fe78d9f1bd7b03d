/**
 * Follow one answer to its end, over whichever transport carries it: the cursor, when to resume,
 * how long to wait, when to try the other transport. Knows no page; time, chance and the transports
 * are given to it.
 *
 * Each connection is a link. Usually there is one; there are two while the first has said nothing
 * yet and the other transport is tried beside it. The first to say anything wins.
 */
import { formatCursor } from "./frames.js";
import { PATIENCE_MS, SILENCE_MS, SUSPECT_MS, SWITCH_MS, backoff, sendingMs } from "./backoff.js";
import { ended, heldBack, isOver, reduce, reopened, withoutCursor } from "./answer-state.js";

/** @typedef {import("./frames.js").Received} Received */
/** @typedef {import("./types.js").Clock} Clock */
/** @typedef {import("./types.js").Connection} Connection */
/** @typedef {import("./types.js").Ending} Ending */
/** @typedef {import("./types.js").Opening} Opening */
/** @typedef {import("./types.js").Transport} Transport */
/** @typedef {import("./answer-state.js").Answer} Answer */
/** @typedef {{at: number, heard: boolean, connection: Connection | null}} Link */

/**
 * @typedef {object} Watcher what a session tells
 * @property {(answer: Answer) => void} changed
 * @property {(state: "fine" | "lost" | "busy") => void} linked whether the answer comes, or will again by itself
 * @property {() => void} signedOut the server does not know this visitor any more
 */

/**
 * @typedef {object} Means what a session works with
 * @property {readonly Transport[]} transports in the order in which they are tried
 * @property {Clock} clock
 * @property {Watcher} watcher
 */

/** How much of the usual chance there is in a pause that ends with a limit of one's own. */
const OWN_SPREAD = 0.1;

/** Follows one answer from `begin` until it is over or `close` is called. */
export class Session {
  #answer;
  #opening;
  #means;
  /** @type {Set<Link>} */
  #links = new Set();
  /** Which transport the next connection uses: the one that last said something. */
  #at = 0;
  /** Tries since a frame last came. */
  #failures = 0;
  /** What the server asked for: by `retry:` for ordinary pauses, by a notice for the next one. */
  #pace_ms = 0;
  #pauseOnce_ms = 0;
  #heardAt_ms = 0;
  /** @type {Map<"retry" | "switch" | "silence", number>} */
  #timers = new Map();
  #closed = false;

  /**
   * @param {Answer} answer as it is now; it may have begun before a reload
   * @param {Opening | null} opening what starts the run if the server does not have it; null: it must
   * @param {Means} means
   */
  constructor(answer, opening, means) {
    this.#answer = answer;
    this.#opening = opening;
    this.#means = means;
  }

  /** Connect for the first time. */
  begin() {
    this.#connect();
  }

  /**
   * Look at the connection because something changed: the network came back, the page is shown.
   * @param {boolean} distrust whether the open connection must be replaced even if it was heard lately
   */
  wake(distrust) {
    if (this.#isOver()) return;
    const sending_ms = this.#answer.cursor === null ? sendingMs(this.#opening) : 0;
    const quiet_ms = this.#means.clock.now() - this.#heardAt_ms - sending_ms;
    if (this.#links.size > 0 && !distrust && quiet_ms < SUSPECT_MS) return;
    this.#connect();
  }

  /**
   * End the answer here without waiting for the server's own end.
   * @param {import("./frames.js").Done | import("./frames.js").Failure} end
   */
  finish(end) {
    this.#end(end);
  }

  /** Stop following; the answer goes on without this reader. */
  close() {
    this.#closed = true;
    this.#drop();
  }

  #isOver() {
    return this.#closed || isOver(this.#answer);
  }

  #connect() {
    this.#drop();
    this.#answer = reopened(this.#answer);
    this.#heardAt_ms = this.#means.clock.now();
    this.#open(this.#at);
    // Images go with every start, until the first frame has told that it came.
    const sending_ms = this.#answer.cursor === null ? sendingMs(this.#opening) : 0;
    this.#arm("switch", SWITCH_MS + sending_ms, () => this.#open(this.#at + 1));
    this.#arm("silence", SILENCE_MS + sending_ms, () => this.#silent());
  }

  /** @param {number} at */
  #open(at) {
    const { transports } = this.#means;
    const { run, cursor } = this.#answer;
    /** @type {Link} */
    const link = { at: at % transports.length, heard: false, connection: null };
    const ask = { run, after: cursor && formatCursor(cursor), opening: this.#opening };
    const isOpen = () => this.#links.has(link);
    this.#links.add(link);
    link.connection = /** @type {Transport} */ (transports[link.at])(ask, {
      heard: () => isOpen() && this.#heard(link),
      received: (received) => isOpen() && this.#received(received),
      pace: (ms) => (this.#pace_ms = ms),
      ended: (ending) => isOpen() && this.#lost(link, ending),
    });
  }

  /** @param {Link} link */
  #heard(link) {
    this.#heardAt_ms = this.#means.clock.now();
    this.#arm("silence", SILENCE_MS, () => this.#silent());
    if (link.heard) return;
    link.heard = true;
    this.#at = link.at;
    this.#disarm("switch");
    for (const other of this.#links) if (other !== link) this.#shut(other);
    this.#means.watcher.linked("fine");
  }

  /** @param {Received} received */
  #received(received) {
    this.#failures = 0;
    const { frame } = received;
    if (frame.notice?.code === "reconnect") this.#pauseOnce_ms = frame.notice.after_ms ?? 0;
    this.#change(reduce(this.#answer, received, this.#means.clock.now()));
  }

  /** @param {Answer} answer */
  #change(answer) {
    if (answer === this.#answer) return;
    this.#answer = answer;
    if (isOver(answer)) this.#drop();
    this.#means.watcher.changed(answer);
  }

  /**
   * One link ended.
   * @param {Link} link
   * @param {Ending} ending
   */
  #lost(link, ending) {
    this.#links.delete(link);
    if (ending.kind === "over") {
      // The cursor was the last frame's, yet its end never reached us: read it all once more.
      this.#answer = withoutCursor(this.#answer);
      return this.#lose({ kind: "cut" });
    }
    if (ending.kind === "gone") return this.#end({ error: ending.message ?? "", code: "gone" });
    if (ending.kind === "refused" && !this.#mayWait(ending)) return this.#refused(ending);
    // Beside a link that still tries, the loss of another decides nothing.
    if (this.#links.size > 0) return;
    if (!link.heard && ending.kind !== "refused") this.#at = link.at + 1;
    this.#lose(ending);
  }

  /** @param {Ending} ending */
  #mayWait({ status, code, retry_ms }) {
    if (code === "locked") return false;
    const isPassing = status === 429 || status === 503;
    const hasBegun = this.#answer.cursor !== null;
    return isPassing && (hasBegun || (typeof retry_ms === "number" && retry_ms <= PATIENCE_MS));
  }

  /** @param {Ending} ending */
  #refused({ status, message, code, retry_ms, limit }) {
    // Where cookies are refused there is no owner, and signing in or loading the page again would not help.
    if (status === 401 && code !== "no_owner") {
      this.close();
      return this.#means.watcher.signedOut();
    }
    const retry_after = typeof retry_ms === "number" ? Math.ceil(retry_ms / 1000) : null;
    this.#end({ error: message ?? "", code: code ?? "refused", retry_after, limit });
  }

  /**
   * Nothing is open any more: come back after a pause.
   * @param {Ending} ending
   */
  #lose(ending) {
    this.#drop();
    this.#failures += 1;
    const asked_ms = Math.max(ending.retry_ms ?? 0, this.#pauseOnce_ms, this.#failures > 1 ? this.#pace_ms : 0);
    this.#pauseOnce_ms = 0;
    // Whoever is beyond a limit of their own meets nobody when they come back: few need to be spread.
    const spread = ending.status === 429 ? OWN_SPREAD : 1;
    const pause_ms = backoff(this.#failures, asked_ms, this.#means.clock.random() * spread);
    this.#arm("retry", pause_ms, () => this.#connect());
    const { clock, watcher } = this.#means;
    if (this.#answer.cursor === null) this.#change(heldBack(this.#answer, ending.code, clock.now() + pause_ms));
    watcher.linked(ending.kind === "refused" ? "busy" : "lost");
  }

  /** Something between holds the bytes back, or the connection is dead: the other transport goes first. */
  #silent() {
    this.#at += 1;
    this.#lose({ kind: "cut" });
  }

  /** @param {import("./frames.js").Done | import("./frames.js").Failure} end */
  #end(end) {
    this.#change(ended(this.#answer, end, this.#means.clock.now()));
  }

  #drop() {
    for (const name of this.#timers.keys()) this.#disarm(name);
    for (const link of this.#links) this.#shut(link);
  }

  /** @param {Link} link */
  #shut(link) {
    this.#links.delete(link);
    link.connection?.close();
  }

  /**
   * @param {"retry" | "switch" | "silence"} name
   * @param {number} ms
   * @param {() => void} act
   */
  #arm(name, ms, act) {
    this.#disarm(name);
    this.#timers.set(name, this.#means.clock.after(act, ms));
  }

  /** @param {"retry" | "switch" | "silence"} name */
  #disarm(name) {
    const timer = this.#timers.get(name);
    if (timer !== undefined) this.#means.clock.cancel(timer);
    this.#timers.delete(name);
  }
}

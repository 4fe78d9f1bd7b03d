/**
 * The engine of the page: a conversation, the one answer that is being made, and what a person can
 * do to them. Knows no page; everything it works with is given to it.
 */
import { EMPTY, answered, asked, askedAgain, opening, underway } from "./conversation.js";
import { Session } from "./session.js";
import { isOver, reopened } from "./state.js";

/** @typedef {import("./conversation.js").Conversation} Conversation */
/** @typedef {import("./seams.js").Clock} Clock */
/** @typedef {import("./seams.js").Transport} Transport */
/** @typedef {import("./state.js").Answer} Answer */

/**
 * @typedef {object} Listener what a dialogue tells
 * @property {(conversation: Conversation) => void} changed
 * @property {(state: "fine" | "lost" | "busy") => void} linked
 * @property {() => void} signedOut
 */

/**
 * @typedef {object} World what a dialogue works with
 * @property {readonly Transport[]} transports
 * @property {Clock} clock
 * @property {() => string} newRun
 * @property {(run: string) => Promise<boolean>} stopRun
 * @property {(conversation: Conversation) => void} remember
 * @property {() => Conversation} recall
 * @property {Listener} listener
 */

/** While an answer arrives it is saved this often; besides, whenever the page is hidden. */
const SAVE_MS = 1_000;
/** A stop is shown as done after this long, whether or not the server's own end has come. */
const STOP_MS = 2_500;

/** One conversation and its answers. */
export class Dialogue {
  #world;
  #conversation = EMPTY;
  /** @type {Session | null} */
  #session = null;
  /** @type {string | null} the run whose stop was asked for */
  #stopping = null;
  /** @type {number | null} */
  #saving = null;
  /** How the next question is to be answered. @type {import("./seams.js").Wishes} */
  wishes = {};

  /** @param {World} world */
  constructor(world) {
    this.#world = world;
  }

  /** The conversation as it is now. */
  get conversation() {
    return this.#conversation;
  }

  /** Whether an answer is being made. */
  get isAnswering() {
    return underway(this.#conversation) !== null;
  }

  /** Bring back what a reload interrupted, and go on with it. */
  begin() {
    const kept = this.#world.recall();
    const found = underway(kept);
    const answer = found && reopened(found);
    this.#conversation = answer ? answered(kept, answer) : kept;
    this.#tell();
    // With older turns gone the request could not be repeated as it was: then only join.
    if (answer) this.#follow(answer, this.#conversation.trimmed ? null : opening(this.#conversation));
  }

  /**
   * Ask, unless an answer is being made.
   * @param {string} question
   */
  ask(question) {
    if (this.isAnswering) return;
    this.#start(asked(this.#conversation, question, this.wishes, this.#world.newRun()));
  }

  /** Ask the last question once more, in place of its answer. */
  retry() {
    if (this.isAnswering || this.#conversation.turns.length === 0) return;
    this.#start(askedAgain(this.#conversation, this.wishes, this.#world.newRun()));
  }

  /** Stop the answer that is being made. */
  stop() {
    const answer = underway(this.#conversation);
    const session = this.#session;
    if (!answer || this.#stopping === answer.run) return;
    this.#stopping = answer.run;
    void this.#world.stopRun(answer.run);
    const end = /** @type {const} */ ({ done: true, finish_reason: "cancelled", by: "user" });
    this.#world.clock.after(() => session?.finish(end), STOP_MS);
  }

  /** Begin a new conversation. An answer that is being made is stopped: nobody would read it. */
  clear() {
    const answer = underway(this.#conversation);
    this.#session?.close();
    this.#session = null;
    if (answer) void this.#world.stopRun(answer.run);
    this.#conversation = EMPTY;
    this.save();
    this.#tell();
  }

  /**
   * Look at the connection because something changed.
   * @param {boolean} distrust whether an open connection must be replaced
   */
  wake(distrust) {
    this.#session?.wake(distrust);
  }

  /** Save now: the page may go away. */
  save() {
    if (this.#saving !== null) this.#world.clock.cancel(this.#saving);
    this.#saving = null;
    this.#world.remember(this.#conversation);
  }

  /** @param {Conversation} conversation whose last answer has yet to come */
  #start(conversation) {
    this.#conversation = conversation;
    this.save();
    this.#tell();
    const answer = underway(conversation);
    if (answer) this.#follow(answer, opening(conversation));
  }

  /**
   * @param {Answer} answer
   * @param {import("./seams.js").Opening | null} start
   */
  #follow(answer, start) {
    const { transports, clock, listener } = this.#world;
    this.#session?.close();
    const watcher = {
      changed: (/** @type {Answer} */ next) => this.#take(next),
      linked: listener.linked,
      signedOut: () => {
        this.save();
        listener.signedOut();
      },
    };
    this.#session = new Session(answer, start, { transports, clock, watcher });
    this.#session.begin();
  }

  /** @param {Answer} answer */
  #take(answer) {
    this.#conversation = answered(this.#conversation, answer);
    if (isOver(answer)) {
      this.#session = null;
      this.save();
      this.#world.listener.linked("fine");
    } else {
      this.#saving ??= this.#world.clock.after(() => this.save(), SAVE_MS);
    }
    this.#tell();
  }

  #tell() {
    this.#world.listener.changed(this.#conversation);
  }
}

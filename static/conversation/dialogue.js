/**
 * The engine of the page: a conversation, the one answer that is being made, and what a person can
 * do to them. Knows no page; everything it works with is given to it.
 */
import { unfold } from "./branches.js";
import { EMPTY, answered, answeredAgain, asked, askedInstead, continued, isKept, refreshed, underway } from "./conversation.js";
import { Session } from "../stream/session.js";
import { isOver, reopened } from "../stream/answer-state.js";

/** @typedef {import("./conversation.js").Conversation} Conversation */
/** @typedef {import("../stream/types.js").Clock} Clock */
/** @typedef {import("../stream/types.js").Transport} Transport */
/** @typedef {import("../stream/answer-state.js").Answer} Answer */

/**
 * What is known of the conversation that is shown: all there is, not yet, there is none of that name, or it
 * can't be had now.
 * @typedef {"here" | "loading" | "missing" | "away"} Standing
 */

/**
 * @typedef {object} Shelf where conversations are kept
 * @property {(id: string) => Promise<import("./branches.js").Kept | "missing" | null>} load null: it can't be had now
 * @property {(id: string, change: {leaf: string}) => Promise<unknown>} change null: it can't be done now
 * @property {(id: string, image: string) => string} picture the address of an image
 */

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
 * @property {Shelf} shelf
 * @property {Listener} listener
 */

/** While an answer arrives it is saved this often; besides, whenever the page is hidden. */
const SAVE_MS = 1_000;
/** A stop is shown as done after this long, whether or not the server's own end has come. */
const STOP_MS = 2_500;
/** The server's word for a run that ended so long ago that only its conversation knows of it. */
const ENDED = "run_ended";

/** One conversation and its answers. */
export class Dialogue {
  #world;
  #conversation = EMPTY;
  /** @type {Standing} */
  #standing = "here";
  /** @type {Session | null} */
  #session = null;
  /** @type {string | null} the run whose stop was asked for */
  #stopping = null;
  /** @type {number | null} */
  #saving = null;
  /** How the next question is to be answered. @type {import("../stream/types.js").Wishes} */
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

  /** What is known of it. */
  get standing() {
    return this.#standing;
  }

  /**
   * Bring back what a reload interrupted and go on with it, or show the conversation that is wanted.
   * @param {string | null} wanted null: whichever was shown last
   */
  begin(wanted) {
    const kept = this.#world.recall();
    if (wanted !== null && wanted !== kept.id) return this.show(wanted);
    this.#join(kept);
    if (kept.id !== "" && !this.isAnswering) void this.#load();
  }

  /**
   * Leave the conversation and show another; an answer that is being made goes on without this reader.
   * @param {string} id empty: a new one
   */
  show(id) {
    this.#session?.close();
    this.#session = null;
    this.#conversation = { ...EMPTY, id };
    this.save();
    if (id === "") this.#stand("here");
    else void this.#load();
  }

  /**
   * Ask, unless an answer is being made.
   * @param {string} question
   * @param {readonly import("../stream/types.js").Picture[]} [images]
   */
  ask(question, images = []) {
    if (this.isAnswering) return;
    const { newRun } = this.#world;
    const isNew = this.#conversation.id === "" || this.#standing === "missing";
    const conversation = isNew ? { ...EMPTY, id: newRun() } : this.#conversation;
    this.#start(asked(conversation, question, this.wishes, newRun(), images));
  }

  /**
   * Ask another question in the place of one.
   * @param {string} run of its answer
   * @param {string} question
   */
  async askInstead(run, question) {
    await this.#change(run, (conversation, at, next) => askedInstead(conversation, at, question, this.wishes, next));
  }

  /**
   * Have a question answered once more.
   * @param {string} run of the answer so far
   */
  async retry(run) {
    await this.#change(run, (conversation, at, next) => answeredAgain(conversation, at, this.wishes, next));
  }

  /**
   * Have an answer go on.
   * @param {string} run
   */
  async goOn(run) {
    await this.#change(run, (conversation, at, next) => continued(conversation, at, this.wishes, next));
  }

  /**
   * Show the branch that a message is on.
   * @param {string} message
   */
  async turnTo(message) {
    const { id } = this.#conversation;
    if (this.isAnswering) return;
    const done = await this.#world.shelf.change(id, { leaf: message });
    if (done === null || this.#conversation.id !== id || this.isAnswering) return;
    await this.#load();
  }

  /** Stop the answer that is being made. */
  stop() {
    const answer = underway(this.#conversation);
    const session = this.#session;
    if (!answer || this.#stopping === answer.run) return;
    this.#stopping = answer.run;
    void this.#world.stopRun(answer.run);
    const end = /** @type {const} */ ({ done: true, finish_reason: "cancelled", by: "user" });
    this.#world.clock.after(() => session?.finish(end), answer.held ? 0 : STOP_MS);
  }

  /** End the answer that waits for somebody to sign in as failed. */
  giveUp() {
    this.#session?.finish({ error: "", code: "signed_out" });
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

  /**
   * Change a turn that the server has. What it knows of the turn is asked for first, where it is not known here.
   * @param {string} run
   * @param {(conversation: Conversation, at: number, run: string) => Conversation} changed
   */
  async #change(run, changed) {
    const turn = this.#conversation.turns.find(({ answer }) => answer.run === run);
    if (!turn || this.isAnswering) return;
    if (turn.asked === null && isKept(turn)) await this.#load();
    const at = this.#conversation.turns.findIndex(({ answer }) => answer.run === run);
    if (at < 0 || this.isAnswering) return;
    this.#start(changed(this.#conversation, at, this.#world.newRun()));
  }

  /** Ask the server for the conversation, and show what it has. */
  async #load() {
    const before = this.#conversation;
    if (before.turns.length === 0) this.#stand("loading");
    const found = await this.#world.shelf.load(before.id);
    if (this.#conversation !== before) return;
    if (found === null || found === "missing") {
      // What is known here is worth more than nothing: it may not be saved yet.
      if (before.turns.length === 0) this.#stand(found ?? "away");
      return;
    }
    this.#standing = "here";
    this.#join(refreshed(before, unfold(found)));
    this.save();
  }

  /** @param {Conversation} conversation whose last answer may still be being made */
  #join(conversation) {
    const found = underway(conversation);
    const answer = found && reopened(found);
    this.#conversation = answer ? answered(conversation, answer) : conversation;
    this.#tell();
    if (answer) this.#follow(answer, conversation.turns.at(-1)?.opening ?? null);
  }

  /** @param {Conversation} conversation whose last answer has yet to come */
  #start(conversation) {
    const asked = underway(conversation);
    this.#conversation = asked ? answered(conversation, { ...asked, asked_ms: this.#world.clock.now() }) : conversation;
    this.#standing = "here";
    this.save();
    this.#tell();
    const turn = this.#conversation.turns.at(-1);
    if (turn) this.#follow(turn.answer, turn.opening);
  }

  /**
   * @param {Answer} answer
   * @param {import("../stream/types.js").Opening | null} start
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
      if (answer.failure?.code === ENDED || this.#conversation.trimmed) void this.#load();
    } else {
      this.#saving ??= this.#world.clock.after(() => this.save(), SAVE_MS);
    }
    this.#tell();
  }

  /** @param {Standing} standing */
  #stand(standing) {
    this.#standing = standing;
    this.#tell();
  }

  #tell() {
    this.#world.listener.changed(this.#conversation);
  }
}

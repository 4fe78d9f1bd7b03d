/**
 * The dialogue: one conversation, the answer that is running in it, and the user's actions on both. It has no access to
 * the page; its dependencies are injected.
 */
import { buildConversation } from "./branches.js";
import { EMPTY, addQuestion, extendAnswer, isStored, mergeStored, pendingAnswer, replaceQuestion, retryAnswer, setAnswer } from "./conversation.js";
import { ServerState } from "./server-state.js";
import { Session } from "../stream/session.js";
import { isOver, reopen } from "../stream/answer-state.js";

/** @typedef {import("./conversation.js").Conversation} Conversation */
/** @typedef {import("../stream/types.js").Clock} Clock */
/** @typedef {import("../stream/types.js").Transport} Transport */
/** @typedef {import("../stream/answer-state.js").Answer} Answer */

/**
 * Whether the conversation is loaded: `missing` when the server has none of this id, `away` when it could not be loaded.
 * @typedef {"loaded" | "loading" | "missing" | "away"} LoadState
 */

/**
 * @typedef {object} ConversationStore the stored conversations
 * @property {(id: string) => Promise<import("./branches.js").StoredConversation | "missing" | null>} load null: it failed
 * @property {(id: string, patch: {leaf: string}) => Promise<unknown>} change null: it failed
 * @property {(id: string, image: string) => string} imageUrl the address of an image
 */

/**
 * @typedef {object} DialogueListener the callbacks of a dialogue
 * @property {(conversation: Conversation) => void} changed
 * @property {(state: import("../stream/types.js").ConnectionState) => void} connectionChanged
 * @property {() => void} signedOut
 * @property {(question: string, images: readonly import("../stream/types.js").Picture[]) => void} returned a question was not
 *   asked, because an answer that was started elsewhere is running
 */

/**
 * @typedef {object} Dependencies what a dialogue needs
 * @property {readonly Transport[]} transports
 * @property {Clock} clock
 * @property {number} [heartbeat_ms] the longest silence of the server
 * @property {() => string} newRunId creates a run's id
 * @property {(run: string) => Promise<boolean>} stopRun
 * @property {(conversation: Conversation) => void} saveConversation
 * @property {() => Conversation} loadConversation
 * @property {ConversationStore} store
 * @property {() => boolean} isInUse whether the turns must stay as they are, because one is being edited
 * @property {DialogueListener} listener
 */

/** A running answer is saved this often, and whenever the page is hidden. */
const SAVE_MS = 1_000;
/** After a stop the answer ends after this long, even if the server has not sent the terminal frame. */
const STOP_MS = 2_500;
/** The error of a run that ended so long ago that only the stored conversation has its answer. */
const RUN_ENDED = "run_ended";
/** The server's refusal of a question while another answer is running. */
const ANSWER_RUNNING = "answer_running";

/** The conversation that is shown, and its running answer. */
export class Dialogue {
  #dependencies;
  #conversation = EMPTY;
  /** @type {LoadState} */
  #loadState = "loaded";
  /** @type {Session | null} */
  #session = null;
  /** @type {string | null} the run that the user stopped */
  #stopping = null;
  /** The title that came with the conversation of this id. */
  #title = { id: "", text: "" };
  /** @type {number | null} the timer of the next save */
  #saveTimer = null;
  #server = new ServerState();
  /** The loads in progress. */
  #loads = 0;
  /** Whether all changes are passed to `follow`. If not, the conversation is loaded again after each answer. */
  isFollowed = true;
  /** The options of the next run. @type {import("../stream/types.js").RunOptions} */
  runOptions = {};

  /** @param {Dependencies} dependencies */
  constructor(dependencies) {
    this.#dependencies = dependencies;
  }

  /** The current conversation. */
  get conversation() {
    return this.#conversation;
  }

  /** The conversation's title, as far as it is known here; empty: it has none yet. */
  get title() {
    const { id, turns } = this.#conversation;
    return this.#title.id === id && this.#title.text ? this.#title.text : (turns[0]?.question.trim().split("\n")[0] ?? "");
  }

  /** Whether an answer is running. */
  get isAnswering() {
    return pendingAnswer(this.#conversation) !== null;
  }

  /** Whether the conversation is loaded. */
  get loadState() {
    return this.#loadState;
  }

  /**
   * Restore the conversation that this tab showed before a reload, and resume its answer; or show another conversation.
   * @param {string | null} wanted the conversation's id; null: the last one
   */
  start(wanted) {
    const saved = this.#dependencies.loadConversation();
    if (wanted !== null && wanted !== saved.id) return this.show(wanted);
    this.#join(saved);
    if (saved.id !== "" && !this.isAnswering) void this.#load();
  }

  /**
   * Show another conversation; a running answer continues on the server.
   * @param {string} id empty: a new conversation
   */
  show(id) {
    this.#session?.close();
    this.#session = null;
    this.#conversation = { ...EMPTY, id };
    this.#server.reset();
    this.save();
    if (id === "") this.#setLoadState("loaded");
    else void this.#load();
  }

  /**
   * Ask a question, unless an answer is running.
   * @param {string} question
   * @param {readonly import("../stream/types.js").Picture[]} [images]
   */
  ask(question, images = []) {
    if (this.isAnswering) return;
    const { newRunId } = this.#dependencies;
    const isNew = this.#conversation.id === "" || this.#loadState === "missing";
    const conversation = isNew ? { ...EMPTY, id: newRunId() } : this.#conversation;
    this.#startRun(addQuestion(conversation, question, this.runOptions, newRunId(), images));
  }

  /** Return the conversation's id, which a new one gets now, before its first question. */
  openConversation() {
    if (this.#conversation.id === "" || this.#loadState === "missing") {
      this.#conversation = { ...EMPTY, id: this.#dependencies.newRunId() };
      this.#setLoadState("loaded");
    }
    return this.#conversation.id;
  }

  /**
   * Note that a document was added to a conversation here.
   * @param {string} id the conversation's
   * @param {import("./conversation.js").AttachedDocument} added
   */
  addDocument(id, added) {
    this.#setDocuments(id, (documents) => [...documents.filter((other) => other.id !== added.id), added]);
  }

  /**
   * Note that a document of a conversation was deleted here.
   * @param {string} id the conversation's
   * @param {string} removed the document's
   */
  removeDocument(id, removed) {
    this.#setDocuments(id, (documents) => documents.filter((other) => other.id !== removed));
  }

  /**
   * Ask an edited question as a new version of one.
   * @param {string} run the run of the question's current answer
   * @param {string} question
   */
  async editQuestion(run, question) {
    await this.#change(run, (conversation, at, next) => replaceQuestion(conversation, at, question, this.runOptions, next));
  }

  /**
   * Answer a question again.
   * @param {string} run the run of its current answer
   */
  async retry(run) {
    await this.#change(run, (conversation, at, next) => retryAnswer(conversation, at, this.runOptions, next));
  }

  /**
   * Continue an answer that ended early.
   * @param {string} run
   */
  async continueAnswer(run) {
    await this.#change(run, (conversation, at, next) => extendAnswer(conversation, at, this.runOptions, next));
  }

  /**
   * Show the branch that contains a message.
   * @param {string} message its id
   */
  async showBranch(message) {
    const { id } = this.#conversation;
    if (this.isAnswering) return;
    const done = await this.#dependencies.store.change(id, { leaf: message });
    if (done === null || this.#conversation.id !== id || this.isAnswering) return;
    await this.#load();
  }

  /**
   * Follow a change of the conversation that was made here or elsewhere: show a new turn and join its answer, now or when the
   * running answer has ended.
   * @param {import("./changes-feed.js").ConversationChange} head
   */
  follow(head) {
    const { id } = this.#conversation;
    if (head.id !== id) return;
    if (head.title) this.#title = { id, text: head.title };
    this.#server.note(head, this.#conversation, this.isAnswering);
    this.catchUp();
  }

  /** Load the conversation if the server has more of it, unless it is in use. */
  catchUp() {
    if (this.isAnswering || this.#loads > 0 || this.#dependencies.isInUse()) return;
    if (this.#server.isDeleted) this.#showMissing();
    else if (this.#server.needsLoad(this.#conversation)) void this.#load();
  }

  /** Stop the running answer. */
  stop() {
    const answer = pendingAnswer(this.#conversation);
    const session = this.#session;
    if (!answer || this.#stopping === answer.run) return;
    this.#stopping = answer.run;
    void this.#dependencies.stopRun(answer.run);
    const end = /** @type {const} */ ({ done: true, finish_reason: "cancelled", by: "user" });
    this.#dependencies.clock.after(() => session?.finish(end), answer.held ? 0 : STOP_MS);
  }

  /** Fail the answer that waits for a sign-in. */
  giveUp() {
    this.#session?.finish({ error: "", code: "signed_out" });
  }

  /**
   * Reconnect if the connection is suspect.
   * @param {boolean} isForced replace the open connection in any case
   */
  wake(isForced) {
    this.#session?.wake(isForced);
  }

  /** Stop following the answer, which goes on at the server. */
  leave() {
    this.save();
    this.#session?.close();
    this.#session = null;
  }

  /** Save the conversation now, because the page may be closed. */
  save() {
    if (this.#saveTimer !== null) this.#dependencies.clock.cancel(this.#saveTimer);
    this.#saveTimer = null;
    this.#dependencies.saveConversation(this.#conversation);
  }

  /**
   * Start a run in place of a turn. A turn that the server has is loaded first if its question's id is unknown here.
   * @param {string} run the run of the turn's current answer
   * @param {(conversation: Conversation, at: number, run: string) => Conversation} change
   */
  async #change(run, change) {
    const turn = this.#conversation.turns.find(({ answer }) => answer.run === run);
    if (!turn || this.isAnswering) return;
    if (turn.asked === null && isStored(turn)) await this.#load();
    const at = this.#conversation.turns.findIndex(({ answer }) => answer.run === run);
    if (at < 0 || this.isAnswering) return;
    this.#startRun(change(this.#conversation, at, this.#dependencies.newRunId()));
  }

  /** Load the conversation from the server and show it. */
  async #load() {
    const before = this.#conversation;
    const { head } = this.#server;
    if (before.turns.length === 0) this.#setLoadState("loading");
    this.#loads += 1;
    const found = await this.#dependencies.store.load(before.id);
    this.#loads -= 1;
    if (this.#conversation !== before) {
      if (this.#conversation.id === before.id) this.#server.noteMissed(); // asked meanwhile
      return this.catchUp();
    }
    if (found === null || found === "missing") {
      // Keep the turns of this tab: the server may not have stored them yet.
      if (before.turns.length === 0) this.#setLoadState(found ?? "away");
      return;
    }
    const last = before.turns.at(-1);
    // The database was away: the last turn is not in it yet, and must not vanish.
    if (last && isStored(last) && !found.messages.some(({ id }) => id === last.answer.run)) return;
    this.#server.loaded(head, found.updated_at ?? 0);
    this.#loadState = "loaded";
    this.#title = { id: before.id, text: typeof found.title === "string" ? found.title : "" };
    this.#join(mergeStored(before, buildConversation(found)));
    this.save();
    this.catchUp(); // something may have changed since the request
  }

  /** The conversation was deleted: show that. */
  #showMissing() {
    this.#conversation = { ...EMPTY, id: this.#conversation.id };
    this.#server.reset();
    this.save();
    this.#setLoadState("missing");
  }

  /** @param {Conversation} conversation its last answer may still be running */
  #join(conversation) {
    const pending = pendingAnswer(conversation);
    // Of an answer that another page asked, what came before is sent at once: its speed cannot be measured.
    const answer = pending && { ...reopen(pending), ...(pending.asked_ms === null && { gapped: true }) };
    this.#conversation = answer ? setAnswer(conversation, answer) : conversation;
    this.#notify();
    if (answer) this.#follow(answer, conversation.turns.at(-1)?.opening ?? null);
  }

  /** @param {Conversation} conversation its last answer is not started yet */
  #startRun(conversation) {
    const pending = pendingAnswer(conversation);
    this.#conversation = pending ? setAnswer(conversation, { ...pending, asked_ms: this.#dependencies.clock.now() }) : conversation;
    this.#loadState = "loaded";
    this.save();
    this.#notify();
    const turn = this.#conversation.turns.at(-1);
    if (turn) this.#follow(turn.answer, turn.opening);
  }

  /**
   * @param {Answer} answer
   * @param {import("../stream/types.js").StartBody | null} opening
   */
  #follow(answer, opening) {
    const { transports, clock, listener, heartbeat_ms } = this.#dependencies;
    this.#session?.close();
    const sessionListener = {
      changed: (/** @type {Answer} */ next) => this.#update(next),
      connectionChanged: listener.connectionChanged,
      signedOut: () => {
        this.save();
        listener.signedOut();
      },
    };
    this.#session = new Session(answer, opening, { transports, clock, listener: sessionListener, heartbeat_ms });
    this.#session.start();
  }

  /** @param {Answer} answer */
  #update(answer) {
    this.#conversation = setAnswer(this.#conversation, answer);
    if (isOver(answer)) {
      this.#session = null;
      this.save();
      this.#dependencies.listener.connectionChanged("fine");
      if (this.#isRefusedAsRunning()) return this.#returnQuestion();
      if (!this.isFollowed && this.#conversation.turns.at(-1)?.opening?.at_leaf) this.#server.noteMissed();
      if (answer.failure?.code === RUN_ENDED || this.#conversation.trimmed) void this.#load();
      else this.catchUp();
    } else {
      this.#saveTimer ??= this.#dependencies.clock.after(() => this.save(), SAVE_MS);
    }
    this.#notify();
  }

  /** Return whether the last question was refused because of an answer that was started elsewhere. */
  #isRefusedAsRunning() {
    const last = this.#conversation.turns.at(-1);
    return last?.opening?.at_leaf === true && last.answer.failure?.code === ANSWER_RUNNING;
  }

  /** Put the last question back into the composer, and show the answer that is running. */
  #returnQuestion() {
    const { turns } = this.#conversation;
    const last = turns.at(-1);
    this.#conversation = { ...this.#conversation, turns: turns.slice(0, -1) };
    this.#notify();
    if (last) this.#dependencies.listener.returned(last.question, last.images);
    void this.#load();
  }

  /**
   * @param {string} id
   * @param {(documents: import("./conversation.js").Conversation["documents"]) => import("./conversation.js").Conversation["documents"]} change
   */
  #setDocuments(id, change) {
    if (id !== this.#conversation.id) return;
    this.#conversation = { ...this.#conversation, documents: change(this.#conversation.documents) };
    this.save();
    this.#notify();
  }

  /** @param {LoadState} state */
  #setLoadState(state) {
    this.#loadState = state;
    this.#notify();
  }

  #notify() {
    this.#dependencies.listener.changed(this.#conversation);
  }
}

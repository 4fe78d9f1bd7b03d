/**
 * A client for other sites and for programs: ask a question, and read the answer's frames as they come. It reconnects, resumes, and
 * renews the visitor's token by itself. No page is needed, and nothing else is loaded.
 *
 *     import { ask } from "https://HOST/client.js";
 *     for await (const frame of ask({ url: "https://HOST", key: "fpk_…", query: "Hello" })) console.log(frame.text ?? "");
 */
import { clock, newRunId } from "./dom/clock.js";
import { isOver, newAnswer } from "./stream/answer-state.js";
import { COOKIES } from "./stream/access.js";
import { Session } from "./stream/session.js";
import { sseTransport } from "./stream/sse-transport.js";
import { stopRun } from "./stream/stop.js";
import { VisitorAccess } from "./stream/visitor-access.js";
import { webSocketTransport } from "./stream/websocket-transport.js";

/** @typedef {import("./stream/frames.js").Frame} Frame */
/** @typedef {import("./stream/types.js").Access} Access */

/**
 * @typedef {object} Question
 * @property {string} url the server's address
 * @property {string} [key] a publishable key that lists this site; without one, this server's own cookies count
 * @property {string | (() => Promise<string>)} [token] a bearer token, or what returns one: the server's password, or what the site has signed
 * @property {string} [query] the question; or `messages`
 * @property {{role: string, content: unknown}[]} [messages] the whole exchange so far
 * @property {string} [run] an id of 22 characters, to join a run that was started before; it is not started twice
 * @property {"sse" | "websocket"} [transport] what is tried first (sse); the other one is tried where it does not get through
 * @property {AbortSignal} [signal] stops the answer, which throws the signal's reason
 * @property {Record<string, unknown>} [body] more fields of the request, such as `conversation` and `parent`
 */

/** The answer was refused, or cannot be read any more. `code` and `status` are the server's. */
export class AskError extends Error {
  /**
   * @param {string} message
   * @param {string} code
   */
  constructor(message, code) {
    super(message);
    this.name = "AskError";
    this.code = code;
  }
}

/** The accesses of this page's keys, so that two questions are one visitor's. @type {Map<string, VisitorAccess>} */
const visitors = new Map();

/**
 * Return the access that a question shows.
 * @param {Question} question
 * @returns {Access}
 */
function accessOf({ url, key, token }) {
  if (token !== undefined) return { credentials: "omit", token: async () => (typeof token === "string" ? token : token()) };
  if (key === undefined) return COOKIES;
  const name = `${url} ${key}`;
  const known = visitors.get(name) ?? new VisitorAccess(withSlash(url), key);
  visitors.set(name, known);
  return known;
}

/** @param {string} url */
const withSlash = (url) => (url.endsWith("/") ? url : `${url}/`);

/**
 * Ask a question and yield the answer's frames, each once, the last a `done` or an `error` frame. After a `reset` frame the text begins
 * anew with it. Leaving the loop early leaves the answer to the server, where it can be joined by its `run`.
 * @param {Question} question
 * @returns {AsyncGenerator<Frame, void, void>}
 * @throws {AskError}
 */
export async function* ask(question) {
  const { url, run = newRunId(), query, messages, transport = "sse", signal, body = {} } = question;
  signal?.throwIfAborted();
  const base = withSlash(url);
  const access = accessOf(question);
  await access.token(); // a refusal has its own error, which no retry changes
  const transports = [sseTransport(base, access), webSocketTransport(base, access)];
  if (transport === "websocket") transports.reverse();
  /** @type {Frame[]} */
  const frames = [];
  /** @type {Error | null} */
  let failure = null;
  let isEnded = false;
  let wake = () => {};
  const end = (/** @type {Error | null} */ error) => {
    failure ??= error;
    isEnded = true;
    wake();
  };
  const listener = {
    received: (/** @type {import("./stream/frames.js").Received} */ { frame }) => {
      frames.push(frame);
      wake();
    },
    changed: (/** @type {import("./stream/answer-state.js").Answer} */ answer) => {
      if (!isOver(answer)) return;
      const isRefused = answer.failure !== null && frames.at(-1)?.error === undefined;
      end(isRefused ? new AskError(answer.failure?.error || "The answer was refused.", answer.failure?.code ?? "refused") : null);
    },
    connectionChanged: () => {},
    signedOut: () => end(new AskError("The server does not know this caller.", "signed_out")),
  };
  const opening = /** @type {import("./stream/types.js").StartBody} */ (/** @type {unknown} */ ({ ...body, query, messages }));
  const session = new Session(newAnswer(run), opening, { transports, clock, listener });
  const abort = () => {
    void stopRun(base, run, access);
    end(signal?.reason instanceof Error ? signal.reason : new DOMException("The answer was stopped.", "AbortError"));
  };
  signal?.addEventListener("abort", abort);
  try {
    session.start();
    for (;;) {
      while (frames.length > 0) yield /** @type {Frame} */ (frames.shift());
      if (isEnded) break;
      await new Promise((resolve) => (wake = () => resolve(undefined)));
    }
    if (failure) throw failure;
  } finally {
    session.close();
    signal?.removeEventListener("abort", abort);
  }
}

/**
 * Follow a run over a WebSocket: for networks where something holds back the body of a long response.
 * One socket for one run; the server would allow more.
 */
import { parseCursor, parseObject, readFrame } from "./frames.js";

/** @typedef {import("./types.js").Ask} Ask */
/** @typedef {import("./types.js").Ending} Ending */
/** @typedef {import("./types.js").Sink} Sink */

/** The server's close codes that mean something here; every other is a cut. */
const UNAUTHENTICATED = 4401;
const RATE_LIMITED = 4429;
const RATE_PAUSE_MS = 5_000;

/**
 * Make the transport.
 * @param {string} base the address of the page, to which the door is relative
 * @returns {import("./types.js").Transport}
 */
export function overSocket(base) {
  return (ask, sink) => {
    const socket = new WebSocket(address(base));
    let closed = false;
    /** @param {Ending} ending */
    const end = (ending) => {
      if (closed) return;
      closed = true;
      socket.close();
      sink.ended(ending);
    };
    socket.addEventListener("open", () => socket.send(firstWords(ask)));
    socket.addEventListener("message", (message) => {
      if (closed) return;
      sink.heard();
      const ending = take(message.data, ask, sink);
      if (ending) end(ending);
    });
    socket.addEventListener("close", ({ code }) => end(meaning(code)));
    return {
      close() {
        closed = true;
        socket.close();
      },
    };
  };
}

/** @param {string} base */
function address(base) {
  const url = new URL("ws", base);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url;
}

/** @param {Ask} ask */
function firstWords({ run, after, opening }) {
  if (after === null && opening !== null) return JSON.stringify({ ...opening, type: "start", ref: run, run });
  return JSON.stringify({ type: "resume", ref: run, run, after });
}

/**
 * @param {unknown} text
 * @param {Ask} ask
 * @param {Sink} sink
 * @returns {Ending | null}
 */
function take(text, ask, sink) {
  const json = typeof text === "string" ? parseObject(text) : null;
  if (json === null) return null;
  if ("refused" in json) return refusal(json);
  const frame = readFrame(json);
  if (frame && json.run === ask.run) sink.received({ cursor: parseCursor(json.id), frame });
  return null;
}

/**
 * @param {Record<string, unknown>} json
 * @returns {Ending}
 */
function refusal({ refused, code, status, retry_after, limit }) {
  const message = typeof refused === "string" ? refused : undefined;
  if (status === 204) return { kind: "over" };
  if (status === 404) return { kind: "gone", message };
  return {
    kind: "refused",
    status: typeof status === "number" ? status : 400,
    code: typeof code === "string" ? code : undefined,
    retry_ms: typeof retry_after === "number" ? retry_after * 1000 : null,
    limit: typeof limit === "number" ? limit : undefined,
    message,
  };
}

/**
 * @param {number} code
 * @returns {Ending}
 */
function meaning(code) {
  if (code === UNAUTHENTICATED) return { kind: "refused", status: 401 };
  return { kind: "cut", retry_ms: code === RATE_LIMITED ? RATE_PAUSE_MS : null };
}

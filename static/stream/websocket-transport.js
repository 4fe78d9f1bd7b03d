/**
 * The transport over a WebSocket, for networks where something buffers the body of a long response. Each run has a
 * socket of its own, although the server accepts several runs on one.
 */
import { COOKIES } from "./access.js";
import { parseCursor, parseFrame, parseObject } from "./frames.js";

/** @typedef {import("./types.js").Disconnect} Disconnect */
/** @typedef {import("./types.js").Receiver} Receiver */
/** @typedef {import("./types.js").RunRequest} RunRequest */

/** The server's close codes that are handled; every other one is a cut. */
const UNAUTHENTICATED = 4401;
const RATE_LIMITED = 4429;
const RATE_PAUSE_MS = 5_000;

/**
 * Create the transport.
 * @param {string} base the address of the page, to which the endpoint is relative
 * @param {import("./types.js").Access} [access]
 * @returns {import("./types.js").Transport}
 */
export function webSocketTransport(base, access = COOKIES) {
  return (request, receiver) => {
    const socket = new WebSocket(socketUrl(base));
    let isClosed = false;
    /** @param {Disconnect} disconnect */
    const end = (disconnect) => {
      if (isClosed) return;
      isClosed = true;
      socket.close();
      receiver.ended(disconnect);
    };
    socket.addEventListener("open", async () => {
      const token = await access.token().catch(() => null); // without one the server says why it refuses
      if (isClosed) return;
      if (token !== null) socket.send(JSON.stringify({ type: "auth", token }));
      socket.send(firstMessage(request));
    });
    socket.addEventListener("message", ({ data }) => {
      if (isClosed) return;
      receiver.active();
      const disconnect = receive(data, request, receiver);
      if (disconnect) end(disconnect);
    });
    socket.addEventListener("close", ({ code }) => end(fromCloseCode(code)));
    return {
      close() {
        isClosed = true;
        socket.close();
      },
    };
  };
}

/**
 * Return the address of the WebSocket endpoint.
 * @param {string} base the address of the page
 */
export function socketUrl(base) {
  const url = new URL("ws", base);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url;
}

/** @param {RunRequest} request */
function firstMessage({ run, after, opening }) {
  if (after === null && opening !== null) return JSON.stringify({ ...opening, type: "start", ref: run, run });
  return JSON.stringify({ type: "resume", ref: run, run, after });
}

/**
 * Pass a message's frame to the receiver, or return why the server ends the run's stream.
 * @param {unknown} text
 * @param {RunRequest} request
 * @param {Receiver} receiver
 * @returns {Disconnect | null}
 */
function receive(text, request, receiver) {
  const json = typeof text === "string" ? parseObject(text) : null;
  if (json === null) return null;
  if ("refused" in json) return parseRefusal(json);
  const frame = parseFrame(json);
  if (frame && json.run === request.run) receiver.received({ cursor: parseCursor(json.id), frame });
  return null;
}

/**
 * @param {Record<string, unknown>} json
 * @returns {Disconnect}
 */
function parseRefusal({ refused, code, status, retry_after, limit }) {
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
 * @returns {Disconnect}
 */
function fromCloseCode(code) {
  if (code === UNAUTHENTICATED) return { kind: "refused", status: 401 };
  return { kind: "cut", retry_ms: code === RATE_LIMITED ? RATE_PAUSE_MS : null };
}

/**
 * The transport over server-sent events, read with `fetch`: POST starts or joins a run, GET resumes it. Unlike an
 * EventSource it sees every byte, and the status of a refusal.
 */
import { COOKIES, withToken } from "./access.js";
import { parseCursor, parseFrame, parseObject } from "./frames.js";
import { parseRetryAfter } from "./backoff.js";
import { SseDecoder } from "./sse.js";

/** @typedef {import("./types.js").Disconnect} Disconnect */
/** @typedef {import("./types.js").Receiver} Receiver */
/** @typedef {import("./types.js").RunRequest} RunRequest */

/** The server's setting allows no more. */
const MAX_HEARTBEAT_S = 60;

/**
 * Create the transport.
 * @param {string} base the address of the page, to which the endpoints are relative
 * @param {import("./types.js").Access} [access]
 * @returns {import("./types.js").Transport}
 */
export function sseTransport(base, access = COOKIES) {
  return (request, receiver) => {
    const aborter = new AbortController();
    let isClosed = false;
    /** @param {Disconnect} disconnect */
    const end = (disconnect) => {
      if (!isClosed) receiver.ended(disconnect);
      isClosed = true;
    };
    readStream(base, access, request, receiver, aborter.signal).then(end, () => end({ kind: "cut" }));
    return {
      close() {
        isClosed = true;
        aborter.abort();
      },
    };
  };
}

/**
 * @param {string} base
 * @param {import("./types.js").Access} access
 * @param {RunRequest} request
 * @param {Receiver} receiver
 * @param {AbortSignal} signal
 * @returns {Promise<Disconnect>}
 */
async function readStream(base, access, request, receiver, signal) {
  const response = await send(base, access, request, signal);
  if (response.status === 204) return { kind: "over" };
  if (!response.ok) return readRefusal(response);
  const type = response.headers.get("content-type") ?? "";
  if (!type.startsWith("text/event-stream") || response.body === null) return { kind: "cut" };
  const heartbeat_s = Number(response.headers.get("freshet-heartbeat"));
  if (heartbeat_s > 0 && heartbeat_s <= MAX_HEARTBEAT_S && !signal.aborted) receiver.heartbeat?.(heartbeat_s * 1_000);
  await readBody(response.body.getReader(), receiver, signal);
  return { kind: "cut" };
}

/**
 * @param {string} base
 * @param {import("./types.js").Access} access
 * @param {RunRequest} request
 * @param {AbortSignal} signal
 */
async function send(base, access, { run, after, opening }, signal) {
  /** @type {RequestInit} */
  const common = { signal, cache: "no-store", credentials: access.credentials, redirect: "error" };
  if (after === null && opening !== null) {
    const headers = await withToken(access, { "Content-Type": "application/json", Accept: "text/event-stream" });
    const body = JSON.stringify({ ...opening, run });
    return fetch(new URL("stream", base), { ...common, method: "POST", headers, body });
  }
  const headers = await withToken(access, { Accept: "text/event-stream" });
  if (after !== null) headers["Last-Event-ID"] = after;
  return fetch(new URL(`stream/${run}`, base), { ...common, headers });
}

/**
 * @param {ReadableStreamDefaultReader<Uint8Array>} reader
 * @param {Receiver} receiver
 * @param {AbortSignal} signal
 */
async function readBody(reader, receiver, signal) {
  const decoder = new SseDecoder();
  for (;;) {
    const { done, value } = await reader.read();
    if (done || signal.aborted) return decoder.flush();
    receiver.active();
    for (const item of decoder.decode(value)) {
      if (signal.aborted) return;
      if (item.kind === "retry") {
        receiver.retry(item.ms);
        continue;
      }
      const frame = parseFrame(parseObject(item.event.data));
      if (frame) receiver.received({ cursor: parseCursor(item.event.id), frame });
    }
  }
}

/**
 * Read a response that is no stream. One without our JSON error comes from a proxy: a 5xx of it is retried like a cut.
 * @param {Response} response
 * @returns {Promise<Disconnect>}
 */
async function readRefusal(response) {
  const { status } = response;
  const retry_ms = parseRetryAfter(response.headers.get("retry-after"), Date.now());
  const limit = Number(response.headers.get("x-ratelimit-limit")) || undefined;
  const isJson = (response.headers.get("content-type") ?? "").startsWith("application/json");
  const error = isJson ? parseObject(await response.text())?.error : null;
  if (error === null || typeof error !== "object") {
    return status < 500 ? { kind: "refused", status, retry_ms } : { kind: "cut", retry_ms };
  }
  const { message, code } = /** @type {Record<string, unknown>} */ (error);
  if (status === 404) return { kind: "gone", message: asText(message) };
  return { kind: "refused", status, retry_ms, limit, message: asText(message), code: asText(code) };
}

/** @param {unknown} value */
function asText(value) {
  return typeof value === "string" ? value : undefined;
}

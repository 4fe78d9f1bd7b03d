/**
 * Follow a run over server-sent events, read by `fetch`: POST starts or joins it, GET resumes it.
 * It counts bytes, which an EventSource can't, and sees the status of a refusal.
 */
import { parseCursor, parseObject, readFrame } from "./frames.js";
import { parseRetryAfter } from "./backoff.js";
import { SseDecoder } from "./sse.js";

/** @typedef {import("./types.js").Ask} Ask */
/** @typedef {import("./types.js").Ending} Ending */
/** @typedef {import("./types.js").Sink} Sink */

/**
 * Make the transport.
 * @param {string} base the address of the page, to which every door is relative
 * @returns {import("./types.js").Transport}
 */
export function overSse(base) {
  return (ask, sink) => {
    const aborter = new AbortController();
    let closed = false;
    /** @param {Ending} ending */
    const end = (ending) => {
      if (!closed) sink.ended(ending);
      closed = true;
    };
    follow(base, ask, sink, aborter.signal).then(end, () => end({ kind: "cut" }));
    return {
      close() {
        closed = true;
        aborter.abort();
      },
    };
  };
}

/**
 * @param {string} base
 * @param {Ask} ask
 * @param {Sink} sink
 * @param {AbortSignal} signal
 * @returns {Promise<Ending>}
 */
async function follow(base, ask, sink, signal) {
  const response = await request(base, ask, signal);
  if (response.status === 204) return { kind: "over" };
  if (!response.ok) return refusalOf(response);
  const kind = response.headers.get("content-type") ?? "";
  if (!kind.startsWith("text/event-stream") || response.body === null) return { kind: "cut" };
  await readBody(response.body.getReader(), sink, signal);
  return { kind: "cut" };
}

/**
 * @param {string} base
 * @param {Ask} ask
 * @param {AbortSignal} signal
 */
function request(base, { run, after, opening }, signal) {
  /** @type {RequestInit} */
  const common = { signal, cache: "no-store", credentials: "same-origin", redirect: "error" };
  if (after === null && opening !== null) {
    const headers = { "Content-Type": "application/json", Accept: "text/event-stream" };
    const body = JSON.stringify({ ...opening, run });
    return fetch(new URL("stream", base), { ...common, method: "POST", headers, body });
  }
  /** @type {Record<string, string>} */
  const headers = { Accept: "text/event-stream" };
  if (after !== null) headers["Last-Event-ID"] = after;
  return fetch(new URL(`stream/${run}`, base), { ...common, headers });
}

/**
 * @param {ReadableStreamDefaultReader<Uint8Array>} reader
 * @param {Sink} sink
 * @param {AbortSignal} signal
 */
async function readBody(reader, sink, signal) {
  const decoder = new SseDecoder();
  for (;;) {
    const { done, value } = await reader.read();
    if (done || signal.aborted) return decoder.flush();
    sink.heard();
    for (const item of decoder.decode(value)) {
      if (signal.aborted) return;
      if (item.kind === "retry") {
        sink.pace(item.ms);
        continue;
      }
      const frame = readFrame(parseObject(item.event.data));
      if (frame) sink.received({ cursor: parseCursor(item.event.id), frame });
    }
  }
}

/**
 * Read an answer that is no stream. What lies between (a proxy's own error page) decides nothing.
 * @param {Response} response
 * @returns {Promise<Ending>}
 */
async function refusalOf(response) {
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

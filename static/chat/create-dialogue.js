/** Builds the dialogue of a chat with the real network, clock and session storage; tests pass others. */
import { clock, newRunId } from "../dom/clock.js";
import { Dialogue } from "../conversation/dialogue.js";
import { loadConversation, saveConversation } from "../conversation/storage.js";
import { stopRun } from "../stream/stop.js";
import { sseTransport } from "../stream/sse-transport.js";
import { webSocketTransport } from "../stream/websocket-transport.js";

/** @typedef {import("../conversation/dialogue.js").Dependencies} Dependencies */

/**
 * Return a new dialogue.
 * @param {string} base the address that the server's paths are relative to
 * @param {import("../stream/types.js").Access} access
 * @param {Pick<Dependencies, "store" | "listener" | "isInUse" | "heartbeat_ms"> & Partial<Pick<Dependencies, "saveConversation" | "loadConversation">>} rest
 */
export function createDialogue(base, access, rest) {
  const transports = [sseTransport(base, access), webSocketTransport(base, access)];
  return new Dialogue({ saveConversation, loadConversation, ...rest, transports, clock, newRunId, stopRun: (run) => stopRun(base, run, access) });
}

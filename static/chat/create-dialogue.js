/** Builds the dialogue of a chat with the real network, clock and session storage; tests pass others. */
import { clock, newRunId } from "../dom/clock.js";
import { Dialogue } from "../conversation/dialogue.js";
import { loadConversation, saveConversation } from "../conversation/storage.js";
import { stopRun } from "../stream/stop.js";
import { sseTransport } from "../stream/sse-transport.js";
import { webSocketTransport } from "../stream/websocket-transport.js";

/**
 * Return a new dialogue.
 * @param {string} base the address that the server's paths are relative to
 * @param {Pick<ConstructorParameters<typeof Dialogue>[0], "store" | "listener" | "isInUse" | "heartbeat_ms">} rest
 */
export function createDialogue(base, rest) {
  const transports = [sseTransport(base), webSocketTransport(base)];
  return new Dialogue({ ...rest, transports, clock, newRunId, saveConversation, loadConversation, stopRun: (run) => stopRun(base, run) });
}

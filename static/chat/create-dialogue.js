/** Where a chat's dialogue gets what it works with: the network, the clock, this tab's memory. */
import { clock, newRun } from "../dom/clock.js";
import { Dialogue } from "../conversation/dialogue.js";
import { recall, remember } from "../conversation/storage.js";
import { stopRun } from "../stream/stop.js";
import { overSse } from "../stream/sse-transport.js";
import { overSocket } from "../stream/websocket-transport.js";

/**
 * @param {string} base the address to which the server's doors are relative
 * @param {Pick<ConstructorParameters<typeof Dialogue>[0], "shelf" | "listener">} rest
 */
export function wired(base, rest) {
  const transports = [overSse(base), overSocket(base)];
  return new Dialogue({ ...rest, transports, clock, newRun, remember, recall, stopRun: (run) => stopRun(base, run) });
}

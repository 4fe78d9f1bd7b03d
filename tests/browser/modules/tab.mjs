// A browser tab for the tests of the dialogue: its storage, network, clock and server.
import { serialize, deserialize } from "./static/conversation/conversation.js";
import { Dialogue } from "./static/conversation/dialogue.js";

/** Open a browser tab: its storage survives the reload that `load` does. */
export function openTab() {
  const record = { text: null, stopped: [], opened: [], timers: [], runs: 0, stored: "missing", changes: [], loads: 0, isInUse: false, returned: [] };
  const load = (wanted = null) => {
    const seen = { changes: 0, signedOut: 0 };
    const clock = { now: () => 0, random: () => 0, cancel: () => {}, after: (run, ms) => record.timers.push({ run, ms }) };
    const transport = (request, receiver) => {
      record.opened.push({ request, receiver, closed: false });
      const connection = record.opened.at(-1);
      return { close: () => (connection.closed = true) };
    };
    const dialogue = new Dialogue({
      transports: [transport, transport],
      clock,
      newRunId: () => `run${String(++record.runs).padStart(19, "0")}`,
      stopRun: async (run) => (record.stopped.push(run), true),
      saveConversation: (conversation) => (record.text = serialize(conversation, 1e6)),
      loadConversation: () => deserialize(record.text),
      isInUse: () => record.isInUse,
      store: { load: async () => (record.loads++, record.stored), change: async (id, change) => (record.changes.push(change), {}) },
      listener: { changed: () => seen.changes++, connectionChanged: () => {}, signedOut: () => seen.signedOut++, returned: (question) => record.returned.push(question) },
    });
    dialogue.start(wanted);
    return { dialogue, seen };
  };
  const say = (seq, frame) => {
    const { request, receiver } = record.opened.at(-1);
    receiver.active();
    receiver.received({ cursor: { run: request.run, epoch: 1, seq }, frame });
  };
  return { record, load, say };
}

/** A message as the server sends it. */
export const message = (id, parent, role, text, more = {}) => ({ id, parent, role, content: [{ type: "text", text }], ...more });
export const settled = () => new Promise((resolve) => setTimeout(resolve));

/** What the page asks for while the rest of it is still on its way: the conversation that its address names. */
import { named } from "./page/address.js";

/** What the door may take; then the page asks again. */
const PATIENCE_MS = 10_000;

/** @param {string} id */
async function askFor(id) {
  try {
    return await fetch(new URL(`conversations/${id}`, document.baseURI), { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
  } catch {
    return null;
  }
}

const id = named();
/** The server's answer, to be read once; null: the address names no conversation, or no answer came. */
export const early = id === "" ? null : askFor(id);

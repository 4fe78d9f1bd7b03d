/** Requests the conversation in the page's address while the page's other modules are still loading. */
import { conversationInUrl } from "./page/address.js";

/** The request is aborted after this long; then the page sends it again. */
const TIMEOUT_MS = 10_000;

/** @param {string} id */
async function request(id) {
  try {
    return await fetch(new URL(`conversations/${id}`, document.baseURI), { cache: "no-store", signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch {
    return null;
  }
}

const id = conversationInUrl();
/** The response, whose body can be read once; null when the address has no conversation or the request failed. */
export const prefetched = id === "" ? null : request(id);

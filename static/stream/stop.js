/** Stopping a run. A lost stop costs money, so it is retried; the request is idempotent. */
import { COOKIES, withToken } from "./access.js";

const MAX_TRIES = 4;
const RETRY_MS = 700;

/**
 * Stop a run.
 * @param {string} base the address of the page
 * @param {string} run
 * @param {import("./types.js").Access} [access]
 * @returns {Promise<boolean>} whether the server confirmed it
 */
export async function stopRun(base, run, access = COOKIES) {
  for (let attempt = 1; attempt <= MAX_TRIES; attempt++) {
    try {
      const headers = await withToken(access);
      const { credentials } = access;
      const response = await fetch(new URL(`stream/${run}/stop`, base), { method: "POST", keepalive: true, credentials, headers });
      if (response.ok) return true;
    } catch {
      // The connection was cut. Retry, as after a 404: the request that starts the run may still be on its way.
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS * attempt));
  }
  return false;
}

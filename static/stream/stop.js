/**
 * Ask the server to stop a run. A stop that got lost costs money, so it is asked again; it is
 * idempotent.
 */

const TRIES = 4;
const RETRY_MS = 700;

/**
 * Stop a run.
 * @param {string} base the address of the page
 * @param {string} run
 * @returns {Promise<boolean>} whether the server confirmed it
 */
export async function stopRun(base, run) {
  for (let attempt = 1; attempt <= TRIES; attempt++) {
    try {
      const response = await fetch(new URL(`stream/${run}/stop`, base), { method: "POST", keepalive: true });
      if (response.ok) return true;
    } catch {
      // Cut: asked again below. A 404 too: the request that starts the run may still be on its way.
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS * attempt));
  }
  return false;
}

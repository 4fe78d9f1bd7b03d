/** The page without a network: polls the server and reloads as soon as it answers. */

const POLL_MS = 3_000;
const health = new URL("../../healthz", import.meta.url);

async function poll() {
  try {
    if ((await fetch(health, { cache: "no-store" })).ok) return location.reload();
  } catch {
    // Still offline.
  }
  setTimeout(poll, POLL_MS);
}

addEventListener("online", poll, { once: true });
setTimeout(poll, POLL_MS);

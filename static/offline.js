/** The page that is shown without a network: leaves as soon as the server is there again. */

const LOOK_MS = 3_000;
const health = new URL("../../healthz", import.meta.url);

async function look() {
  try {
    if ((await fetch(health, { cache: "no-store" })).ok) return location.reload();
  } catch {
    // Not yet.
  }
  setTimeout(look, LOOK_MS);
}

addEventListener("online", look, { once: true });
setTimeout(look, LOOK_MS);

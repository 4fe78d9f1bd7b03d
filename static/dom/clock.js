/** The browser's clock and timers, and random ids. */

/** @type {import("../stream/types.js").Clock} */
export const clock = {
  now: () => Date.now(),
  after: (run, ms) => Number(setTimeout(run, ms)),
  cancel: (timer) => clearTimeout(timer),
  random: () => Math.random(),
};

/**
 * Create an id: 128 random bits in 22 characters. Works over plain http, where `crypto.randomUUID` is missing.
 */
export function newRunId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const text = btoa(String.fromCharCode(...bytes));
  return text.replaceAll("+", "-").replaceAll("/", "_").slice(0, 22);
}

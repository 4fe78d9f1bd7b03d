/** Registers the service worker, where there can be one: not over plain http, and not in every private window. */

/** @typedef {{createPolicy: (name: string, rules: {createScriptURL: (url: string) => string}) => {createScriptURL: (url: string) => any}}} TrustedTypes */

/** The one script that may be named by a text: no other may, where trusted types are enforced. */
const WORKER = /^sw\.js\?v=[0-9a-f]+$/;

/**
 * Register it for the page at `base`, with the version that the page's own files have.
 * @param {string} base
 */
export function keepFiles(base) {
  if (!("serviceWorker" in navigator)) return;
  const version = new URL(import.meta.url).pathname.split("/").at(-2) ?? "";
  const types = /** @type {TrustedTypes | undefined} */ (/** @type {any} */ (globalThis).trustedTypes);
  const rules = { createScriptURL: (/** @type {string} */ name) => (WORKER.test(name) ? new URL(name, base).href : "") };
  const url = (types?.createPolicy("freshet", rules) ?? rules).createScriptURL(`sw.js?v=${version}`);
  navigator.serviceWorker.register(url, { scope: base }).catch(() => {}); // the page works without
}

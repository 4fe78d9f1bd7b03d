/** Registers the service worker. Browsers have none over plain http, and in some private windows. */

/** @typedef {{createPolicy: (name: string, rules: {createScriptURL: (url: string) => string}) => {createScriptURL: (url: string) => any}}} TrustedTypes */

/** The only script address that our trusted-types policy allows. */
const WORKER = /^sw\.js\?v=[0-9a-f]+$/;

/**
 * Return the version in the address of one of the page's files, `…/static/<version>/…`, bundled or not.
 * @param {string} url
 */
export function versionInUrl(url) {
  return /\/static\/([0-9a-f]+)\//.exec(new URL(url).pathname)?.[1] ?? "";
}

/**
 * Register the service worker, with the version of the page's files.
 * @param {string} base the address of the page
 */
export function registerWorker(base) {
  if (!("serviceWorker" in navigator)) return;
  const types = /** @type {TrustedTypes | undefined} */ (/** @type {any} */ (globalThis).trustedTypes);
  const rules = { createScriptURL: (/** @type {string} */ name) => (WORKER.test(name) ? new URL(name, base).href : "") };
  const url = (types?.createPolicy("freshet", rules) ?? rules).createScriptURL(`sw.js?v=${versionInUrl(import.meta.url)}`);
  navigator.serviceWorker.register(url, { scope: new URL("./", base).href }).catch(() => {}); // the page works without it
}

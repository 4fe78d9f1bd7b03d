/**
 * The service worker. It keeps the page's own files, which never change under their address, and one page to
 * show without a network. Everything else, answers above all, always comes from the server.
 */

/** @typedef {Event & {waitUntil: (work: Promise<unknown>) => void}} Extendable */
/** @typedef {Extendable & {request: Request, respondWith: (answer: Promise<Response>) => void}} Fetching */

const worker = /** @type {any} */ (self);
const root = new URL("./", location.href);
const version = new URL(location.href).searchParams.get("v") ?? "";
const files = new URL(`static/${version}/`, root).href;
const offline = new URL("offline", root).href;
const FAMILY = `freshet ${root.pathname} `;
const CACHE = FAMILY + version;
const KEPT = [offline, ...["styles/tokens.css", "styles/page.css", "styles/gate.css", "icon.svg", "offline.js"].map((name) => files + name)];

async function install() {
  const cache = await caches.open(CACHE);
  await cache.addAll(KEPT);
  await worker.skipWaiting();
}

async function activate() {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith(FAMILY) && name !== CACHE).map((name) => caches.delete(name)));
  await worker.clients.claim();
}

/** @param {Request} request for one of the page's files */
async function kept(request) {
  const cache = await caches.open(CACHE);
  const found = await cache.match(request);
  if (found) return found;
  const response = await fetch(request);
  if (response.status === 200) await cache.put(request, response.clone());
  return response;
}

/** @param {Request} request for a page */
async function shown(request) {
  try {
    return await fetch(request);
  } catch {
    return (await caches.match(offline)) ?? Response.error();
  }
}

worker.addEventListener("install", (/** @type {Extendable} */ event) => event.waitUntil(install()));
worker.addEventListener("activate", (/** @type {Extendable} */ event) => event.waitUntil(activate()));
worker.addEventListener("fetch", (/** @type {Fetching} */ event) => {
  const { request } = event;
  if (request.method !== "GET") return;
  if (request.url.startsWith(files)) event.respondWith(kept(request));
  else if (request.mode === "navigate") event.respondWith(shown(request));
});

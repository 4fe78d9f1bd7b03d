/**
 * The service worker. It caches the page's files, whose address has their version, and the page for when there is no
 * network. Every other response, answers above all, comes from the server.
 */

/** @typedef {Event & {waitUntil: (work: Promise<unknown>) => void}} ExtendableEvent */
/** @typedef {ExtendableEvent & {request: Request, respondWith: (response: Promise<Response>) => void}} FetchEvent */

const worker = /** @type {any} */ (self);
const root = new URL("./", location.href);
const version = new URL(location.href).searchParams.get("v") ?? "";
const files = new URL(`static/${version}/`, root).href;
const offline = new URL("offline", root).href;
const PREFIX = `freshet ${root.pathname} `;
const CACHE = PREFIX + version;
const PRECACHED = [offline, ...["styles/tokens.css", "styles/page.css", "styles/status-page.css", "icon.svg", "offline.js"].map((name) => files + name)];

async function install() {
  const cache = await caches.open(CACHE);
  await cache.addAll(PRECACHED);
  await worker.skipWaiting();
}

async function activate() {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith(PREFIX) && name !== CACHE).map((name) => caches.delete(name)));
  await worker.clients.claim();
}

/**
 * Return a file of the page from the cache, or from the server and cache it.
 * @param {Request} request
 */
async function fetchFile(request) {
  const cache = await caches.open(CACHE);
  const cached = await cache.match(request);
  if (cached) return cached;
  const response = await fetch(request);
  if (response.status === 200) await cache.put(request, response.clone());
  return response;
}

/** Return the offline page; its addresses are relative to its own, but it is shown in the place of any page. */
async function offlinePage() {
  const cached = await caches.match(offline);
  if (!cached) return null;
  const { status, headers } = cached;
  const html = (await cached.text()).replace(/(href|src)="(\.\/[^"]*)"/g, (_, name, path) => `${name}="${new URL(path, offline).href}"`);
  return new Response(html, { status, headers });
}

/**
 * Return a page from the server, or the offline page.
 * @param {Request} request
 */
async function fetchPage(request) {
  try {
    return await fetch(request);
  } catch {
    return (await offlinePage()) ?? Response.error();
  }
}

worker.addEventListener("install", (/** @type {ExtendableEvent} */ event) => event.waitUntil(install()));
worker.addEventListener("activate", (/** @type {ExtendableEvent} */ event) => event.waitUntil(activate()));
worker.addEventListener("fetch", (/** @type {FetchEvent} */ event) => {
  const { request } = event;
  if (request.method !== "GET") return;
  if (request.url.startsWith(files)) event.respondWith(fetchFile(request));
  else if (request.mode === "navigate") event.respondWith(fetchPage(request));
});

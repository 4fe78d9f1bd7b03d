/**
 * The chat in a frame of another site: passes on what the site asks by `postMessage`, and tells it what happens. Only the sites of the key
 * are heard and told, each by its exact origin.
 */
{
  /** @typedef {HTMLElement & {ask: (text: string) => void, identify: (token: string | null) => void, open: () => void}} ChatElement */

  /** @type {string[]} */
  const listed = JSON.parse(document.getElementById("origins")?.textContent ?? "[]");
  const chat = /** @type {ChatElement} */ (document.querySelector("freshet-chat"));

  /**
   * Return whether the key lists an origin, exactly or by a leading `*.`.
   * @param {string} origin
   */
  const isListed = (origin) => {
    if (listed.includes(origin)) return true;
    const [scheme = "", host = ""] = origin.split("://");
    const labels = host.split(".");
    return labels.some((_, at) => at > 0 && listed.includes(`${scheme}://*.${labels.slice(at).join(".")}`));
  };

  /** The site that shows this frame, once it is known. @type {string | null} */
  let site = null;
  try {
    const { origin } = new URL(document.referrer);
    if (isListed(origin)) site = origin;
  } catch {
    // It sends no referrer: its first message says who it is.
  }

  addEventListener("message", ({ source, origin, data }) => {
    if (source !== parent || source === window || !isListed(origin) || data === null || typeof data !== "object") return;
    site = origin;
    if (data.type === "freshet:ask" && typeof data.text === "string") chat.ask(data.text);
    else if (data.type === "freshet:identify" && (data.token === null || typeof data.token === "string")) chat.identify(data.token);
  });

  for (const name of ["open", "message", "answer", "error", "close"]) {
    chat.addEventListener(`freshet:${name}`, (event) => {
      const { detail } = /** @type {CustomEvent<object>} */ (event);
      if (site !== null && parent !== window) parent.postMessage({ ...detail, type: `freshet:${name}` }, site);
    });
  }
}

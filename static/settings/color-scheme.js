/**
 * `settings/`: The settings panel, the color scheme and the keyboard shortcuts. Values that outlive a page are
 * stored by `conversation/storage.js`.
 */
/**
 * Light or dark: as the device has it, or as a person chose. The choice is kept in a cookie, so that the server writes it
 * into every page and none is shown in the other colours first.
 */

/** @typedef {"system" | "light" | "dark"} Scheme */

/** @type {readonly Scheme[]} */
export const SCHEMES = ["system", "light", "dark"];
const COOKIE = "freshet-scheme";
const KEPT_S = 365 * 24 * 60 * 60;

/**
 * What this page wears.
 * @returns {Scheme}
 */
export function worn() {
  const { scheme } = document.documentElement.dataset;
  return SCHEMES.find((known) => known === scheme) ?? "system";
}

/**
 * Wear it from now on, and on the next visit.
 * @param {Scheme} scheme
 */
export function wear(scheme) {
  const { dataset } = document.documentElement;
  const { pathname } = new URL(document.baseURI);
  const isChosen = scheme !== "system";
  if (isChosen) dataset.scheme = scheme;
  else delete dataset.scheme;
  document.cookie = `${COOKIE}=${scheme}; path=${pathname}; max-age=${isChosen ? KEPT_S : 0}; samesite=lax`;
  document.querySelector('meta[name="theme-color"]:not([media])')?.remove();
  const theirs = document.querySelector(`meta[name="theme-color"][media*="${scheme}"]`)?.cloneNode();
  if (!(theirs instanceof HTMLElement)) return;
  theirs.removeAttribute("media");
  document.head.prepend(theirs); // of those that fit, a browser takes the first
}

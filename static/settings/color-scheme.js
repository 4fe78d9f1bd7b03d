/**
 * `settings/`: The settings panel, the color scheme and the keyboard shortcuts. Values that outlive a page are
 * stored by `conversation/storage.js`.
 */
/**
 * The color scheme: the device's, or light or dark by choice. The choice is stored in a cookie, because the server writes
 * it into the page; otherwise the page would flash in the other colours first.
 */

/** @typedef {"system" | "light" | "dark"} Scheme */

/** @type {readonly Scheme[]} */
export const SCHEMES = ["system", "light", "dark"];
const COOKIE = "freshet-scheme";
const MAX_AGE_S = 365 * 24 * 60 * 60;

/**
 * Return the scheme of this page.
 * @returns {Scheme}
 */
export function currentScheme() {
  const { scheme } = document.documentElement.dataset;
  return SCHEMES.find((known) => known === scheme) ?? "system";
}

/**
 * Apply a scheme, and store it for the next visits.
 * @param {Scheme} scheme
 */
export function setScheme(scheme) {
  const { dataset } = document.documentElement;
  const { pathname } = new URL(document.baseURI);
  const isChosen = scheme !== "system";
  if (isChosen) dataset.scheme = scheme;
  else delete dataset.scheme;
  document.cookie = `${COOKIE}=${scheme}; path=${pathname}; max-age=${isChosen ? MAX_AGE_S : 0}; samesite=lax`;
  document.querySelector('meta[name="theme-color"]:not([media])')?.remove();
  const themeColor = document.querySelector(`meta[name="theme-color"][media*="${scheme}"]`)?.cloneNode();
  if (!(themeColor instanceof HTMLElement)) return;
  themeColor.removeAttribute("media");
  document.head.prepend(themeColor); // browsers take the first that matches
}

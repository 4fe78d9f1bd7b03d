/** The strings of the page's language. Read `words` when drawing, not at import: `setLanguage` replaces it at the start. */
import { en } from "./en.js";

/** @typedef {import("./en.js").Words} Words */

/** Loaders of the languages besides English. @type {Record<string, () => Promise<Words>>} */
const LOADERS = {
  ar: async () => (await import("./ar.js")).ar,
  de: async () => (await import("./de.js")).de,
  es: async () => (await import("./es.js")).es,
  fr: async () => (await import("./fr.js")).fr,
  zh: async () => (await import("./zh.js")).zh,
};

/** @type {Words} */
export let words = en;
/** The language of `words`, for `Intl`. */
export let language = "en";

/**
 * Load a language and switch to it. An unknown language, or one that fails to load, leaves the page in English.
 * @param {string} tag as in the page's `lang`
 */
export async function setLanguage(tag) {
  const load = LOADERS[tag];
  if (!load) return;
  try {
    words = await load();
    language = tag;
  } catch {
    // The page works in English.
  }
}

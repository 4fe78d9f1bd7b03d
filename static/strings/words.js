/** The words of the page in the language that it speaks. Import `words` and use it late: it changes once, at the start. */
import { en } from "./en.js";

/** @typedef {import("./en.js").Words} Words */

/** What there is besides English; each is loaded when it is spoken. @type {Record<string, () => Promise<Words>>} */
const OTHERS = {
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
 * Speak a language from now on; one that is unknown or can't be loaded leaves the page in English.
 * @param {string} tag as in the page's `lang`
 */
export async function speak(tag) {
  const other = OTHERS[tag];
  if (!other) return;
  try {
    words = await other();
    language = tag;
  } catch {
    // The page works in English.
  }
}

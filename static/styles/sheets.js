/** The style sheets of the shadow root: built once, shared by every chat of a page. */
import { answerCss } from "./answer.js";
import { baseCss } from "./base.js";
import { composerCss } from "./composer.js";
import { imagesCss } from "./images.js";
import { logCss } from "./log.js";
import { printCss } from "./print.js";
import { turnCss } from "./turn.js";

/** @type {CSSStyleSheet[] | null} */
let made = null;
/** @type {(css: string) => string} */
let adapt = (css) => css;

/**
 * Change every sheet that is built from now on.
 * @param {(css: string) => string} change
 */
export function adaptSheets(change) {
  adapt = change;
}

/**
 * Build a constructed style sheet. A strict content security policy allows these and refuses `<style>`.
 * @param {string} css
 */
export function sheetOf(css) {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(adapt(css));
  return sheet;
}

/** Return the sheets to adopt. */
export function sheets() {
  made ??= [baseCss, logCss, turnCss, answerCss, composerCss, imagesCss, printCss].map(sheetOf);
  return made;
}

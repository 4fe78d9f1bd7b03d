/** The style sheets of the shadow root, made once and shared by every chat of a page. */
import { answerCss } from "./answer.js";
import { composerCss } from "./composer.js";
import { imagesCss } from "./images.js";
import { logCss } from "./log.js";
import { printCss } from "./print.js";

/** @type {CSSStyleSheet[] | null} */
let made = null;

/**
 * Make a sheet. A strict content security policy allows it where it refuses `<style>`.
 * @param {string} css
 */
export function sheetOf(css) {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  return sheet;
}

/** The sheets to adopt. */
export function sheets() {
  made ??= [logCss, answerCss, composerCss, imagesCss, printCss].map(sheetOf);
  return made;
}

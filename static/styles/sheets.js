/** The style sheets of the shadow root, made once and shared by every chat of a page. */
import { answerCss } from "./answer.js";
import { composerCss } from "./composer.js";
import { imagesCss } from "./images.js";
import { logCss } from "./log.js";

/** @type {CSSStyleSheet[] | null} */
let made = null;

/** The sheets to adopt. A strict content security policy allows these where it refuses `<style>`. */
export function sheets() {
  made ??= [logCss, answerCss, composerCss, imagesCss].map((css) => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    return sheet;
  });
  return made;
}

/**
 * Colours of code, plain ones: painted ranges know no custom properties in older browsers. None on paper: only what is
 * near the screen has ranges, and one print is not to look two ways.
 */

/** @param {...string} colours */
const palette = (...colours) =>
  ["comment", "string", "number", "keyword", "name"].map((kind, at) => `::highlight(freshet-${kind}) { color: ${colours[at]}; }`).join("\n");

export const highlightCss = `@media screen {
${palette("#5a6366", "#1b6b3a", "#8a4b00", "#8e2a6b", "#1f5c99")}
}
@media screen and (prefers-color-scheme: dark) {
${palette("#a0a9ac", "#8fcf9f", "#e3b573", "#e59ac8", "#82bfe8")}
}`;

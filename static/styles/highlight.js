/**
 * Colours of highlighted code. Literal colours, because older browsers ignore custom properties in
 * `::highlight`. Screen only: code far from the viewport has no ranges yet, so a print would be
 * highlighted in parts.
 */

const COLOURS = {
  comment: ["#5a6366", "#a0a9ac"],
  string: ["#1b6b3a", "#8fcf9f"],
  number: ["#8a4b00", "#e3b573"],
  keyword: ["#8e2a6b", "#e59ac8"],
  name: ["#1f5c99", "#82bfe8"],
};

const RULES = Object.entries(COLOURS).map(
  ([kind, [light, dark]]) => `::highlight(freshet-${kind}) { color: light-dark(${light}, ${dark}); }`,
);

export const highlightCss = `@media screen {
${RULES.join("\n")}
}`;

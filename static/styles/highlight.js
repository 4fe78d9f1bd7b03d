/**
 * Colours of code, plain ones: painted ranges know no custom properties in older browsers. None on paper: only what is
 * near the screen has ranges, and one print is not to look two ways.
 */

const COLOURS = {
  comment: ["#5a6366", "#a0a9ac"],
  string: ["#1b6b3a", "#8fcf9f"],
  number: ["#8a4b00", "#e3b573"],
  keyword: ["#8e2a6b", "#e59ac8"],
  name: ["#1f5c99", "#82bfe8"],
};

const RULES = Object.entries(COLOURS).map(([kind, pair]) => `::highlight(freshet-${kind}) { color: light-dark(${pair.join(", ")}); }`);

export const highlightCss = `@media screen {
${RULES.join("\n")}
}`;

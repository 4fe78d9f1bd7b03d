// Intended differences from micromark: `text` is a minimal example, `like` matches what remains of a longer text after
// its reduction.

const MARKER = String.raw`(?:>|[-*+]|\d+[.)]|\[\^\w+\]:)`;

export const DIFFERENCES = [
  {
    reason: "A list may start after indented code with any number, or with an empty item: it does not interrupt a paragraph (spec 5.2).",
    text: "    a\n2.",
    like: new RegExp(`(?:^|\\n)(?:${MARKER} *)*(?:\\t| +\\t?).+\\n(?:${MARKER} *)*[ \\t]*(?:[-+*]|\\d+[.)])`),
  },
  {
    reason: "A complete tag alone on a lazy continuation line continues the paragraph (spec 4.6, 5.1), whether or not a line follows.",
    text: "> a\n<b>\n",
    like: new RegExp(`(?:^|\\n)[ \\t]*${MARKER}[^]*\\n[ \\t]*</?[a-z]`, "i"),
  },
  {
    reason: "Blank lines after an empty last item do not make the list loose (spec 5.3).",
    text: "> *\n>\n>",
    like: /(?:[-*+]|\d+[.)])[ \t]*(?:\n[ \t>]*){2,}/,
  },
  {
    reason: "Blank lines at the end of indented code are not part of it, even with more than four columns (spec 4.4).",
    text: "    a\n     ",
    like: /(?:\t| {4}).*\n+[ \t>]*[ \t]\n?$/,
  },
  {
    reason: "Blank lines in an unclosed fenced code block are part of it (spec 4.5).",
    text: " ```\n\n ",
    like: /(?:```|~~~)[^]*\n[ \t>]*\n/,
  },
  {
    reason: "Lines of indented code after a closed container are one block (spec 4.4).",
    text: ">\n\ta\n\tb",
    like: new RegExp(`^ *${MARKER}[^]*\\n *(?:\\t| {4}).+\\n+ *(?:\\t| {4})`),
  },
  {
    reason: "A checkbox makes a task only in the first paragraph of an item, also below an empty marker.",
    text: "- \n  [ ] a",
    like: /(?:[-*+]|\d+[.)])[ \t]*\n[ \t]*\[[ xX]\]/,
  },
  {
    reason: "A line ending in a footnote definition does not make an item loose: it is no blank line (spec 5.3).",
    text: "- [^m]:\n\t  r",
    like: /(?:[-*+]|\d+[.)])[ \t]+\[\^\w+\]:[ \t]*\n/,
  },
  {
    reason: "A line with a tag that cannot interrupt a paragraph (spec 4.6) can be the head of a table.",
    text: "a\n<b>\n:-",
    like: /\n<[^]*\n[ \t]*[|:-]/,
  },
  {
    reason: "Text between `\\(` and `\\)`, `\\[` and `\\]`, or `$$` and `$$` is a formula, which takes precedence over Markdown.",
    text: "\\(a_1\\)",
    like: /\\\(|\\\[|\$\$/,
  },
];

/** Normalize differences that the specification leaves open. */
export function normalize(node) {
  // The lines of a paragraph lose their leading blanks, also in code and labels, as in the reference implementations.
  if (node.type === "inlineCode") node.value = node.value.replace(/\n[ \t]+/g, "\n").trim();
  for (const field of ["label", "alt"]) if (node[field]) node[field] = node[field].replace(/\n[ \t]+/g, "\n");
  // Unclosed HTML has no line ending after its last line; inline HTML loses the leading blanks of its lines.
  if (node.type === "html") node.value = node.value.replace(/\n[ \t]+/g, "\n").replace(/\n+$/, "");
  // An info string is trimmed.
  if (node.meta) node.meta = node.meta.trim();
  for (const child of node.children ?? []) normalize(child);
  return node;
}

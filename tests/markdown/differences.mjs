// Where the tree differs from the witness on purpose: `text` shows it at its smallest, `like` recognizes what the
// reduction of a longer text leaves.

const MARKER = String.raw`(?:>|[-*+]|\d+[.)]|\[\^\w+\]:)`;

export const DIFFERENCES = [
  {
    reason: "A list may begin after indented code with any number, or empty: it interrupts no paragraph (spec 5.2).",
    text: "    a\n2.",
    like: new RegExp(`(?:^|\\n)(?:${MARKER} *)*(?:\\t| +\\t?).+\\n(?:${MARKER} *)*[ \\t]*(?:[-+*]|\\d+[.)])`),
  },
  {
    reason: "A whole tag alone on a lazy line goes on with the paragraph (spec 4.6, 5.1), whether or not a line follows.",
    text: "> a\n<b>\n",
    like: new RegExp(`(?:^|\\n)[ \\t]*${MARKER}[^]*\\n[ \\t]*</?[a-z]`, "i"),
  },
  {
    reason: "Empty lines after an empty item make no list loose: nothing follows them (spec 5.3).",
    text: "> *\n>\n>",
    like: /(?:[-*+]|\d+[.)])[ \t]*(?:\n[ \t>]*){2,}/,
  },
  {
    reason: "Blank lines at the end of indented code are no part of it, also with more than four columns (spec 4.4).",
    text: "    a\n     ",
    like: /(?:\t| {4}).*\n+[ \t>]*[ \t]\n?$/,
  },
  {
    reason: "Blank lines in a fence that nothing closes are part of it (spec 4.5).",
    text: " ```\n\n ",
    like: /(?:```|~~~)[^]*\n[ \t>]*\n/,
  },
  {
    reason: "Lines of indented code after a container that ended are one block (spec 4.4).",
    text: ">\n\ta\n\tb",
    like: new RegExp(`^ *${MARKER}[^]*\\n *(?:\\t| {4}).+\\n+ *(?:\\t| {4})`),
  },
  {
    reason: "A box is a task's where its paragraph is the first of an item, and only there, also below an empty marker.",
    text: "- \n  [ ] a",
    like: /(?:[-*+]|\d+[.)])[ \t]*\n[ \t]*\[[ xX]\]/,
  },
  {
    reason: "A line end within a footnote's definition makes no item loose: it is no blank line (spec 5.3).",
    text: "- [^m]:\n\t  r",
    like: /(?:[-*+]|\d+[.)])[ \t]+\[\^\w+\]:[ \t]*\n/,
  },
  {
    reason: "A line with a tag that interrupts no paragraph (spec 4.6) can be the head of a table.",
    text: "a\n<b>\n:-",
    like: /\n<[^]*\n[ \t]*[|:-]/,
  },
  {
    reason: "What stands between `\\(` and `\\)`, `\\[` and `\\]`, or `$$` and `$$` is mathematics, and read before Markdown.",
    text: "\\(a_1\\)",
    like: /\\\(|\\\[|\$\$/,
  },
];

/** Forms of the same tree that say nothing about which is right are evened out on both sides. */
export function even(node) {
  // Lines of a paragraph begin without their blanks, in code and labels too, as in the reference implementations.
  if (node.type === "inlineCode") node.value = node.value.replace(/\n[ \t]+/g, "\n").trim();
  for (const field of ["label", "alt"]) if (node[field]) node[field] = node[field].replace(/\n[ \t]+/g, "\n");
  // HTML that nothing ends holds no line end behind its last line; in a text its lines begin without blanks.
  if (node.type === "html") node.value = node.value.replace(/\n[ \t]+/g, "\n").replace(/\n+$/, "");
  // An info string is trimmed at both ends.
  if (node.meta) node.meta = node.meta.trim();
  for (const child of node.children ?? []) even(child);
  return node;
}

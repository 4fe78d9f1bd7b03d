/** Texts that are hard for a lexer, of any length. */

const REPEATED = [
  '"', "'", "`", "\\", "\\\"", "/", "/*", "*/", "//", "<", "</", "<!--", "<a ", "<a b=", "<script>", "<style>", "{", "}", "${", "`${", "$(", "$((", "\"$(",
  "#", "#!", "#[", "@", "@a{", "=/", "=/[", "(/a[\\", "<<A\n", "<<A ", "r#\"", "f\"{", "f'''", '"""', "'''", '"a":', "a:", "a: |\n", "a: |", "|", ">", "> >",
  "- ", " ", "\n", "\t", "1", "1.", "1e+", "0x", "a", "a ", "a(", "a b(", "a=", "a[1]=", "--", "--a:", "a{b:", "a{b:url(", "&a", "*a", "!a", "class ", "func (a) ", "import a.",
  "\u00e9", "\ud83d\ude00", "\0",
];

/** Pieces that are joined at random. */
const PIECES = [...REPEATED, ...REPEATED, "if", "return ", "x = ", ";", ")", "]", ": ", "\n  "];

/**
 * @param {number} length
 * @param {() => number} random from 0 to 1
 * @returns {[string, string][]} a name and a text
 */
export function hostile(length, random) {
  /** @type {[string, string][]} */
  const texts = REPEATED.map((piece) => [JSON.stringify(piece), piece.repeat(Math.ceil(length / piece.length)).slice(0, length)]);
  let mixed = "";
  while (mixed.length < length) mixed += PIECES[Math.floor(random() * PIECES.length)];
  return [...texts, ["mixed", mixed]];
}

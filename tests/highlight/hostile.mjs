/** Texts made to hurt a lexer, each of any length. */

const WHOLE = [
  '"', "'", "`", "\\", "\\\"", "/", "/*", "*/", "//", "<", "</", "<!--", "<a ", "<a b=", "<script>", "<style>", "{", "}", "${", "`${", "$(", "$((", "\"$(",
  "#", "#!", "#[", "@", "@a{", "=/", "=/[", "(/a[\\", "<<A\n", "<<A ", "r#\"", "f\"{", "f'''", '"""', "'''", '"a":', "a:", "a: |\n", "a: |", "|", ">", "> >",
  "- ", " ", "\n", "\t", "1", "1.", "1e+", "0x", "a", "a ", "a(", "a b(", "a=", "a[1]=", "--", "--a:", "a{b:", "a{b:url(", "&a", "*a", "!a", "class ", "func (a) ", "import a.",
  "\u00e9", "\ud83d\ude00", "\0",
];

/** Pieces that are shuffled by chance. */
const PIECES = [...WHOLE, ...WHOLE, "if", "return ", "x = ", ";", ")", "]", ": ", "\n  "];

/**
 * @param {number} length
 * @param {() => number} chance from 0 to 1
 * @returns {[string, string][]} a name and a text
 */
export function hostile(length, chance) {
  /** @type {[string, string][]} */
  const texts = WHOLE.map((piece) => [JSON.stringify(piece), piece.repeat(Math.ceil(length / piece.length)).slice(0, length)]);
  let mixed = "";
  while (mixed.length < length) mixed += PIECES[Math.floor(chance() * PIECES.length)];
  return [...texts, ["mixed", mixed]];
}

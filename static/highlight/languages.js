/**
 * The languages as lists of rules: a class, a pattern, and a move. A move names the state to push; after "-" the current
 * state is popped first. No pattern scans far and then fails: an unclosed token extends to the end of its line or of the
 * text. So the time is linear in the text, and no step is long.
 */

/** @typedef {[kind: string | Map<string, string>, pattern: RegExp, move?: string]} Rule */

const [C, S, N, K, I] = ["comment", "string", "number", "keyword", "name"];

/** @param {...Rule} list */
const rules = (...list) => list;

/** @param {string} keywords @param {string} [names] @param {RegExp} [pattern] @returns {Rule} */
const words = (keywords, names = "", pattern = /[\w$\x80-\uffff]+/) => {
  const kinds = new Map();
  for (const word of keywords.split(" ")) kinds.set(word, K);
  for (const word of names.split(" ")) kinds.set(word, I);
  return [kinds, pattern];
};

const HASH = rules([C, /(?<![^\s;])#.*/]);
const SLASHES = rules([C, /\/\/.*/], [C, /\/\*[^]*?(?:\*\/|(?![^]))/]);
const NUMBER = rules([N, /\.?\d(?:[eEpP][+-]\d|\w|\.\d)*/]);
const DOUBLE = rules([S, /"(?:[^"\\\n]+|\\[^])*"?/]);
const QUOTES = rules(...DOUBLE, [S, /'(?:[^'\\\n]+|\\[^])*'?/]);
const COMMON = rules(...SLASHES, [S, /"""(?:[^"\\]+|\\[^]|"(?!""))*(?:""")?/], ...QUOTES, ...NUMBER);
const SHARED = "break case catch class const continue default do else enum false for if new return static switch this throw true try void while ";
const TYPED = SHARED + "abstract char double float goto int long private protected public short struct virtual volatile ";

const NAMED = rules(
  [I, /(?<=\b(?:class|struct|enum|interface|trait|union|namespace|typename) {1,9})(?!class\b)[A-Za-z_]\w*/],
  // The name in a declaration of a function: after its type, before its parameters.
  [I, /(?<=[\w>\]][ *&]{1,3})(?<!\b(?:return|new|else|throw|await|case|in) {1,3})[A-Za-z_]\w*(?=\()/],
);

const python = rules(
  ...HASH,
  [S, /[rRbB]?[fF][rRbB]?"""/, 'f"""'],
  [S, /[rRbBuUfF]{0,2}'''(?:[^'\\]+|\\[^]|'(?!''))*(?:''')?/],
  [S, /[rRbB]?[fF][rRbB]?"/, 'f"'],
  [S, /[rRbB]?[fF][rRbB]?'/, "f'"],
  [S, /[rRbBuU]{0,2}(?:"""(?:[^"\\]+|\\[^]|"(?!""))*(?:""")?|"(?:[^"\\\n]+|\\[^])*"?|'(?:[^'\\\n]+|\\[^])*'?)/],
  [I, /^[ \t]{0,99}@[\w.]+|(?<=\b(?:def|class) {1,9})\w+|(?<=^[ \t]{0,99}(?:import|from) {1,9})[\w.]+|\b(?:__\w+__|[A-Z]\w*(?:Error|Exception))\b/],
  [K, /\b(?:match|case)(?= [^=\n])(?<=^[ \t]{0,99}\w{4,5})/],
  ...NUMBER,
  words(
    "and as assert async await break class continue def del elif else except finally for from global if import in is lambda nonlocal not or pass raise return try while with yield None True False",
    "self cls abs all any bool bytes dict dir enumerate filter float format getattr hasattr hash id input int isinstance iter len list map max min next object open ord print property range repr reversed round set setattr sorted staticmethod str sum super tuple type zip",
  ),
);

/** @param {...Rule} before */
const script = (...before) =>
  rules(
    ...before,
    ...SLASHES,
    ...QUOTES,
    [S, /`/, "`"],
    // After one of these a slash starts a regular expression; after anything else it divides.
    [S, /\/(?![/*])(?<=(?:[=(,:[!&|?{};+>]|\b(?:return|case))\s{0,40}.)(?:[^\\/\n[]|\\.|\[(?:[^\]\\\n]|\\.)*\]?)+(?:\/[a-z]*)?/],
    [I, /(?<=\b(?:function\*?|class) )[\w$]+/],
    ["", /\.[A-Za-z_$][\w$]*/],
    ...NUMBER,
    words(
      SHARED +
        "abstract any as async await boolean constructor declare delete export extends finally from function implements import in instanceof interface let never null number of private protected public readonly satisfies string super type typeof undefined unknown var yield",
      "Array Boolean Date Error JSON Map Math Number Object Promise RegExp Set String Symbol document encodeURIComponent global globalThis parseInt window",
    ),
  );
/** @type {Rule} `<` starts a tag where an expression may start; elsewhere it compares. */
const JSX = ["", /<(?=[\w>])(?<=(?:[=(,:?&|{}[>]|\breturn)\s{0,99}.)/, "<"];

const c = rules(
  ...COMMON,
  [K, /^[ \t]{0,99}#[ \t]{0,9}include\b/],
  [S, /(?<=include[ \t]{1,9})<[^>\n]*>?/],
  [K, /^[ \t]{0,99}#(?:[^\\\n]+|\\[^])*|\b(?:\w+_cast|u?int\d+_t)\b/],
  ...NAMED,
  words(
    TYPED +
      "auto bool constexpr delete explicit extern final friend inline mutable namespace noexcept operator override signed size_t sizeof template typedef typename union unsigned using",
    "NULL nullptr true false",
  ),
);

const java = rules(
  ...COMMON,
  [I, /@(?!interface\b)\w+|(?<=^(?:import|package)(?: static)? {1,9})(?!static\b)[\w.]+|(?<=\.)(?!class\b)[A-Za-z_]\w*/],
  ...NAMED,
  words(
    TYPED +
      "assert boolean byte extends final finally implements import instanceof interface native null package permits record sealed super synchronized throws transient var yield",
  ),
);

const csharp = rules(
  [S, /(?:\$?@|@\$)"(?:[^"]|"")*"?/],
  [S, /\$"(?:[^"\\\n]+|\\[^])*"?/],
  ...COMMON,
  [K, /^[ \t]{0,99}#.*/],
  [I, /(?<=\busing {1,9})(?!var\b|static\b)[\w.]+|(?<=\bnamespace {1,9})[\w.]+/],
  ...NAMED,
  words(
    TYPED +
      "as async await base bool byte decimal delegate event finally foreach get in init interface internal is lock nameof namespace null object operator out override params readonly record ref sealed set sizeof string typeof uint ulong using var when where yield",
  ),
);

const go = rules(
  ...COMMON,
  [S, /`[^`]*`?/],
  [I, /(?<=\bfunc (?:\([^)\n]{0,80}\) )?)\w+/],
  [K, /\b(?:u?int|float|complex)\d+\b/],
  words(
    "any bool break byte case chan const continue default defer else error fallthrough false for func go goto if import int interface iota map nil package range return rune select string struct switch true type uint var",
    "append cap clear close copy delete len make max min new panic print println recover",
  ),
);

const rust = rules(
  [S, /b?r#+"[^]*?(?:"#+|(?![^]))|b?r"[^"]*"?|b?"(?:[^"\\]+|\\[^])*"?|b?'(?:\\[^'\n]{1,9}|[^'\\\n])'/],
  ...SLASHES,
  ...NUMBER,
  [K, /#!?\[[^\]\n]*\]?|\b(?:[iu](?:8|16|32|64|128|size)|f32|f64)\b/],
  [I, /'\w+|\b\w+!(?=[ ([{])|(?<=\bfn )\w+/],
  ...NAMED,
  words(
    "as async await bool break char const continue crate dyn else enum extern false fn for if impl in let loop match mod move mut pub ref return static str struct super trait true type unsafe use where while",
    "self Self Box Clone Default Err From Into Iterator None Ok Option Result Some String ToString Vec drop",
  ),
);

const SQL =
  "add all alter and as asc begin between by cascade case check column commit constraint count create cross current_timestamp database default delete desc distinct drop else end exists extract false foreign from function grant group having if in index inner insert into is join key left like limit max min not null on offset or order over partition primary references select set sum table then timestamp transaction true union unique update values view when where with avg";
const SQL_TYPES = "bigint boolean char date decimal float int integer json numeric real serial text varchar";
const sql = rules(
  [C, /--.*/],
  ...SLASHES,
  [S, /'(?:[^']+|'')*'?|"[^"\n]*"?/],
  ...NUMBER,
  words(`${SQL} ${SQL.toUpperCase()}`, `${SQL_TYPES} ${SQL_TYPES.toUpperCase()}`, /\w+/),
);

const VALUES = rules([K, /\$\(\(/, "$(("], [K, /\$\(/, "$("], [S, /\$\{#?/, "${"], [I, /\$(?:\w+|[@*#?$!-])/]);
const bash = rules(
  ...HASH,
  ...VALUES,
  [S, /"/, '$"'],
  [S, /\$?'[^']*'?/],
  ["", /\\[^]/],
  [I, /(?<![\w.-])\w+(?=(?:\[\w{1,99}\])?\+?=)/],
  [N, /(?<![\w.-])\d+(?![\w.-])/],
  words(
    "break case do done elif else esac fi for function if in select then time until while",
    "cd command continue declare echo eval exec exit export kill let local popd printf pushd pwd read readonly return set shift source test trap true false type umask unset wait",
    /[\w./-]+/,
  ),
  // The lexer counts groups, so only the last rule may have groups of its own.
  [S, /<<-?[ \t]?['"]?(?<end>\w+)[^]*?(?:^\t*\k<end>$|(?![^]))/],
);

const yaml = rules(
  ...HASH,
  [I, /^(?:---|\.\.\.)|(?:"[^"\n]{0,99}"|'[^'\n]{0,99}')(?=:(?:\s|$))|[&*][\w-]+/],
  [S, /"(?:[^"\\]+|\\[^])*"?|'(?:[^']+|'')*'?/],
  [K, /![\w!-]*/],
  ["", /[-?](?=\s)/],
  [I, /[^\s:#,[\]{}"'&*!|>%@`][^:#\n,[\]{}]{0,99}?(?=[ \t]{0,9}:(?:\s|$))/],
  ["", /[^\s#,[\]{}"'&*!|>%@`:][^\n,[\]{}#]*/],
  [S, /[|>](?=[-+\d]{0,2}$)(?<=^(?<indent> *)[^ \n].{0,200})[-+\d]{0,2}(?:\n(?:\k<indent> .*|[ \t]*$))*/],
);

const STYLE = rules([C, /\/\*[^]*?(?:\*\/|(?![^]))/], ...QUOTES);
const css = rules(...STYLE, [K, /(?<=@)(?:font-face|page|property)/], [K, /(?<=@)[\w-]+/, "@"], ["", /\{/, "css{"], ["", /\}/, "-"], [I, /[\w-]+/]);
const ATTRIBUTES = rules([S, /"[^"]*"?|'[^']*'?|(?<==\s{0,9})[^\s"'>=<`{]+/], [I, /[^\s"'>/=<{}]+/]);

/** @type {Record<string, Rule[]>} The languages, and the states that their rules push. */
export const STATES = {
  python,
  'f"""': rules([S, /"""/, "-"], [S, /\{\{/], [S, /\{/, "f{"], [S, /(?:[^"{\\]|\\[^]|"(?!""))+/]),
  'f"': rules([S, /"|$/, "-"], [S, /\{\{/], [S, /\{/, "f{"], [S, /(?:[^"{\\\n]|\\[^])+/]),
  "f'": rules([S, /'|$/, "-"], [S, /\{\{/], [S, /\{/, "f{"], [S, /(?:[^'{\\\n]|\\[^])+/]),
  "f{": rules([S, /(?:[!:][^{}"'\n\])]{0,30})?\}/, "-"], ...python),
  javascript: script(JSX),
  typescript: script([K, /(?<=: )(?!Promise\b)[A-Z]\w*/]),
  "`": rules([S, /`/, "-"], [S, /\$\{/, "${js"], [S, /(?:[^`\\$]|\\[^]|\$(?!\{))+/]),
  "${js": script([S, /\}/, "-"], ["", /\{/, "{"]),
  "{": script(["", /\}/, "-"], ["", /\{/, "{"], JSX),
  "<": rules(["", /\/>/, "-"], ["", />/, "-</"], ["", /\{/, "{"], [I, /(?<=<)[\w.:-]+/], ...ATTRIBUTES),
  "</": rules([I, /(?<=<\/)[\w.:-]*/, "-"], ["", /<(?=[\w>])/, "<"], ["", /\{/, "{"], ["", /[^<{/]+/]),
  c,
  java,
  csharp,
  go,
  rust,
  sql,
  bash,
  "$(": rules([K, /\)/, "-"], ...bash),
  "$((": rules([K, /\)\)/, "-"], ...VALUES, [N, /\b\d\w*/], [I, /\w+/]),
  '$"': rules([S, /"/, "-"], ...VALUES, [S, /(?:[^"\\$]|\\[^])+|\$/]),
  "${": rules([S, /\}/, "-"], ...VALUES, ...DOUBLE, [I, /\w+/]),
  yaml,
  json: rules([I, /"(?:[^"\\\n]|\\.)*"(?=\s{0,9}:)/], ...DOUBLE, [N, /-?\d(?:[eE][+-]\d|[\w.])*/], ...SLASHES, words("true false null")),
  diff: rules([I, /^(?:diff|index|@@).*/], [S, /^\+.*/], [K, /^-.*/], ["", /^.+/]),
  css,
  "@": rules(["", /;/, "-"], ["", /\{/, "-css"], ...STYLE, [I, /[\w-]+/]),
  "css{": rules(...STYLE, ["", /\}/, "-"], ["", /\{/, "css{"], [I, /--[\w-]+(?=\s{0,9}:)/, "css:"], [K, /[\w-]+(?=\s{0,9}:)/, "css:"]),
  "css:": rules(
    ...STYLE,
    ["", /;|(?=\})/, "-"],
    [N, /#[\da-fA-F]{3,8}\b|[+-]?\.?\d[\d.]*(?:e[+-]?\d+)?/],
    [S, /(?<=url\()[^"')\s][^)\n]*/],
    [I, /--[\w-]+|[\w-]+(?=\()/],
    [K, /[!%]?[A-Za-z-]+|%/],
  ),
  html: rules(
    [C, /<!--[^]*?(?:-->|(?![^]))/],
    [K, /<![^>]*>?/],
    [I, /(?<=<)script\b/, "<script"],
    [I, /(?<=<)style\b/, "<style"],
    [I, /(?<=<\/?)[A-Za-z][\w:.-]*/, "<html"],
    [I, /&#?\w{1,31};/],
    ["", /[^<&/]+/],
  ),
  "<html": rules(["", />/, "-"], ...ATTRIBUTES),
  "<script": rules(["", />/, "-script"], ...ATTRIBUTES),
  "<style": rules(["", />/, "-style"], ...ATTRIBUTES),
  script: script(["", /(?=<\/script)/, "-"]),
  style: rules(["", /(?=<\/style)/, "-"], ...css),
};

/** The names of each language, its state in `STATES` first. */
const NAMES =
  "python py py3 python3;javascript js jsx mjs cjs node;typescript ts tsx mts;json json5 jsonc;html htm xml svg vue;css;bash sh shell zsh console;sql postgres postgresql mysql sqlite;java;c h cpp c++ cc cxx hpp;csharp cs c#;go golang;rust rs;yaml yml;diff patch";

/** @param {string} label the info string of a code block @returns {string | undefined} undefined when it is unknown */
export const languageOf = (label) => {
  const names = NAMES.split(";").map((group) => group.split(" "));
  return names.find((group) => group.includes(label.toLowerCase()))?.[0];
};

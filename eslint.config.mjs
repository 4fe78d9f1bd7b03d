// Rules for the page's modules and the programs of the tests. Types are checked by tsc (tsconfig.json), formats are not checked.

const RULES = {
  // mistakes
  "array-callback-return": "error",
  "constructor-super": "error",
  "for-direction": "error",
  "getter-return": "error",
  "no-async-promise-executor": "error",
  "no-class-assign": "error",
  "no-compare-neg-zero": "error",
  "no-cond-assign": "error",
  "no-const-assign": "error",
  "no-constant-binary-expression": "error",
  "no-constructor-return": "error",
  "no-debugger": "error",
  "no-dupe-args": "error",
  "no-dupe-class-members": "error",
  "no-dupe-else-if": "error",
  "no-dupe-keys": "error",
  "no-duplicate-case": "error",
  "no-empty-character-class": "error",
  "no-ex-assign": "error",
  "no-fallthrough": "error",
  "no-func-assign": "error",
  "no-import-assign": "error",
  "no-invalid-regexp": "error",
  "no-loss-of-precision": "error",
  "no-self-assign": "error",
  "no-self-compare": "error",
  "no-sparse-arrays": "error",
  "no-this-before-super": "error",
  "no-unreachable": "error",
  "no-unsafe-finally": "error",
  "no-unsafe-negation": "error",
  "no-unsafe-optional-chaining": "error",
  "no-unused-private-class-members": "error",
  "no-unused-vars": ["error", { argsIgnorePattern: "^_", caughtErrors: "none" }],
  "no-useless-backreference": "error",
  "use-isnan": "error",
  "valid-typeof": "error",
  // clarity
  complexity: ["error", 21],
  "default-case-last": "error",
  eqeqeq: ["error", "always", { null: "ignore" }],
  "max-depth": ["error", 4],
  "no-else-return": "error",
  "no-extra-bind": "error",
  "no-lonely-if": "error",
  "no-shadow-restricted-names": "error",
  "no-unneeded-ternary": "error",
  "no-unused-expressions": "error",
  "no-useless-catch": "error",
  "no-useless-computed-key": "error",
  "no-useless-concat": "error",
  "no-useless-escape": "error",
  "no-useless-rename": "error",
  "no-useless-return": "error",
  "no-var": "error",
  "object-shorthand": "error",
  "prefer-const": "error",
  "prefer-object-has-own": "error",
  radix: "error",
  // safety
  "no-eval": "error",
  "no-implied-eval": "error",
  "no-new-func": "error",
  "no-script-url": "error",
  "no-throw-literal": "error",
};

// What a model wrote must reach the document as text nodes and checked attributes alone.
// What the minifier drops, with its effects.
const UNSAFE_TO_MINIFY = [
  { selector: "UnaryExpression[operator='void'] > LogicalExpression", message: "The minifier drops this: write an if." },
];
const UNSAFE_HTML = [
  "AssignmentExpression[left.property.name=/^(inner|outer)HTML$/]",
  "CallExpression[callee.property.name=/^(insertAdjacentHTML|setHTMLUnsafe|parseFromString|createContextualFragment)$/]",
  "CallExpression[callee.object.name='document'][callee.property.name=/^write(ln)?$/]",
].map((selector) => ({ selector, message: "Build elements; never parse text as HTML." }));

export default [
  { ignores: [".cache/**", ".venv/**", "build/**", "data/**", "dist/**"] },
  { linterOptions: { reportUnusedDisableDirectives: "error" } },
  { files: ["static/**/*.js", "tests/**/*.{js,mjs,cjs}"], rules: RULES },
  {
    files: ["static/**/*.js"],
    rules: { "no-restricted-syntax": ["error", ...UNSAFE_HTML, ...UNSAFE_TO_MINIFY], "no-console": "error" },
  },
  { files: ["static/embed.js"], rules: { "no-console": ["error", { allow: ["warn"] }] } }, // to the programmers of other sites
];

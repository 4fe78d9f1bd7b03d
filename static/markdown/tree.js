/**
 * The types of the syntax tree, with mdast's names (https://github.com/syntax-tree/mdast).
 */

/**
 * @typedef {object} Node a node; its type determines which fields it has
 * @property {string} type
 * @property {Node[]} [children]
 * @property {string | null} [value] of text, inlineCode, code and html
 * @property {number} [depth] of a heading
 * @property {boolean} [ordered] of a list
 * @property {number | null} [start] of an ordered list
 * @property {boolean} [spread] of a list: a blank line between items; of an item: a blank line between its blocks
 * @property {boolean | null} [checked] of an item: null if it is no task
 * @property {string | null} [lang] of code
 * @property {string | null} [meta] of code: the info string after the language
 * @property {(string | null)[]} [align] of a table, one for each column
 * @property {string} [url]
 * @property {string | null} [title]
 * @property {string | null} [alt] of an image
 * @property {string} [identifier] the normalized label
 * @property {string} [label]
 * @property {string} [referenceType] `full`, `collapsed` or `shortcut`
 * @property {boolean} [display] of a formula: whether it is set apart from the text
 * @property {boolean} [isOpen] of a formula: whether its closer is still missing
 */

/** @typedef {Node & {children: Node[]}} Parent */

/**
 * @typedef {object} Labels the labels that the document has defined so far
 * @property {{has: (identifier: string) => boolean}} definitions
 * @property {{has: (identifier: string) => boolean}} footnotes
 */

export {};

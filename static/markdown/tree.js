/**
 * The nodes of the tree, by mdast's names (https://github.com/syntax-tree/mdast). Types only, no code.
 */

/**
 * @typedef {object} Node one node; which fields it has follows from its type
 * @property {string} type
 * @property {Node[]} [children]
 * @property {string | null} [value] of text, inlineCode, code and html
 * @property {number} [depth] of a heading
 * @property {boolean} [ordered] of a list
 * @property {number | null} [start] of an ordered list
 * @property {boolean} [spread] of a list: a blank line between items; of an item: one between its blocks
 * @property {boolean | null} [checked] of an item: null when it is no task
 * @property {string | null} [lang] of code
 * @property {string | null} [meta] of code: what follows the language
 * @property {(string | null)[]} [align] of a table, one a column
 * @property {string} [url]
 * @property {string | null} [title]
 * @property {string | null} [alt] of an image
 * @property {string} [identifier] in the form in which labels are compared
 * @property {string} [label]
 * @property {string} [referenceType] `full`, `collapsed` or `shortcut`
 * @property {boolean} [display] of a formula: whether it stands for itself
 * @property {boolean} [isOpen] of a formula: whether its end is still to come
 */

/** @typedef {Node & {children: Node[]}} Parent */

/**
 * @typedef {object} Labels what the document has defined so far
 * @property {{has: (identifier: string) => boolean}} definitions
 * @property {{has: (identifier: string) => boolean}} footnotes
 */

export {};

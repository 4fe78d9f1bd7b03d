/**
 * Markdown as it arrives: a tree that is right for what has come, and of which only the end still changes.
 */
import { Blocks } from "./blocks.js";
import { LEAVES } from "./block.js";
import { isDecided } from "./decided.js";
import { parseOpen } from "./unclosed.js";
import { Growing } from "./incremental-inline.js";
import { fill, TASK } from "./leaves.js";
import { LateLabels } from "./forward-references.js";
import { Lines } from "./lines.js";
import { headingText } from "./starts.js";
import { readRow } from "./table.js";

/** @typedef {import("./block.js").Block} Block */
/** @typedef {import("./brackets.js").Place} Place */
/** @typedef {import("./tree.js").Node} Node */
/** @typedef {import("./forward-references.js").Leaf} Leaf */

/** Up to this many characters a text is looked at whenever it grows, then at doubled lengths. */
const SHORT = 4096;

/** @param {number} length */
function looked(length) {
  let limit = SHORT;
  while (limit * 2 <= length) limit *= 2;
  return length <= SHORT ? length : limit;
}

/**
 * Take back what was shown as the head of a table.
 * @param {Block} block
 */
function asParagraph({ kind, node }) {
  if (kind !== "paragraph" || node.type !== "table") return;
  node.type = "paragraph";
  delete node.align;
}

/** Takes text in any pieces. The tree depends on the text alone, never on where it was cut. */
export class Stream {
  /** Leaves read again because a label was defined late; whoever shows the tree empties it. */
  /** @type {Set<Node>} */
  again = new Set();
  /** What came to open code and HTML; whoever shows the tree empties it. */
  /** @type {Map<Node, string>} */
  added = new Map();
  #blocks;
  #lines = new Lines();
  /** The line under way, while it is undecided what it is. */
  #held = "";
  #looked = 0;
  #isBegun = false;
  #isEnding = false;
  /** @type {Growing | null} of the open paragraph */
  #growing = null;
  /** Labels in it that nothing defines yet. */
  /** @type {Set<string>} */
  #missed = new Set();
  #boxSize = 0;
  #placeTried = 0;
  #late = new LateLabels((leaf) => this.#readAgain(leaf));

  constructor() {
    this.#blocks = new Blocks({
      opened: (block) => this.#opened(block),
      grew: (block, added) => this.#grew(block, added),
      closed: (block, parent) => this.#closed(block, parent),
      defined: (identifier) => this.#late.define(identifier),
    });
  }

  /** The tree so far. */
  get root() {
    return this.#blocks.root;
  }

  /** @returns {Map<string, Node>} */
  get definitions() {
    return this.#blocks.definitions;
  }

  /** @returns {Map<string, Node>} */
  get footnotes() {
    return this.#blocks.footnotes;
  }

  /** The leaf that is still being written. */
  get open() {
    const { tip } = this.#blocks;
    return LEAVES.has(tip.kind) ? tip.node : null;
  }

  /** A line that nothing decides yet, if it may be shown: a definition never is. */
  get held() {
    return this.#isBegun || /^[ \t]*(?:\[|$)/.test(this.#held) ? "" : this.#held.slice(0, SHORT);
  }

  /**
   * Take more text.
   * @param {string} text
   */
  write(text) {
    const [first = "", ...rest] = this.#lines.feed(text);
    this.#add(first);
    for (const piece of rest) {
      this.#endLine();
      this.#add(piece);
    }
    if (!this.#isBegun) this.#tryBegin();
    this.#show();
    this.#late.settle();
  }

  /**
   * Nothing more comes: the tree is that of the whole text.
   * @param {number} [mostChars] leaves up to here may give kept brackets back to their text, and are not told in `again`
   */
  end(mostChars = Infinity) {
    if (this.#isBegun || this.#held !== "") this.#endLine();
    this.#blocks.finish();
    this.#isEnding = true;
    this.#late.finish(mostChars);
  }

  /** @param {string} piece */
  #add(piece) {
    if (this.#isBegun) this.#blocks.extend(piece);
    else this.#held += piece;
  }

  #endLine() {
    if (this.#isBegun) this.#blocks.end();
    else this.#blocks.line(this.#held);
    this.#isBegun = false;
    this.#held = "";
    this.#looked = 0;
  }

  #tryBegin() {
    const limit = looked(this.#held.length);
    if (limit === this.#looked) return;
    this.#looked = limit;
    const blocks = this.#blocks;
    const planned = blocks.plan(this.#held.slice(0, limit));
    if (!isDecided(planned, blocks.tip, blocks.stack.length)) return;
    const rest = this.#held.slice(limit);
    blocks.begin(planned);
    this.#isBegun = true;
    if (rest) blocks.extend(rest);
  }

  /** @returns {Place} */
  get #place() {
    return { labels: this.#blocks, isWaiting: !this.#isEnding };
  }

  /** @param {Block} block */
  #opened(block) {
    if (block.kind === "paragraph") this.#growing = null;
    const item = this.#blocks.stack[this.#blocks.stack.length - 3];
    if (block.kind === "tableRow" && item?.kind === "listItem" && item.node.children?.length === 1) item.node.checked = null;
  }

  /**
   * @param {Block} block
   * @param {string} added
   */
  #grew(block, added) {
    if (typeof block.node.value === "string") {
      block.node.value += added;
      this.added.set(block.node, (this.added.get(block.node) ?? "") + added);
    }
    if (block.kind === "paragraph" && this.#growing) this.#growing.grow(added);
  }

  /** Bring the innermost leaf up to date. */
  #show() {
    const block = this.#blocks.tip;
    const text = block.text;
    if (block.kind === "heading") block.node.children = this.#shown(headingText(text.slice(0, SHORT)));
    else if (block.kind === "tableRow") {
      block.node.children = readRow(text.slice(0, SHORT)).map((cell) => ({ type: "tableCell", children: this.#shown(cell) }));
    } else if (block.kind === "paragraph") this.#showParagraph(block);
  }

  /** @param {string} text */
  #shown(text) {
    return parseOpen(text, this.#place);
  }

  /** @param {Block} block */
  #showParagraph(block) {
    if (!block.isPlaced) {
      const limit = looked(block.text.length);
      if (limit === this.#placeTried && limit >= SHORT) return;
      this.#placeTried = limit;
      if (!this.#blocks.place(block, true, limit)) return;
    }
    if (this.#isHead(block)) return this.#showHead(block);
    asParagraph(block);
    this.#growing ??= this.#begin(block, /** @type {Block} */ (this.#blocks.stack[this.#blocks.stack.length - 2]));
    if (!this.#growing) return;
    block.node.children = this.#growing.nodes;
    this.#growing.show();
  }

  /**
   * A line that begins with a bar looks like the head of a table until the next line says otherwise.
   * @param {Block} block
   */
  #isHead({ text, isHead }) {
    return isHead && text.startsWith("|") && text.length < SHORT && !text.includes("\n");
  }

  /** @param {Block} block */
  #showHead({ node, text }) {
    const children = readRow(text).map((cell) => ({ type: "tableCell", children: this.#shown(cell) }));
    Object.assign(node, { type: "table", align: [], children: [{ type: "tableRow", children }] });
  }

  /**
   * Begin to read a text.
   * @param {Block} block
   * @param {Block} parent
   * @returns {Growing | null} null while it may yet begin with a box
   */
  #begin(block, parent) {
    const box = block.isFirst && block.kind === "paragraph" ? this.#boxOf(block, parent) : "";
    if (box === null) return null;
    const missed = (this.#missed = new Set());
    const growing = new Growing({ ...this.#place, missed: (identifier) => missed.add(identifier) });
    this.#boxSize = box.length;
    growing.grow(block.text.slice(box.length));
    return growing;
  }

  /**
   * @param {Block} block
   * @param {Block} item
   * @returns {string | null} the box a task begins with; null when that can't be said yet
   */
  #boxOf(block, item) {
    // A box alone on its line, blanks behind it: what it leaves of them is known when the text is whole.
    if (/^\[[ \t\nxX]\][ \t]+\n/.test(block.text)) return null;
    const found = TASK.exec(block.text);
    if (!found) return /^\[(?:[ \t\nxX]\]?[ \t]*)?$/.test(block.text) ? null : "";
    item.node.checked = found[1] === "x" || found[1] === "X";
    return `${found[0]} `;
  }

  /**
   * @param {Block} block
   * @param {Block} parent
   */
  #closed(block, parent) {
    const isText = block.kind === "paragraph" || block.kind === "setext";
    asParagraph(block);
    const known = isText ? this.#growing : null;
    const growing = known && this.#isWhole(known, block) ? known : isText ? this.#begin(block, parent) : null;
    if (isText) this.#growing = null;
    if (block.kind === "setext" && block.isFirst) parent.node.checked = null;
    this.#placeTried = 0;
    /** @type {Leaf} */
    const late = { block, parent, labels: new Set(), times: 0 };
    if (growing) {
      growing.finish();
      block.node.children = growing.nodes;
      late.labels = this.#missed;
    } else fill(block, parent, this.#noting(late));
    this.#late.wait(late);
  }

  /**
   * Tell whether what grew is all of a text: its last line may have become the head of a table, its box plain text.
   * @param {Growing} growing
   * @param {Block} block
   */
  #isWhole(growing, block) {
    return growing.size + this.#boxSize === block.text.length && (this.#boxSize === 0 || block.kind === "paragraph");
  }

  /**
   * @param {Leaf} late
   * @returns {Place}
   */
  #noting(late) {
    return { ...this.#place, missed: (identifier) => late.labels.add(identifier) };
  }

  /** @param {Leaf} late */
  #readAgain(late) {
    fill(late.block, late.parent, this.#noting(late));
    this.#late.wait(late);
    this.again.add(late.block.node);
  }
}

/**
 * Markdown as it arrives: a tree that is right for what has come, and of which only the end still changes.
 */
import { Blocks } from "./blocks.js";
import { isDecided } from "./decided.js";
import { complete } from "./becoming.js";
import { Growing } from "./growing.js";
import { parseInline } from "./inline.js";
import { fill, TASK } from "./leaves.js";
import { Lines } from "./lines.js";
import { headingText } from "./starts.js";
import { readRow } from "./table.js";

/** @typedef {import("./block.js").Block} Block */
/** @typedef {import("./brackets.js").Place} Place */
/** @typedef {import("./tree.js").Node} Node */
/** @typedef {{block: Block, parent: Block, labels: Set<string>, times: number}} Late a leaf with labels nothing defines yet */

/** Up to this many characters a text is looked at whenever it grows, then at doubled lengths. */
const SHORT = 4096;
/** So often a closed leaf is read again for a label defined late; then it waits for the end. */
const MOST_TIMES = 3;

/** @param {number} length */
function looked(length) {
  let limit = SHORT;
  while (limit * 2 <= length) limit *= 2;
  return length <= SHORT ? length : limit;
}

/** Takes text in any pieces. The tree depends on the text alone, never on where it was cut. */
export class Stream {
  /** Leaves read again because a label was defined late; whoever shows the tree empties it. */
  /** @type {Set<Node>} */
  again = new Set();
  #blocks;
  #lines = new Lines();
  /** The line under way, while it is undecided what it is. */
  #held = "";
  #looked = 0;
  #isBegun = false;
  /** @type {Growing | null} of the open paragraph */
  #growing = null;
  /** Labels in it that nothing defines yet. */
  /** @type {Set<string>} */
  #missed = new Set();
  #boxSize = 0;
  #placeTried = 0;
  /** @type {Map<string, Set<Late>>} */
  #late = new Map();
  /** What is read again at the end of a write. */
  /** @type {Set<Late>} */
  #due = new Set();

  constructor() {
    this.#blocks = new Blocks({
      opened: (block) => this.#opened(block),
      grew: (block, added) => this.#grew(block, added),
      closed: (block, parent) => this.#closed(block, parent),
      defined: (identifier) => this.#defined(identifier),
    });
  }

  /** The tree so far. */
  get root() {
    return this.#blocks.root;
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
    this.#readDue();
  }

  /** Nothing more comes: the tree is that of the whole text. */
  end() {
    if (this.#isBegun || this.#held !== "") this.#endLine();
    this.#blocks.finish();
    this.#readDue();
    const left = new Set([...this.#late.values()].flatMap((waiting) => [...waiting]));
    for (const late of left) if (late.times >= MOST_TIMES) this.#readAgain(late);
    this.#late.clear();
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
    return { labels: this.#blocks };
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
    if (block.kind === "fenced" || block.kind === "indented" || block.kind === "html") block.node.value += added;
    else if (block.kind === "paragraph" && this.#growing) this.#growing.grow(added);
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
    return parseInline(complete(text, this.#place), this.#place);
  }

  /** @param {Block} block */
  #showParagraph(block) {
    if (!block.isPlaced) {
      const limit = looked(block.text.length);
      if (limit === this.#placeTried && limit >= SHORT) return;
      this.#placeTried = limit;
      if (!this.#blocks.place(block, true, limit)) return;
    }
    if (!this.#growing) {
      const box = block.isFirst ? this.#boxOf(block) : "";
      if (box === null) return;
      this.#missed = new Set();
      this.#growing = new Growing({ ...this.#place, missed: (identifier) => this.#missed.add(identifier) });
      block.node.children = this.#growing.nodes;
      this.#boxSize = box.length;
      this.#growing.grow(block.text.slice(box.length));
    }
    this.#growing.show();
  }

  /**
   * @param {Block} block
   * @returns {string | null} the box a task begins with; null when that can't be said yet
   */
  #boxOf(block) {
    const found = TASK.exec(block.text);
    const item = this.#blocks.stack[this.#blocks.stack.length - 2];
    if (!found) return /^\[(?:[ \t\nxX]\]?[ \t]*)?$/.test(block.text) ? null : "";
    if (item) item.node.checked = found[1] === "x" || found[1] === "X";
    return `${found[0]} `;
  }

  /**
   * @param {Block} block
   * @param {Block} parent
   */
  #closed(block, parent) {
    const isText = block.kind === "paragraph" || block.kind === "setext";
    const growing = isText ? this.#growing : null;
    if (isText) this.#growing = null;
    if (block.kind === "setext" && block.isFirst) parent.node.checked = null;
    this.#placeTried = 0;
    /** @type {Late} */
    const late = { block, parent, labels: new Set(), times: 0 };
    if (growing && this.#isWhole(growing, block)) {
      growing.finish();
      block.node.children = growing.nodes;
      late.labels = this.#missed;
    } else fill(block, parent, this.#noting(late));
    this.#await(late);
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
   * @param {Late} late
   * @returns {Place}
   */
  #noting(late) {
    return { ...this.#place, missed: (identifier) => late.labels.add(identifier) };
  }

  /** @param {Late} late */
  #await(late) {
    for (const label of late.labels) {
      const waiting = this.#late.get(label) ?? new Set();
      waiting.add(late);
      this.#late.set(label, waiting);
    }
  }

  /**
   * A leaf is read again once a write, but at once for its last label: it must not know those that come after it.
   * @param {string} identifier
   */
  #defined(identifier) {
    const waiting = this.#late.get(identifier);
    if (!waiting) return;
    for (const late of waiting) {
      if (late.times >= MOST_TIMES) continue;
      late.times++;
      waiting.delete(late);
      if (late.times === MOST_TIMES) this.#readAgain(late);
      else this.#due.add(late);
    }
    if (waiting.size === 0) this.#late.delete(identifier);
  }

  #readDue() {
    for (const late of this.#due) this.#readAgain(late);
  }

  /** @param {Late} late */
  #readAgain(late) {
    this.#due.delete(late);
    fill(late.block, late.parent, this.#noting(late));
    this.#await(late);
    this.again.add(late.block.node);
  }
}

/**
 * The incremental parser: a tree of the text received so far, of which only the end can still change.
 */
import { BlockParser } from "./block-parser.js";
import { LEAVES } from "./open-block.js";
import { isLineDecided } from "./partial-line.js";
import { parseUnclosed } from "./unclosed.js";
import { IncrementalInline } from "./incremental-inline.js";
import { fillLeaf, TASK } from "./leaf-content.js";
import { ForwardReferences } from "./forward-references.js";
import { LineSplitter } from "./line-splitter.js";
import { headingText } from "./block-starts.js";
import { splitRow } from "./table-syntax.js";

/** @typedef {import("./open-block.js").Block} Block */
/** @typedef {import("./brackets.js").InlineContext} InlineContext */
/** @typedef {import("./tree.js").Node} Node */
/** @typedef {import("./forward-references.js").Leaf} Leaf */

/** A text up to this length is parsed again whenever it grows; a longer one only when its length has doubled. */
const SHORT_CHARS = 4096;

/**
 * Return how much of a text of this length is parsed.
 * @param {number} length
 */
function parsedLength(length) {
  let limit = SHORT_CHARS;
  while (limit * 2 <= length) limit *= 2;
  return length <= SHORT_CHARS ? length : limit;
}

/**
 * Turn a table shown in anticipation back into the paragraph that it is.
 * @param {Block} block
 */
function revertToParagraph({ kind, node }) {
  if (kind !== "paragraph" || node.type !== "table") return;
  node.type = "paragraph";
  delete node.align;
}

/** A Markdown parser for text in pieces. The tree depends on the text only, not on where it was cut. */
export class MarkdownStream {
  /** Leaves parsed again because a label was defined after its use; the renderer clears the set. */
  /** @type {Set<Node>} */
  reparsed = new Set();
  /** Text appended to the open code or HTML block; the renderer clears the map. */
  /** @type {Map<Node, string>} */
  appended = new Map();
  #blocks;
  #lines = new LineSplitter();
  /** The current line while its block type is undecided. */
  #pendingLine = "";
  /** How much of it was tried. */
  #triedLength = 0;
  /** Whether the block parser has begun the current line. */
  #isLineBegun = false;
  #isEnding = false;
  /** @type {IncrementalInline | null} the inline parser of the open paragraph */
  #inline = null;
  /** Labels used in the open paragraph and not defined yet. */
  /** @type {Set<string>} */
  #undefinedLabels = new Set();
  /** The length of the task's checkbox before the open paragraph's text. */
  #boxChars = 0;
  /** How much of the open paragraph was checked for definitions. */
  #placeTriedLength = 0;
  #references = new ForwardReferences((leaf) => this.#reparse(leaf));
  #isChat;

  /**
   * @param {{isChat?: boolean}} [options] `isChat`: emphasis and addresses beside Chinese, Japanese and Korean text, line endings
   *   as line breaks, a single `~` as text, bars in a cell's code, `$…$`, and fences within blocks of Markdown
   */
  constructor({ isChat = false } = {}) {
    this.#isChat = isChat;
    this.#blocks = new BlockParser({
      opened: (block) => this.#onOpened(block),
      extended: (block, added) => this.#onExtended(block, added),
      closed: (block, parent) => this.#onClosed(block, parent),
      defined: (identifier) => this.#references.define(identifier),
    }, isChat);
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

  /** The leaf block that is still open, or null. */
  get openLeaf() {
    const { tip } = this.#blocks;
    return LEAVES.has(tip.kind) ? tip.node : null;
  }

  /** The current line while its block type is undecided; empty if it may be a definition, which is never shown. */
  get pendingLine() {
    return this.#isLineBegun || /^[ \t]*(?:\[|$)/.test(this.#pendingLine) ? "" : this.#pendingLine.slice(0, SHORT_CHARS);
  }

  /**
   * Parse more text.
   * @param {string} text
   */
  write(text) {
    const [first = "", ...rest] = this.#lines.feed(text);
    this.#addPiece(first);
    for (const piece of rest) {
      this.#endLine();
      this.#addPiece(piece);
    }
    if (!this.#isLineBegun) this.#tryBeginLine();
    this.#updateLeaf();
    this.#references.parseDue();
  }

  /**
   * End the text: the tree becomes that of the complete text.
   * @param {number} [maxChars] leaves up to this length turn pending links back into text without being listed in `reparsed`
   */
  end(maxChars = Infinity) {
    if (this.#isLineBegun || this.#pendingLine !== "") this.#endLine();
    this.#blocks.finish();
    this.#isEnding = true;
    this.#references.finish(maxChars);
  }

  /** @param {string} piece */
  #addPiece(piece) {
    if (this.#isLineBegun) this.#blocks.extend(piece);
    else this.#pendingLine += piece;
  }

  #endLine() {
    if (this.#isLineBegun) this.#blocks.endLine();
    else this.#blocks.addLine(this.#pendingLine);
    this.#isLineBegun = false;
    this.#pendingLine = "";
    this.#triedLength = 0;
  }

  #tryBeginLine() {
    const limit = parsedLength(this.#pendingLine.length);
    if (limit === this.#triedLength) return;
    this.#triedLength = limit;
    const blocks = this.#blocks;
    const plan = blocks.plan(this.#pendingLine.slice(0, limit));
    if (!isLineDecided(plan, blocks.tip, blocks.stack.length)) return;
    const rest = this.#pendingLine.slice(limit);
    blocks.beginLine(plan);
    this.#isLineBegun = true;
    if (rest) blocks.extend(rest);
  }

  /** @returns {InlineContext} */
  get #context() {
    return { labels: this.#blocks, canDefineLater: !this.#isEnding, isChat: this.#isChat };
  }

  /** @param {Block} block */
  #onOpened(block) {
    if (block.kind === "paragraph") this.#inline = null;
    const item = this.#blocks.stack[this.#blocks.stack.length - 3];
    if (block.kind === "tableRow" && item?.kind === "listItem" && item.node.children?.length === 1) item.node.checked = null;
  }

  /**
   * @param {Block} block
   * @param {string} added
   */
  #onExtended(block, added) {
    if (typeof block.node.value === "string") {
      block.node.value += added;
      this.appended.set(block.node, (this.appended.get(block.node) ?? "") + added);
    }
    if (block.kind === "paragraph") this.#inline?.append(added);
  }

  /** Parse the open leaf's text as far as it has changed. */
  #updateLeaf() {
    const block = this.#blocks.tip;
    const text = block.text;
    if (block.kind === "heading") block.node.children = this.#parsePreview(headingText(text.slice(0, SHORT_CHARS)));
    else if (block.kind === "tableRow") {
      block.node.children = splitRow(text.slice(0, SHORT_CHARS), this.#isChat, true).map((cell) => ({ type: "tableCell", children: this.#parsePreview(cell) }));
    } else if (block.kind === "paragraph") this.#showParagraph(block);
  }

  /** @param {string} text */
  #parsePreview(text) {
    return parseUnclosed(text, this.#context);
  }

  /** @param {Block} block */
  #showParagraph(block) {
    if (!block.isInTree) {
      const limit = parsedLength(block.text.length);
      if (limit === this.#placeTriedLength && limit >= SHORT_CHARS) return;
      this.#placeTriedLength = limit;
      if (!this.#blocks.placeParagraph(block, true, limit)) return;
    }
    if (this.#looksLikeHead(block)) return this.#showTableHead(block);
    revertToParagraph(block);
    this.#inline ??= this.#beginInline(block, /** @type {Block} */ (this.#blocks.stack[this.#blocks.stack.length - 2]));
    if (!this.#inline) return;
    block.node.children = this.#inline.nodes;
    this.#inline.update();
  }

  /**
   * Return whether to show a paragraph as the head of a table: one line that begins with a bar, until the next line decides.
   * @param {Block} block
   */
  #looksLikeHead({ text, mayBeTableHead }) {
    return mayBeTableHead && text.startsWith("|") && text.length < SHORT_CHARS && !text.includes("\n");
  }

  /** @param {Block} block */
  #showTableHead({ node, text }) {
    const children = splitRow(text, this.#isChat, true).map((cell) => ({ type: "tableCell", children: this.#parsePreview(cell) }));
    Object.assign(node, { type: "table", align: [], children: [{ type: "tableRow", children }] });
  }

  /**
   * Start the inline parser of a paragraph.
   * @param {Block} block
   * @param {Block} parent
   * @returns {IncrementalInline | null} null while the text may still begin with a task's checkbox
   */
  #beginInline(block, parent) {
    const checkbox = block.isFirstInItem && block.kind === "paragraph" ? this.#readTaskBox(block, parent) : "";
    if (checkbox === null) return null;
    const labels = (this.#undefinedLabels = new Set());
    const inline = new IncrementalInline({ ...this.#context, onUndefined: (identifier) => labels.add(identifier) });
    this.#boxChars = checkbox.length;
    inline.append(block.text.slice(checkbox.length));
    return inline;
  }

  /**
   * @param {Block} block
   * @param {Block} item
   * @returns {string | null} the task's checkbox, empty if the text begins with none; null while undecided
   */
  #readTaskBox(block, item) {
    // A checkbox alone on its line, followed by blanks: how many of them remain is known when the text is complete.
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
  #onClosed(block, parent) {
    const isText = block.kind === "paragraph" || block.kind === "setext";
    revertToParagraph(block);
    const known = isText ? this.#inline : null;
    const inline = known && this.#coversText(known, block) ? known : isText ? this.#beginInline(block, parent) : null;
    if (isText) this.#inline = null;
    if (block.kind === "setext" && block.isFirstInItem) parent.node.checked = null;
    this.#placeTriedLength = 0;
    /** @type {Leaf} */
    const leaf = { block, parent, labels: new Set(), times: 0 };
    if (inline) {
      inline.finish();
      block.node.children = inline.nodes;
      leaf.labels = this.#undefinedLabels;
    } else fillLeaf(block, parent, this.#recordingContext(leaf));
    this.#references.wait(leaf);
  }

  /**
   * Return whether the inline parser read exactly this text: the last line may have become a table's head, the checkbox plain text.
   * @param {IncrementalInline} inline
   * @param {Block} block
   */
  #coversText(inline, block) {
    return inline.size + this.#boxChars === block.text.length && (this.#boxChars === 0 || block.kind === "paragraph");
  }

  /**
   * Return a context that records the leaf's undefined labels.
   * @param {Leaf} leaf
   * @returns {InlineContext}
   */
  #recordingContext(leaf) {
    return { ...this.#context, onUndefined: (identifier) => leaf.labels.add(identifier) };
  }

  /** @param {Leaf} leaf */
  #reparse(leaf) {
    fillLeaf(leaf.block, leaf.parent, this.#recordingContext(leaf));
    this.#references.wait(leaf);
    this.reparsed.add(leaf.block.node);
  }
}

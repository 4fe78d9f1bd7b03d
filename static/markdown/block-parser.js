/** The block parser (https://spec.commonmark.org/0.31.2/#phase-1-block-structure): it reads each line once, with a stack of open blocks. */
import { codeNode, definitionNode, footnoteNode, KEEPS_BLANK_LINES, LEAVES, newBlock } from "./open-block.js";
import { trimEnd } from "./characters.js";
import { isHtmlBlockEnd } from "./html-syntax.js";
import { LineCursor } from "./line-cursor.js";
import { INCOMPLETE, readDefinition } from "./link-syntax.js";
import { planLine } from "./line-plan.js";
import { headingText, openingFence } from "./block-starts.js";

/** @typedef {import("./open-block.js").Block} Block */
/** @typedef {import("./tree.js").Node} Node */
/** @typedef {import("./tree.js").Parent} Parent */
/** @typedef {import("./block-starts.js").Start} Start */

/** Languages of code blocks that contain Markdown, and so fences. */
const MARKDOWN = /^(?:markdown|md|mdx)$/i;

/** Builds the tree of blocks, line by line. */
export class BlockParser {
  /** @type {Parent} */
  root = { type: "root", children: [] };
  /** The open blocks, the document first. */
  stack = [newBlock("root", this.root)];
  /** @type {Map<string, Node>} */
  definitions = new Map();
  /** @type {Map<string, Node>} */
  footnotes = new Map();
  /** The number of the current line, from 1. */
  #number = 0;
  #listener;
  #isChat;

  /**
   * @param {import("./open-block.js").BlockListener} listener
   * @param {boolean} [isChat]
   */
  constructor(listener, isChat = false) {
    this.#listener = listener;
    this.#isChat = isChat;
  }

  /** The innermost open block. */
  get tip() {
    return /** @type {Block} */ (this.stack.at(-1));
  }

  /**
   * Return what a line does to the open blocks, without changing them.
   * @param {string} text
   */
  plan(text) {
    return planLine(this.stack, new LineCursor(text), this.#isChat);
  }

  /**
   * Parse a complete line.
   * @param {string} text
   */
  addLine(text) {
    this.beginLine(this.plan(text));
    this.endLine();
  }

  /**
   * Apply a line's plan. More of the line may follow by `extend` while only text is open.
   * @param {import("./line-plan.js").LinePlan} plan
   */
  beginLine({ line, leaf, depth, containers, alignment, isFenceEnd }) {
    this.#number++;
    this.#closeTo(depth);
    for (const container of containers) this.#openContainer(container);
    if (isFenceEnd && this.tip.inner.pop() === undefined) this.#close();
    else if (leaf) this.#start(leaf, line);
    else if (alignment) this.#openTable(alignment);
    else if (line.isEmpty) this.#addBlankLine(line);
    else this.#addLineText(line);
    let index = this.stack.length - 1;
    if (line.isEmpty) while (index > 0 && !KEEPS_BLANK_LINES.has(this.stack[index]?.kind ?? "")) index--;
    /** @type {Block} */ (this.stack[index]).lastLine = this.#number;
  }

  /**
   * Add text to the current line.
   * @param {string} text
   */
  extend(text) {
    if (this.tip.kind !== "indented") this.tip.line += text;
    this.#addText(this.tip, text);
  }

  /** End the current line. */
  endLine() {
    const { kind, width, line, marker, inner } = this.tip;
    if (kind === "heading" || kind === "tableRow" || (kind === "html" && isHtmlBlockEnd(width, line))) this.#close();
    else if (kind === "math" && trimEnd(line).endsWith(marker)) this.#close();
    else if (this.tip.hasFences) {
      const length = openingFence(line, marker);
      if (length >= width) inner.push(length);
    }
  }

  /** End the text: close all blocks. */
  finish() {
    this.#closeTo(1);
  }

  /**
   * @param {Block} block
   * @param {string} text
   */
  #addText(block, text) {
    block.text += text;
    this.#listener.extended(block, text);
  }

  /** @param {number} depth how many blocks stay open */
  #closeTo(depth) {
    while (this.stack.length > depth) this.#close();
  }

  #close() {
    const block = /** @type {Block} */ (this.stack.pop());
    this.tip.lastLine = Math.max(this.tip.lastLine, block.lastLine);
    if (block.kind === "paragraph") this.placeParagraph(block, false);
    if (block.kind === "heading") block.text = headingText(block.text);
    if (LEAVES.has(block.kind) && block.isInTree) this.#listener.closed(block, this.tip);
  }

  /**
   * Open a block within the innermost one.
   * @param {Block} block
   */
  #open(block) {
    const { tip } = this;
    const isApart = tip.hasChildren && this.#number > tip.lastLine + 1;
    if (isApart && (tip.kind === "list" || tip.kind === "listItem")) tip.node.spread = true;
    tip.hasChildren = true;
    block.lastLine = this.#number;
    this.stack.push(block);
  }

  /** @param {import("./block-starts.js").Container} container */
  #openContainer(container) {
    if (container.kind === "listItem") {
      this.#openItem(container);
      return;
    }
    const { label } = container;
    const node = label === undefined ? { type: container.kind, children: [] } : footnoteNode(label);
    if (node.identifier && !this.footnotes.has(node.identifier)) {
      this.footnotes.set(node.identifier, node);
      this.#listener.defined(`^${node.identifier}`);
    }
    this.#openInTree(newBlock(container.kind, node, { width: container.width }));
  }

  /** @param {Block} block */
  #openInTree(block) {
    block.isInTree = true;
    /** @type {Parent} */ (this.tip.node).children.push(block.node);
    this.#open(block);
  }

  /** @param {import("./block-starts.js").Container} item */
  #openItem({ marker, start, width }) {
    if (this.tip.kind !== "list") {
      const ordered = start !== undefined;
      const node = { type: "list", ordered, start: start ?? null, spread: false, children: [] };
      this.#openInTree(newBlock("list", node, { marker }));
    }
    const node = { type: "listItem", spread: false, checked: null, children: [] };
    this.#openInTree(newBlock("listItem", node, { width }));
  }

  /**
   * @param {Start} start
   * @param {LineCursor} line
   */
  #start(start, line) {
    if (start.kind === "setext") this.#makeHeading(start.depth);
    else if (start.kind === "thematicBreak") {
      this.#openInTree(newBlock("thematicBreak", { type: "thematicBreak" }));
      this.stack.pop();
    } else if (start.kind === "heading") {
      this.#openLeaf("heading", { type: "heading", depth: start.depth, children: [] }, {});
      this.#addText(this.tip, start.text);
    } else if (start.kind === "fenced" || start.kind === "math") {
      const { kind, text, marker, length, indent } = start;
      const node = kind === "math" ? { type: "math", meta: null, value: "" } : codeNode(text.trim());
      const hasFences = this.#isChat && MARKDOWN.test(node.lang ?? "");
      this.#openLeaf(kind, node, { marker, width: length, indent, isEmpty: true, hasFences });
    } else if (start.kind === "html") {
      this.#openLeaf("html", { type: "html", value: "" }, { width: start.htmlKind, line: line.rest });
      this.#addText(this.tip, line.rest);
    } else {
      this.#openLeaf("indented", codeNode(""), { indent: 4 });
      this.#addText(this.tip, line.skip(4).rest);
    }
  }

  /**
   * @param {string} kind
   * @param {Node} node
   * @param {Partial<Block>} fields
   */
  #openLeaf(kind, node, fields) {
    const block = newBlock(kind, node, fields);
    this.#openInTree(block);
    this.#listener.opened(block);
  }

  /** @param {LineCursor} line */
  #addLineText(line) {
    const { tip } = this;
    if (tip.kind === "paragraph") {
      tip.mayBeTableHead = line.indent < 4;
      tip.line = line.content;
      this.#addText(tip, `\n${line.content}`);
    } else if (tip.kind === "table") this.#openRow(line.content);
    else if (typeof tip.node.value === "string") this.#addVerbatim(tip, line);
    else {
      const isFirstInItem = tip.kind === "listItem" && /** @type {Parent} */ (tip.node).children.length === 0;
      this.#open(newBlock("paragraph", { type: "paragraph", children: [] }, { isFirstInItem, mayBeTableHead: true, line: line.content }));
      this.#addText(this.tip, line.content);
    }
  }

  /** @param {LineCursor} line */
  #addBlankLine(line) {
    const { tip } = this;
    if (tip.kind === "indented") tip.line += `\n${line.skip(4).rest}`;
    else if (typeof tip.node.value === "string") this.#addVerbatim(tip, line);
  }

  /**
   * @param {Block} tip
   * @param {LineCursor} line
   */
  #addVerbatim(tip, line) {
    const before = tip.kind === "indented" ? tip.line : "";
    if (tip.kind !== "html") line.skip(tip.indent);
    tip.line = tip.kind === "indented" ? "" : line.rest;
    const end = tip.isEmpty ? "" : "\n";
    tip.isEmpty = false;
    this.#addText(tip, `${before}${end}${line.rest}`);
  }

  /** @param {(string | null)[]} align */
  #openTable(align) {
    const paragraph = this.tip;
    const head = paragraph.line;
    paragraph.text = paragraph.text.slice(0, -head.length - 1);
    paragraph.line = "";
    if (paragraph.text === "") {
      this.stack.pop();
      if (paragraph.isInTree) /** @type {Parent} */ (this.tip.node).children.pop();
    } else this.#close();
    this.#openInTree(newBlock("table", { type: "table", align, children: [] }));
    this.#openRow(head);
    this.#close();
  }

  /** @param {string} text */
  #openRow(text) {
    this.#openLeaf("tableRow", { type: "tableRow", children: [] }, {});
    this.#addText(this.tip, text);
  }

  /**
   * Turn the open paragraph into a setext heading.
   * @param {number} depth
   */
  #makeHeading(depth) {
    const block = this.tip;
    this.placeParagraph(block, false);
    block.kind = "setext";
    block.node = { type: "heading", depth, children: [] };
    const siblings = /** @type {Parent} */ (/** @type {Block} */ (this.stack[this.stack.length - 2]).node).children;
    siblings[siblings.length - 1] = block.node;
    this.#close();
  }

  /**
   * Add a paragraph's node to the tree, after the reference definitions that its text begins with.
   * @param {Block} block
   * @param {boolean} isOpen whether more lines may follow
   * @param {number} [limit] how much of its text to read
   * @returns {boolean} false while the text could be a definition, and if only definitions are in it
   */
  placeParagraph(block, isOpen, limit) {
    if (block.isInTree) return true;
    const text = block.text.slice(0, limit);
    const parent = /** @type {Block} */ (this.tip === block ? this.stack[this.stack.length - 2] : this.tip);
    const siblings = /** @type {Parent} */ (parent.node).children;
    let at = 0;
    let found = readDefinition(text, at, isOpen);
    for (; typeof found !== "number"; found = readDefinition(text, at, isOpen)) {
      const node = definitionNode(found);
      siblings.push(node);
      at = found.end;
      if (this.definitions.has(node.identifier)) continue;
      this.definitions.set(node.identifier, node);
      this.#listener.defined(node.identifier);
    }
    block.text = block.text.slice(at);
    if (found === INCOMPLETE || block.text === "") return false;
    block.isInTree = true;
    siblings.push(block.node);
    this.#listener.opened(block);
    return true;
  }
}

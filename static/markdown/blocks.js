/** Blocks out of lines: a stack of open containers that takes one line after the other and never looks back. */
import { codeNode, definitionNode, footnoteNode, GOING, LEAVES, newBlock } from "./block.js";
import { trimEnd } from "./characters.js";
import { isHtmlEnd } from "./html.js";
import { Line } from "./line.js";
import { MORE, readDefinition } from "./links.js";
import { plan } from "./plan.js";
import { headingText } from "./starts.js";

/** @typedef {import("./block.js").Block} Block */
/** @typedef {import("./tree.js").Node} Node */
/** @typedef {import("./tree.js").Parent} Parent */
/** @typedef {import("./starts.js").Start} Start */

/** Builds the tree of blocks, line by line. */
export class Blocks {
  /** @type {Parent} */
  root = { type: "root", children: [] };
  /** Everything open, the document first. */
  stack = [newBlock("root", this.root)];
  /** @type {Map<string, Node>} */
  definitions = new Map();
  /** @type {Map<string, Node>} */
  footnotes = new Map();
  /** How many lines have begun. */
  #number = 0;
  #sink;

  /** @param {import("./block.js").Sink} sink */
  constructor(sink) {
    this.#sink = sink;
  }

  /** The innermost open block. */
  get tip() {
    return /** @type {Block} */ (this.stack.at(-1));
  }

  /**
   * Look what a line would do; nothing changes.
   * @param {string} text
   */
  plan(text) {
    return plan(this.stack, new Line(text));
  }

  /**
   * Take a whole line.
   * @param {string} text
   */
  line(text) {
    this.begin(this.plan(text));
    this.end();
  }

  /**
   * Take a line of which more may come by `extend`, if all that is open is text.
   * @param {import("./plan.js").Plan} planned
   */
  begin({ line, leaf, depth, containers, alignment, isFenceEnd }) {
    this.#number++;
    this.#closeDown(depth);
    for (const container of containers) this.#openContainer(container);
    if (isFenceEnd) this.#close();
    else if (leaf) this.#start(leaf, line);
    else if (alignment) this.#openTable(alignment);
    else if (line.isEmpty) this.#addEmpty(line);
    else this.#addText(line);
    let index = this.stack.length - 1;
    if (line.isEmpty) while (index > 0 && !GOING.has(this.stack[index]?.kind ?? "")) index--;
    /** @type {Block} */ (this.stack[index]).last = this.#number;
  }

  /**
   * More of the line under way.
   * @param {string} text
   */
  extend(text) {
    if (this.tip.kind !== "indented") this.tip.line += text;
    this.#grow(this.tip, text);
  }

  /** The line under way is whole. */
  end() {
    const { kind, width, line, marker } = this.tip;
    if (kind === "heading" || kind === "tableRow" || (kind === "html" && isHtmlEnd(width, line))) this.#close();
    else if (kind === "math" && trimEnd(line).endsWith(marker)) this.#close();
  }

  /** Nothing more comes. */
  finish() {
    this.#closeDown(1);
  }

  /**
   * @param {Block} block
   * @param {string} text
   */
  #grow(block, text) {
    block.text += text;
    this.#sink.grew(block, text);
  }

  /** @param {number} depth how many blocks stay open */
  #closeDown(depth) {
    while (this.stack.length > depth) this.#close();
  }

  #close() {
    const block = /** @type {Block} */ (this.stack.pop());
    this.tip.last = Math.max(this.tip.last, block.last);
    if (block.kind === "paragraph") this.place(block, false);
    if (block.kind === "heading") block.text = headingText(block.text);
    if (LEAVES.has(block.kind) && block.isPlaced) this.#sink.closed(block, this.tip);
  }

  /**
   * Open a block within the tip.
   * @param {Block} block
   */
  #open(block) {
    const { tip } = this;
    const isApart = tip.isFilled && this.#number > tip.last + 1;
    if (isApart && (tip.kind === "list" || tip.kind === "listItem")) tip.node.spread = true;
    tip.isFilled = true;
    block.last = this.#number;
    this.stack.push(block);
  }

  /** @param {import("./starts.js").Container} container */
  #openContainer(container) {
    if (container.kind === "listItem") {
      this.#openItem(container);
      return;
    }
    const { label } = container;
    const node = label === undefined ? { type: container.kind, children: [] } : footnoteNode(label);
    if (node.identifier && !this.footnotes.has(node.identifier)) {
      this.footnotes.set(node.identifier, node);
      this.#sink.defined(`^${node.identifier}`);
    }
    this.#openPlaced(newBlock(container.kind, node, { width: container.width }));
  }

  /** @param {Block} block */
  #openPlaced(block) {
    block.isPlaced = true;
    /** @type {Parent} */ (this.tip.node).children.push(block.node);
    this.#open(block);
  }

  /** @param {import("./starts.js").Container} item */
  #openItem({ marker, start, width }) {
    if (this.tip.kind !== "list") {
      const ordered = start !== undefined;
      const node = { type: "list", ordered, start: start ?? null, spread: false, children: [] };
      this.#openPlaced(newBlock("list", node, { marker }));
    }
    const node = { type: "listItem", spread: false, checked: null, children: [] };
    this.#openPlaced(newBlock("listItem", node, { width }));
  }

  /**
   * @param {Start} start
   * @param {Line} line
   */
  #start(start, line) {
    if (start.kind === "setext") this.#underline(start.depth);
    else if (start.kind === "thematicBreak") {
      this.#openPlaced(newBlock("thematicBreak", { type: "thematicBreak" }));
      this.stack.pop();
    } else if (start.kind === "heading") {
      this.#openLeaf("heading", { type: "heading", depth: start.depth, children: [] }, {});
      this.#grow(this.tip, start.text);
    } else if (start.kind === "fenced" || start.kind === "math") {
      const { kind, text, mark, depth, indent } = start;
      const node = kind === "math" ? { type: "math", meta: null, value: "" } : codeNode(text.trim());
      this.#openLeaf(kind, node, { marker: mark, width: depth, indent, isFirst: true });
    } else if (start.kind === "html") {
      this.#openLeaf("html", { type: "html", value: "" }, { width: start.depth, line: line.rest });
      this.#grow(this.tip, line.rest);
    } else {
      this.#openLeaf("indented", codeNode(""), { indent: 4 });
      this.#grow(this.tip, line.skip(4).rest);
    }
  }

  /**
   * @param {string} kind
   * @param {Node} node
   * @param {Partial<Block>} rest
   */
  #openLeaf(kind, node, rest) {
    const block = newBlock(kind, node, rest);
    this.#openPlaced(block);
    this.#sink.opened(block);
  }

  /** @param {Line} line */
  #addText(line) {
    const { tip } = this;
    if (tip.kind === "paragraph") {
      tip.isHead = line.indent < 4;
      tip.line = line.content;
      this.#grow(tip, `\n${line.content}`);
    } else if (tip.kind === "table") this.#openRow(line.content);
    else if (typeof tip.node.value === "string") this.#addVerbatim(tip, line);
    else {
      const isFirst = tip.kind === "listItem" && /** @type {Parent} */ (tip.node).children.length === 0;
      this.#open(newBlock("paragraph", { type: "paragraph", children: [] }, { isFirst, isHead: true, line: line.content }));
      this.#grow(this.tip, line.content);
    }
  }

  /** @param {Line} line */
  #addEmpty(line) {
    const { tip } = this;
    if (tip.kind === "indented") tip.line += `\n${line.skip(4).rest}`;
    else if (typeof tip.node.value === "string") this.#addVerbatim(tip, line);
  }

  /**
   * @param {Block} tip
   * @param {Line} line
   */
  #addVerbatim(tip, line) {
    const before = tip.kind === "indented" ? tip.line : "";
    if (tip.kind !== "html") line.skip(tip.indent);
    tip.line = tip.kind === "html" || tip.kind === "math" ? line.rest : "";
    const end = tip.isFirst ? "" : "\n";
    tip.isFirst = false;
    this.#grow(tip, `${before}${end}${line.rest}`);
  }

  /** @param {(string | null)[]} align */
  #openTable(align) {
    const paragraph = this.tip;
    const head = paragraph.line;
    paragraph.text = paragraph.text.slice(0, -head.length - 1);
    paragraph.line = "";
    if (paragraph.text === "") {
      this.stack.pop();
      if (paragraph.isPlaced) /** @type {Parent} */ (this.tip.node).children.pop();
    } else this.#close();
    this.#openPlaced(newBlock("table", { type: "table", align, children: [] }));
    this.#openRow(head);
    this.#close();
  }

  /** @param {string} text */
  #openRow(text) {
    this.#openLeaf("tableRow", { type: "tableRow", children: [] }, {});
    this.#grow(this.tip, text);
  }

  /**
   * Make the open paragraph a heading.
   * @param {number} depth
   */
  #underline(depth) {
    const block = this.tip;
    this.place(block, false);
    block.kind = "setext";
    block.node = { type: "heading", depth, children: [] };
    const siblings = /** @type {Parent} */ (/** @type {Block} */ (this.stack[this.stack.length - 2]).node).children;
    siblings[siblings.length - 1] = block.node;
    this.#close();
  }

  /**
   * Put a paragraph's node into the tree, behind the definitions that it begins with.
   * @param {Block} block
   * @param {boolean} isOpen whether the paragraph may go on
   * @param {number} [limit] how much of its text to look at
   * @returns {boolean} whether its node stands there now: not while it could be a definition, nor if nothing is left
   */
  place(block, isOpen, limit) {
    if (block.isPlaced) return true;
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
      this.#sink.defined(node.identifier);
    }
    block.text = block.text.slice(at);
    if (found === MORE || block.text === "") return false;
    block.isPlaced = true;
    siblings.push(block.node);
    this.#sink.opened(block);
    return true;
  }
}

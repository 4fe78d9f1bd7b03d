/**
 * A selection as plain text that reads as it is shown: with the marks of lists and the boxes of tasks, which are no text in
 * the page and which browsers leave out.
 */

const BLOCKS = "article, p, h3, h4, h5, h6, ul, ol, pre, table, blockquote, hr, details, summary, .code, .table, .footnote, div.math";
const HIDDEN = ".code-head, math, .back, .visually-hidden, .tail, .turn-actions, button, [hidden], details:not([open]) > :not(summary)";

/**
 * Return the selected text of an answer.
 * @param {Range} range
 */
export function plainTextOf(range) {
  const writer = new Writer(range);
  writer.write(range.commonAncestorContainer, "");
  return writer.text;
}

/**
 * Return the selected elements as HTML, formulas as their source.
 * @param {Range} range
 */
export function htmlOf(range) {
  const copy = document.createElement("div");
  copy.append(range.cloneContents());
  for (const hidden of copy.querySelectorAll(HIDDEN)) hidden.remove();
  return new XMLSerializer().serializeToString(copy);
}

/** Collects the text of nodes. */
class Writer {
  text = "";
  #range;
  /** The line endings due before the next text. */
  #due = 0;

  /** @param {Range} range */
  constructor(range) {
    this.#range = range;
  }

  /**
   * @param {Node} node
   * @param {string} indent
   */
  write(node, indent) {
    if (!this.#range.intersectsNode(node)) return;
    if (node instanceof Text) this.#add(this.#selectedOf(node), indent);
    if (!(node instanceof Element) || node.matches(HIDDEN)) return;
    if (node.localName === "br") this.#break(1);
    else if (node.localName === "li") this.#writeItem(node, indent);
    else if (node.localName === "tr") this.#writeRow(node, indent);
    else {
      // Items and rows follow each other; other blocks have a line between them, at least outside lists.
      const lines = node.matches(BLOCKS) ? (node.closest("li, .code, .table") && !node.matches("pre, table") ? 1 : 2) : 0;
      this.#break(lines);
      for (const child of node.childNodes) this.write(child, indent);
      this.#break(lines);
    }
  }

  /**
   * @param {Element} item
   * @param {string} indent
   */
  #writeItem(item, indent) {
    const list = item.parentElement;
    const box = item.querySelector(":scope > input");
    const number = list instanceof HTMLOListElement ? `${list.start + [...list.children].indexOf(item)}.` : "-";
    const mark = `${number} ${box ? (box.hasAttribute("checked") ? "[x] " : "[ ] ") : ""}`;
    this.#break(1);
    const { startContainer, startOffset } = this.#range;
    const isWhole = !item.contains(startContainer) || (startOffset === 0 && isFirstIn(item, startContainer));
    if (isWhole) this.#add(mark, indent);
    for (const child of item.childNodes) this.write(child, `${indent}   `);
    this.#break(item.matches("[data-loose] > *") ? 2 : 1);
  }

  /**
   * @param {Element} row
   * @param {string} indent
   */
  #writeRow(row, indent) {
    this.#break(1);
    [...row.children].forEach((cell, index) => {
      if (index > 0) this.text += "\t";
      this.write(cell, indent);
    });
    this.#break(1);
  }

  /** @param {Text} node */
  #selectedOf(node) {
    const { startContainer, startOffset, endContainer, endOffset } = this.#range;
    const text = node.data.slice(node === startContainer ? startOffset : 0, node === endContainer ? endOffset : undefined);
    return node.parentElement?.closest("pre, .html, .tex") ? text : text.replace(/\s+/g, " ");
  }

  /** @param {number} lines */
  #break(lines) {
    const isAfterMark = /(?:^|\n) *(?:-|\d+\.) (?:\[[ x]\] )?$/.test(this.text) && this.#due === 0;
    if (lines === 0 || this.text === "" || isAfterMark) return;
    this.#due = Math.max(this.#due, lines);
  }

  /**
   * @param {string} text
   * @param {string} indent
   */
  #add(text, indent) {
    if (text === "" || (this.#due > 0 && text === " ")) return;
    if (this.#due > 0) this.text = `${this.text.trimEnd()}${"\n".repeat(this.#due)}${indent}`;
    this.#due = 0;
    this.text += text.replaceAll("\n", `\n${indent}`);
  }
}

/**
 * Return whether nothing of an element is before a node in it.
 * @param {Element} element
 * @param {Node} node
 */
function isFirstIn(element, node) {
  for (let at = /** @type {Node | null} */ (node); at && at !== element; at = at.parentNode) {
    const before = at.previousSibling;
    if (before && !(before instanceof HTMLInputElement)) return false;
  }
  return true;
}

/**
 * Text as lines, however it is cut into pieces.
 */

const END = /\r\n?|\n/;

/** Cuts text at the ends of lines. */
export class Lines {
  #isFirst = true;
  /** Whether the last piece ended in CR: a line feed that follows belongs to it. */
  #isAfterReturn = false;

  /**
   * Take more text.
   * @param {string} text
   * @returns {string[]} the rest of the line under way, whole lines, and the beginning of the next; each may be empty
   */
  feed(text) {
    if (text === "") return [""];
    const isMarked = this.#isFirst && text.startsWith("\ufeff");
    const isCut = this.#isAfterReturn && text.startsWith("\n");
    this.#isFirst = false;
    this.#isAfterReturn = text.endsWith("\r");
    return (isMarked || isCut ? text.slice(1) : text).replaceAll("\0", "\ufffd").split(END);
  }
}

/**
 * Splits text into lines, independent of the pieces in which it arrives.
 */

const LINE_ENDING = /\r\n?|\n/;

/** Splits text at line endings: LF, CR or CRLF. */
export class LineSplitter {
  #isFirst = true;
  /** Whether the last piece ended in CR: an LF at the start of the next belongs to it. */
  #isAfterReturn = false;

  /**
   * Split more text. Drops a byte order mark at the very beginning, and replaces NUL.
   * @param {string} text
   * @returns {string[]} the rest of the current line, complete lines, and the beginning of the next; each may be empty
   */
  feed(text) {
    if (text === "") return [""];
    const hasMark = this.#isFirst && text.startsWith("\ufeff");
    const isSplitCrLf = this.#isAfterReturn && text.startsWith("\n");
    this.#isFirst = false;
    this.#isAfterReturn = text.endsWith("\r");
    return (hasMark || isSplitCrLf ? text.slice(1) : text).replaceAll("\0", "\ufffd").split(LINE_ENDING);
  }
}

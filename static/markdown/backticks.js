/**
 * The backtick runs of one text, so that each search for the end of a code span takes constant time.
 */

/** Finds the next run of a length, from left to right. */
export class BacktickRuns {
  /** @type {Map<number, number[]>} positions by length, in descending order */
  #starts = new Map();

  /** @param {string} text */
  constructor(text) {
    for (const { 0: run, index } of text.matchAll(/`+/g)) {
      const all = this.#starts.get(run.length) ?? [];
      all.push(index);
      this.#starts.set(run.length, all);
    }
    for (const all of this.#starts.values()) all.reverse();
  }

  /**
   * Find the next run of this many backticks; later searches must not begin further left.
   * @param {number} from
   * @param {number} length
   * @returns {number} -1 if there is none
   */
  find(from, length) {
    const starts = this.#starts.get(length) ?? [];
    while ((starts.at(-1) ?? from) < from) starts.pop();
    return starts.at(-1) ?? -1;
  }
}

/**
 * Complete groups of blocks, which the browser need not render while they are off the screen (`content-visibility`). Without
 * it, painting a frame of a long answer costs as much as painting the whole answer.
 */

/** Marks all groups but the growing ones as settled. Each keeps its last height, so that nothing moves. */
export class SettledGroups {
  /** @type {HTMLElement[]} the growing groups, from the outermost to the innermost */
  #open = [];
  #observer = new ResizeObserver((entries) => {
    for (const { target, contentRect } of entries) {
      this.#observer.unobserve(target);
      const { height } = contentRect;
      // The answer is hidden and has no layout: leave the group as it is.
      if (height === 0) continue;
      // In the next frame: in this one the browser would have to lay out and prepare the page once more.
      requestAnimationFrame(() => {
        /** @type {HTMLElement} */ (target).style.containIntrinsicBlockSize = `auto ${height}px`;
        target.classList.add("settled");
      });
    }
  });

  /**
   * Start a group; the one before it, of the same level, is complete.
   * @param {HTMLElement} group
   * @param {number} level the number of groups around it
   */
  open(group, level) {
    const complete = this.#open[level];
    this.#open[level] = group;
    if (complete) this.complete(complete);
  }

  /** End the answer: the last innermost group is complete. */
  end() {
    const complete = this.#open.pop();
    if (complete) this.complete(complete);
  }

  /**
   * Mark an element as settled after the next layout. An observer reports the first size even if it did not change.
   * @param {HTMLElement} element
   */
  complete(element) {
    this.#observer.observe(element);
  }
}

/**
 * Complete groups of blocks, which the browser need not render while they are off the screen (`content-visibility`). Without
 * it, painting a frame of a long answer costs as much as painting the whole answer.
 */

/** Marks all groups but the growing one as settled. Each keeps its last height, so that nothing moves. */
export class SettledGroups {
  /** @type {HTMLElement | null} */
  #open = null;
  #observer = new ResizeObserver((entries) => {
    for (const { target, borderBoxSize } of entries) {
      if (target === this.#open || !(target instanceof HTMLElement)) continue;
      this.#observer.unobserve(target);
      const height = borderBoxSize[0]?.blockSize ?? 0;
      // The answer is hidden and has no layout: leave the group as it is.
      if (height === 0) continue;
      // In the next frame: in this one the browser would have to lay out and prepare the page once more.
      requestAnimationFrame(() => {
        target.style.containIntrinsicBlockSize = `auto ${height}px`;
        target.classList.add("settled");
      });
    }
  });

  /**
   * Start a group; the one before it is complete.
   * @param {HTMLElement} group
   */
  open(group) {
    this.end();
    this.#open = group;
  }

  /** End the answer: the last group is complete. */
  end() {
    const complete = this.#open;
    this.#open = null;
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

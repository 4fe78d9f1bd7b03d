/**
 * Groups of blocks that have been laid out and that nothing is added to any more: a browser need not look at them
 * while they are off the screen. Without this a frame of a long answer costs what the whole answer costs to paint.
 */

/** Lets go of all groups but the one that grows. Each keeps the height that it had, so that nothing moves. */
export class Settling {
  /** @type {HTMLElement | null} */
  #open = null;
  #observer = new ResizeObserver((entries) => {
    for (const { target, borderBoxSize } of entries) {
      if (target === this.#open || !(target instanceof HTMLElement)) continue;
      this.#observer.unobserve(target);
      const height = borderBoxSize[0]?.blockSize ?? 0;
      // Nothing was laid out where the answer is hidden; the group stays as it is.
      if (height === 0) continue;
      target.style.containIntrinsicBlockSize = `auto ${height}px`;
      target.classList.add("settled");
    }
  });

  /**
   * A new group begins; the one before it is complete.
   * @param {HTMLElement} group
   */
  open(group) {
    this.end();
    this.#open = group;
  }

  /** Nothing more comes. */
  end() {
    const complete = this.#open;
    this.#open = null;
    if (complete) this.complete(complete);
  }

  /** @param {HTMLElement} element nothing is added to it any more; it tells its height after the next layout, also when that is the same */
  complete(element) {
    this.#observer.observe(element);
  }
}

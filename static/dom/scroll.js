/** Keeps the end of a growing column in view while the user is there; elsewhere keeps the visible content in place. */

/** This close to the end counts as being there. */
const NEAR_PX = 40;
/** The step of the search for the topmost visible element. */
const STEP_PX = 12;

/**
 * Keeps a scroller at its end until the user scrolls up, and again after the user returns to the end. While the user is
 * elsewhere, the topmost visible content stays in place when content above it grows. (Browsers' scroll anchoring does
 * that too, but not in all of them, and not while a script scrolls.)
 */
export class AutoScroll {
  #scroller;
  #column;
  #isFollowing = true;
  #lastTop = 0;
  #changed;
  #hasEnd;
  /** The topmost visible element and its ancestors in the column, innermost first. @type {{element: Element, top: number}[]} */
  #anchors = [];

  /**
   * @param {HTMLElement} scroller
   * @param {HTMLElement} column its growing content
   * @param {(isFollowing: boolean) => void} changed
   * @param {() => boolean} hasEnd whether the end is where the user reads; false while an empty chat is shown
   */
  constructor(scroller, column, changed, hasEnd) {
    this.#scroller = scroller;
    this.#column = column;
    this.#changed = changed;
    this.#hasEnd = hasEnd;
    scroller.addEventListener("scroll", () => this.#onScroll(), { passive: true });
    // A phone's keyboard, a growing composer and late fonts move the end too.
    const observer = new ResizeObserver(() => this.update());
    observer.observe(scroller);
    observer.observe(column);
  }

  /** Scroll to the end if the user was there; else move the visible content back to its place. */
  update() {
    // The scroll event of a scroll since the last call comes only with the next frame.
    if (Math.abs(this.#scroller.scrollTop - this.#lastTop) > 1) this.#onScroll();
    if (!this.#isFollowing) this.#restoreAnchor();
    else if (this.#hasEnd()) this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.#lastTop = this.#scroller.scrollTop;
  }

  /** Scroll to the end and stay there. */
  jumpToEnd() {
    this.#setFollowing(true);
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.#lastTop = this.#scroller.scrollTop;
  }

  #onScroll() {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
    const gap = scrollHeight - clientHeight - scrollTop;
    // Even a small scroll upwards is meant; the next update must not undo it.
    if (scrollTop < this.#lastTop - 1 && gap > 2) this.#setFollowing(false);
    else if (gap < NEAR_PX && scrollTop > this.#lastTop) this.#setFollowing(true);
    else if (gap <= 2) this.#setFollowing(true);
    // This class scrolled itself to restore the anchor: choosing another one would add up rounding errors.
    const isOwn = Math.abs(scrollTop - this.#lastTop) <= 1 && this.#anchors.length > 0 && !this.#isFollowing;
    this.#lastTop = scrollTop;
    if (!isOwn) this.#chooseAnchor();
  }

  #restoreAnchor() {
    const anchor = this.#anchors.find(({ element }) => element.getClientRects().length > 0);
    if (!anchor) return this.#chooseAnchor();
    const moved_px = anchor.element.getBoundingClientRect().top - this.#top - anchor.top;
    // Smaller differences are rounding errors, which would add up.
    if (Math.abs(moved_px) >= 1) this.#scroller.scrollTop += moved_px;
    if (anchor !== this.#anchors[0]) this.#chooseAnchor();
  }

  /** Set the anchor: the topmost visible element and its position. */
  #chooseAnchor() {
    this.#anchors = [];
    if (this.#isFollowing) return;
    const root = /** @type {ShadowRoot} */ (this.#scroller.getRootNode());
    const { left, top, width, height } = this.#scroller.getBoundingClientRect();
    for (let down = 1; down < height && this.#anchors.length === 0; down += STEP_PX) {
      let element = root.elementFromPoint(left + width / 2, top + down);
      while (element && element !== this.#column && this.#column.contains(element)) {
        this.#anchors.push({ element, top: element.getBoundingClientRect().top - top });
        element = element.parentElement;
      }
    }
  }

  get #top() {
    return this.#scroller.getBoundingClientRect().top;
  }

  /** @param {boolean} isFollowing */
  #setFollowing(isFollowing) {
    if (isFollowing === this.#isFollowing) return;
    this.#isFollowing = isFollowing;
    this.#changed(isFollowing);
  }
}

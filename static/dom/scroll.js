/** Follow the end of a growing column while the reader is there; elsewhere keep what is read where it is. */

/** This near the end counts as being there. */
const NEAR_PX = 40;
/** What stands at the top is looked for at steps of this. */
const STEP_PX = 12;

/**
 * Keeps a scroller at its end until the reader scrolls up, and again once the reader comes back. While the reader is
 * elsewhere, what stands at the top of the screen stays there, whatever grows above it. (Browsers can do that too, but
 * not all, and not while something else also scrolls.)
 */
export class Follower {
  #scroller;
  #column;
  #isFollowing = true;
  #lastTop = 0;
  #changed;
  #hasEnd;
  /** What the reader sees first, and what it stands in, innermost first. @type {{element: Element, top: number}[]} */
  #anchors = [];

  /**
   * @param {HTMLElement} scroller
   * @param {HTMLElement} column what grows inside it
   * @param {(isFollowing: boolean) => void} changed
   * @param {() => boolean} hasEnd whether what is there is read from its end
   */
  constructor(scroller, column, changed, hasEnd) {
    this.#scroller = scroller;
    this.#column = column;
    this.#changed = changed;
    this.#hasEnd = hasEnd;
    scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    // The keyboard of a phone, a growing composer and late fonts move the end too.
    const observer = new ResizeObserver(() => this.keep());
    observer.observe(scroller);
    observer.observe(column);
  }

  /** Go to the end if the reader was there, or bring back to its place what the reader sees. */
  keep() {
    // What scrolled since then tells of it only with the next picture.
    if (Math.abs(this.#scroller.scrollTop - this.#lastTop) > 1) this.#scrolled();
    if (!this.#isFollowing) this.#hold();
    else if (this.#hasEnd()) this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.#lastTop = this.#scroller.scrollTop;
  }

  /** Go to the end and stay there. */
  jump() {
    this.#set(true);
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.#lastTop = this.#scroller.scrollTop;
  }

  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
    const gap = scrollHeight - clientHeight - scrollTop;
    // Upwards is the reader's wish even when it is only a little; the next frame must not undo it.
    if (scrollTop < this.#lastTop - 1 && gap > 2) this.#set(false);
    else if (gap < NEAR_PX && scrollTop > this.#lastTop) this.#set(true);
    else if (gap <= 2) this.#set(true);
    // What was scrolled here was scrolled to keep what is read in its place: choosing again would add up what is rounded.
    const isOwn = Math.abs(scrollTop - this.#lastTop) <= 1 && this.#anchors.length > 0 && !this.#isFollowing;
    this.#lastTop = scrollTop;
    if (!isOwn) this.#choose();
  }

  #hold() {
    const anchor = this.#anchors.find(({ element }) => element.getClientRects().length > 0);
    if (!anchor) return this.#choose();
    const moved_px = anchor.element.getBoundingClientRect().top - this.#top - anchor.top;
    // Less is rounding, which would add up.
    if (Math.abs(moved_px) >= 1) this.#scroller.scrollTop += moved_px;
    if (anchor !== this.#anchors[0]) this.#choose();
  }

  /** Remember what the reader sees, and where. */
  #choose() {
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
  #set(isFollowing) {
    if (isFollowing === this.#isFollowing) return;
    this.#isFollowing = isFollowing;
    this.#changed(isFollowing);
  }
}

/** Follow the end of a growing column, but only while the reader is there. */

/** This near the end counts as being there. */
const NEAR_PX = 40;

/** Keeps a scroller at its end until the reader scrolls up, and again once the reader comes back. */
export class Follower {
  #scroller;
  #isFollowing = true;
  #lastTop = 0;
  #changed;

  /**
   * @param {HTMLElement} scroller
   * @param {HTMLElement} column what grows inside it
   * @param {(isFollowing: boolean) => void} changed
   */
  constructor(scroller, column, changed) {
    this.#scroller = scroller;
    this.#changed = changed;
    scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    // The keyboard of a phone, a growing composer and late fonts move the end too.
    const observer = new ResizeObserver(() => this.keep());
    observer.observe(scroller);
    observer.observe(column);
  }

  /** Go to the end if the reader was there. */
  keep() {
    if (this.#isFollowing) this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.#lastTop = this.#scroller.scrollTop;
  }

  /** Go to the end and stay there. */
  jump() {
    this.#set(true);
    this.keep();
  }

  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
    const gap = scrollHeight - clientHeight - scrollTop;
    // Upwards is the reader's wish even when it is only a little; the next frame must not undo it.
    if (scrollTop < this.#lastTop - 1 && gap > 2) this.#set(false);
    else if (gap < NEAR_PX && scrollTop > this.#lastTop) this.#set(true);
    else if (gap <= 2) this.#set(true);
    this.#lastTop = scrollTop;
  }

  /** @param {boolean} isFollowing */
  #set(isFollowing) {
    if (isFollowing === this.#isFollowing) return;
    this.#isFollowing = isFollowing;
    this.#changed(isFollowing);
  }
}

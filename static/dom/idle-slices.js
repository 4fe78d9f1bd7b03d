/** Runs long work in short slices, so that it delays neither input nor frames. */

/** The length of a slice; the last step may exceed it. */
const SLICE_MS = 6;
/** In a busy browser idle work waits no longer than this. */
const IDLE_TIMEOUT_MS = 200;

/** Work that runs step by step. */
export class SlicedTask {
  #step;
  #isIdle;
  #after;
  /** @type {(() => void) | null} cancels the next slice */
  #cancel = null;

  /**
   * @param {() => boolean} step does a part of the work, at best in less than a millisecond; returns whether more is left
   * @param {{isIdle?: boolean, after?: () => void}} [options] `isIdle`: run only while the browser is idle; `after`:
   *   called after each slice
   */
  constructor(step, { isIdle = false, after = () => {} } = {}) {
    this.#step = step;
    this.#isIdle = isIdle;
    this.#after = after;
  }

  /** Whether a slice is scheduled. */
  get isScheduled() {
    return this.#cancel !== null;
  }

  /** Run one slice now and schedule the others, unless they are scheduled already. */
  run() {
    if (this.#cancel === null) this.#runSlice(SLICE_MS);
  }

  /** Schedule all slices. */
  schedule() {
    if (this.#cancel === null) this.#scheduleSlice();
  }

  /** Cancel the slices that have not run. */
  stop() {
    this.#cancel?.();
    this.#cancel = null;
  }

  /** @param {number} budget_ms */
  #runSlice(budget_ms) {
    this.#cancel = null;
    const until = performance.now() + budget_ms;
    let hasMore = true;
    while (hasMore && performance.now() < until) hasMore = this.#step();
    this.#after();
    if (hasMore) this.schedule();
  }

  #scheduleSlice() {
    // Safari has no requestIdleCallback.
    if (this.#isIdle && typeof requestIdleCallback === "function") {
      const idle = requestIdleCallback((deadline) => this.#runSlice(Math.min(SLICE_MS, Math.max(1, deadline.timeRemaining()))), { timeout: IDLE_TIMEOUT_MS });
      this.#cancel = () => cancelIdleCallback(idle);
    } else {
      const timer = setTimeout(() => this.#runSlice(SLICE_MS), this.#isIdle ? SLICE_MS : 0);
      this.#cancel = () => clearTimeout(timer);
    }
  }
}

/**
 * Long work in short slices, so that no key press and no frame waits for it. Beside a clock: both are what the
 * browser has of time.
 */

/** So long a slice takes; the step it is in when time is up has the rest. */
const SLICE_MS = 6;
/** A busy browser lets what is to be done in idle time wait no longer than this. */
const IDLE_PATIENCE_MS = 200;

/** Does work step by step. */
export class Slices {
  #step;
  #isPatient;
  #after;
  /** @type {(() => void) | null} takes the next slice back */
  #cancel = null;

  /**
   * @param {() => boolean} step does a little, at best less than a millisecond, and tells whether more is left
   * @param {{isPatient?: boolean, after?: () => void}} [how] `isPatient`: only while the browser has nothing else to
   *   do; `after`: what each slice ends with
   */
  constructor(step, { isPatient = false, after = () => {} } = {}) {
    this.#step = step;
    this.#isPatient = isPatient;
    this.#after = after;
  }

  /** Whether a slice is to come. */
  get isUnderWay() {
    return this.#cancel !== null;
  }

  /** Do one slice now and the others by and by, unless they are under way already. */
  begin() {
    if (this.#cancel === null) this.#slice(SLICE_MS);
  }

  /** Do all of it by and by. */
  start() {
    if (this.#cancel === null) this.#wait();
  }

  /** Leave what is left. */
  stop() {
    this.#cancel?.();
    this.#cancel = null;
  }

  /** @param {number} budget_ms */
  #slice(budget_ms) {
    this.#cancel = null;
    const until = performance.now() + budget_ms;
    let isMore = true;
    while (isMore && performance.now() < until) isMore = this.#step();
    this.#after();
    if (isMore) this.start();
  }

  #wait() {
    // Safari has no idle time to ask for.
    if (this.#isPatient && typeof requestIdleCallback === "function") {
      const idle = requestIdleCallback((spare) => this.#slice(Math.min(SLICE_MS, Math.max(1, spare.timeRemaining()))), { timeout: IDLE_PATIENCE_MS });
      this.#cancel = () => cancelIdleCallback(idle);
    } else {
      const timer = setTimeout(() => this.#slice(SLICE_MS), this.#isPatient ? SLICE_MS : 0);
      this.#cancel = () => clearTimeout(timer);
    }
  }
}

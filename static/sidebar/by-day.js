/**
 * `sidebar/`: The list of conversations beside the chat, with search, import and undo. A conversation itself is
 * in `conversation/` and `chat/`.
 */
/** Groups conversations by the day of their last change, and merges pages and changes into the list. Pure. */

/** @typedef {"today" | "yesterday" | "earlier"} Day */

/**
 * Group items that are sorted newest first by day; without empty groups.
 * @template {{updated_at: number}} T
 * @param {readonly T[]} items
 * @param {number} now_ms
 * @returns {{day: Day, items: T[]}[]}
 */
export function groupByDay(items, now_ms) {
  /** @type {{day: Day, items: T[]}[]} */
  const groups = [];
  for (const item of items) {
    const day = dayOf(item.updated_at, now_ms);
    const last = groups.at(-1);
    if (last?.day === day) last.items.push(item);
    else groups.push({ day, items: [item] });
  }
  return groups;
}

/**
 * @param {number} at_ms
 * @param {number} now_ms
 * @returns {Day}
 */
function dayOf(at_ms, now_ms) {
  const now = new Date(now_ms);
  // Not a multiple of 24 h: days differ in length when the clock changes.
  const midnight = (/** @type {number} */ ago) => new Date(now.getFullYear(), now.getMonth(), now.getDate() - ago).getTime();
  if (at_ms >= midnight(0)) return "today";
  return at_ms >= midnight(1) ? "yesterday" : "earlier";
}

/**
 * Merge a new first page into a list: keep the older items, which belong to later pages.
 * @template {{id: string, updated_at: number}} T
 * @param {readonly T[]} known
 * @param {readonly T[]} first
 * @param {boolean} isAll whether it is the only page
 * @returns {T[]}
 */
export function mergeFirstPage(known, first, isAll) {
  const last = first.at(-1);
  if (isAll || !last) return [...first];
  const fresh = new Set(first.map(({ id }) => id));
  return [...first, ...known.filter(({ id, updated_at }) => !fresh.has(id) && updated_at <= last.updated_at)];
}

/**
 * Merge a change into a list that is sorted newest first.
 * @template {{id: string, updated_at: number}} T
 * @param {readonly T[]} known
 * @param {{id: string, deleted?: boolean | undefined} & Partial<T>} change
 * @param {{isAll: boolean, isSearch: boolean}} list whether it has no further pages; whether it is the result of a search,
 *   to which nothing is added
 * @returns {T[]}
 */
export function mergeChange(known, change, { isAll, isSearch }) {
  const before = known.find(({ id }) => id === change.id);
  const others = known.filter(({ id }) => id !== change.id);
  const { updated_at } = change;
  if (change.deleted || updated_at === undefined) return others;
  const head = /** @type {T} */ ({ ...before, ...change });
  if (isSearch) return known.map((item) => (item === before ? head : item));
  const at = others.findIndex((item) => item.updated_at < updated_at);
  if (at >= 0) return [...others.slice(0, at), head, ...others.slice(at)];
  return before || isAll ? [...others, head] : others; // else it belongs to a later page
}

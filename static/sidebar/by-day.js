/**
 * `sidebar/`: The list of conversations beside the chat, with search, import and undo. A conversation itself is
 * in `conversation/` and `chat/`.
 */
/** Conversations by the day on which they were last changed. Pure. */

/** @typedef {"today" | "yesterday" | "earlier"} Day */

/**
 * Put things that are in order, the newest first, into groups that are not empty.
 * @template {{updated_at: number}} T
 * @param {readonly T[]} items
 * @param {number} now_ms
 * @returns {{day: Day, items: T[]}[]}
 */
export function byDay(items, now_ms) {
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
  // Days differ in length where clocks are changed: midnight is asked for, not counted.
  const midnight = (/** @type {number} */ ago) => new Date(now.getFullYear(), now.getMonth(), now.getDate() - ago).getTime();
  if (at_ms >= midnight(0)) return "today";
  return at_ms >= midnight(1) ? "yesterday" : "earlier";
}

/**
 * Put the first page, asked for anew, above what was known of the pages after it.
 * @template {{id: string, updated_at: number}} T
 * @param {readonly T[]} known
 * @param {readonly T[]} first
 * @param {boolean} isAll whether there are no pages after it
 * @returns {T[]}
 */
export function renewed(known, first, isAll) {
  const last = first.at(-1);
  if (isAll || !last) return [...first];
  const fresh = new Set(first.map(({ id }) => id));
  return [...first, ...known.filter(({ id, updated_at }) => !fresh.has(id) && updated_at <= last.updated_at)];
}

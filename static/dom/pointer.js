/** What the person points with. */

/** Return whether it is a finger: then a keyboard opens on the screen, and has no Shift and Enter at once. */
export function isTouch() {
  return matchMedia("(pointer: coarse)").matches;
}

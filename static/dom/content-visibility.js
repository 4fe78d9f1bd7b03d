/**
 * Finished boxes that the browser skips (`content-visibility: auto`) while they are off screen. Each keeps its height.
 * Find in page, selection and screen readers still reach their content. Older browsers lay them out as usual.
 */

/**
 * Allow the browser to skip boxes. All are measured before any is changed, so that layout runs once.
 * @param {readonly HTMLElement[]} boxes
 */
export function skipOffscreen(boxes) {
  const heights = boxes.map((box) => box.getBoundingClientRect().height);
  boxes.forEach((box, at) => {
    // `auto`: once it has been on screen, its last height counts, which another window width may have changed.
    box.style.containIntrinsicBlockSize = `auto ${heights[at]}px`;
    box.style.contentVisibility = "auto";
  });
}

/**
 * Return whether the browser may skip a box.
 * @param {HTMLElement} box
 */
export function isSkippable(box) {
  return box.style.containIntrinsicBlockSize !== "";
}

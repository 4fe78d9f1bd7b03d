/**
 * Boxes that nothing will change any more are left alone by the browser while they are away from the screen: each keeps
 * the height that it has. Searching in the page, selecting and screen readers still find what is in them. Browsers that
 * can't do it lay them out like everything else.
 */

/**
 * Leave boxes alone from now on. They are measured together: it is the measuring that lays out.
 * @param {readonly HTMLElement[]} boxes
 */
export function letRest(boxes) {
  const heights = boxes.map((box) => box.getBoundingClientRect().height);
  boxes.forEach((box, at) => {
    // `auto`: from its next picture on it is the height it had there, in a window of another width too.
    box.style.containIntrinsicBlockSize = `auto ${heights[at]}px`;
    box.style.contentVisibility = "auto";
  });
}

/**
 * Tell whether a box is left alone.
 * @param {HTMLElement} box
 */
export function isResting(box) {
  return box.style.containIntrinsicBlockSize !== "";
}

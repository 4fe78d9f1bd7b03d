/**
 * Code, tables and formulas that may be wider than the page: they take focus, for the arrow keys, only while they scroll.
 */

/**
 * Return a function that watches elements from now on: boxes, or the tables in them. One that is watched already is checked again.
 */
export function createScrollWatcher() {
  // Called after a layout, so that reading sizes costs none.
  const observer = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      const box = target.closest(".table") ?? target;
      if (box.scrollWidth > box.clientWidth) box.setAttribute("tabindex", "0");
      else box.removeAttribute("tabindex");
    }
  });
  return (/** @type {Element[]} */ ...elements) => elements.forEach((element) => observer.observe(element));
}

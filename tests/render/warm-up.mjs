// In the page: warms the renderer up within an element, and reports what can be found of it there.
import { createWarmUp } from "/static/turn/warm-up.js";
import { stream } from "/static/render/index.js";

/** Return how many steps the warm-up has, how many elements can be found during it and after it, and whether they are hidden. */
export function warm() {
  const host = document.createElement("form");
  document.body.replaceChildren(host);
  const step = createWarmUp(stream, host);
  const box = host.firstElementChild;
  const during = host.querySelectorAll("*").length;
  let steps = 1;
  while (step()) steps++;
  return { steps, during, isInert: box?.inert === true, after: host.querySelectorAll("*").length };
}

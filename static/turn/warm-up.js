/**
 * Renders a sample out of sight, again and again while the browser is idle. A browser compiles code when it first runs, optimizes
 * what has run often, and loads a font when text in it is first laid out: without this, the first answer of a page would be the slowest.
 */
import { h } from "../dom/elements.js";
import { SlicedTask } from "../dom/idle-slices.js";

/** @typedef {typeof import("../render/index.js").stream} Render */

/** A text with each construct that most answers contain. */
const SAMPLE = `# a *a*

**a** *a* ~~a~~ [1] \`a\` [a](https://a.example) &amp; a_a https://a.example a \\* a
a

- a
  - **a**

    a
- [ ] a

1. a \`a\`
2. a

> a
> - a

| a | b |
|---|:-:|
| *a* | \`a\` |
| a | a |

---

\`\`\`js
a
a
\`\`\`
`;
const PIECE_CHARS = 20;
const TIMES = 12;

/**
 * Return a function that renders the next piece of the sample, and returns whether more is left.
 * @param {Render} render
 * @param {HTMLElement} host a part of the page where answers have their styles; the sample is removed from it at the end
 */
export function createWarmUp(render, host) {
  const stage = h("div", { class: "visually-hidden", inert: true });
  const root = stage.attachShadow({ mode: "closed" }); // nothing that looks for answers on the page finds the sample
  root.adoptedStyleSheets = /** @type {Document | ShadowRoot} */ (host.getRootNode()).adoptedStyleSheets;
  host.append(stage);
  const begin = () => {
    const flow = h("div", { class: "flow" });
    root.replaceChildren(flow);
    return render(flow, { isPlain: true });
  };
  let times = TIMES;
  let at = 0;
  let view = begin();
  return () => {
    view.write(SAMPLE.slice(at, (at += PIECE_CHARS)));
    if (at < SAMPLE.length) return true;
    view.end();
    if (times === TIMES) stage.getBoundingClientRect(); // lays it out
    at = 0;
    if (--times > 0) view = begin();
    else stage.remove();
    return times > 0;
  };
}

/**
 * Warm the renderer up while the browser is idle.
 * @param {Render} render
 * @param {HTMLElement} host
 */
export function warmUp(render, host) {
  new SlicedTask(createWarmUp(render, host), { isIdle: true }).schedule();
}

/**
 * Renders a sample off the page, again and again while the browser is idle. A browser compiles code when it first runs, and
 * optimizes what has run often: without this, the first answer of a page would be the slowest.
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
 */
export function createWarmUp(render) {
  let times = TIMES;
  let at = 0;
  let view = render(h("div"), { isPlain: true });
  return () => {
    view.write(SAMPLE.slice(at, (at += PIECE_CHARS)));
    if (at < SAMPLE.length) return true;
    view.end();
    if (--times === 0) return false;
    at = 0;
    view = render(h("div"), { isPlain: true });
    return true;
  };
}

/**
 * Warm the renderer up while the browser is idle.
 * @param {Render} render
 */
export function warmUp(render) {
  new SlicedTask(createWarmUp(render), { isIdle: true }).schedule();
}

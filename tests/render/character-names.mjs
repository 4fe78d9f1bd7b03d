// An answer that names a rare character, in a page that knows only the common ones so far.
import { stream } from "/static/render/index.js";

export const TEXT = "First &amp; *then* &HilbertSpace; &nope; [a](/b \"&ngE;\") and **last** &ouml; **open";

/** Show it in pieces of a size; then, and once nothing waits any more, what is there. */
export async function shown(size, { isClosed = false } = {}) {
  const root = document.createElement("div");
  const view = stream(root, { id: "r" });
  for (let at = 0; at < TEXT.length; at += size) view.write(TEXT.slice(at, at + size));
  view.end();
  const first = root.textContent;
  if (isClosed) view.close();
  for (let turn = 0; turn < 1_500 && view.isWaiting; turn++) await new Promise((done) => setTimeout(done, 10));
  return { first, isWaiting: view.isWaiting, html: root.innerHTML, text: root.textContent };
}

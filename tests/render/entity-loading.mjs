// In the page: an answer with uncommon entities, while only the common ones are known.
import { stream } from "/static/render/index.js";

export const TEXT = "First &amp; *then* &HilbertSpace; &nope; [a](/b \"&ngE;\") and **last** &ouml; **open";

/** Render the text in pieces of a size; return what is shown at its end, and when no more text is held back. */
export async function render(size, { isClosed = false } = {}) {
  const root = document.createElement("div");
  const view = stream(root, { id: "r" });
  for (let at = 0; at < TEXT.length; at += size) view.write(TEXT.slice(at, at + size));
  view.end();
  const first = root.textContent;
  if (isClosed) view.close();
  for (let turn = 0; turn < 1_500 && view.isWaiting; turn++) await new Promise((done) => setTimeout(done, 10));
  return { first, isWaiting: view.isWaiting, html: root.innerHTML, text: root.textContent };
}

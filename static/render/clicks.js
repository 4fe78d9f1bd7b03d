/**
 * What clicks within an answer do: copy code, and go between a note and where it is named. Addresses with `#` lead
 * nowhere in a shadow root, so that the way is found here. And what is copied of formulas: their TeX, to be seen.
 */
import { setText } from "../dom/elements.js";
import { words } from "../strings/words.js";

/** So long a button says that it has copied. */
const SAID_MS = 2000;

/** @type {WeakSet<HTMLElement>} */
const heard = new WeakSet();

/**
 * Listen to one answer; once is enough.
 * @param {HTMLElement} root
 */
export function listen(root) {
  if (heard.has(root)) return;
  heard.add(root);
  root.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    const button = target?.closest("button.copy");
    const link = /** @type {HTMLAnchorElement | null | undefined} */ (target?.closest("a.note, a.back"));
    if (button) copy(button);
    else if (link && goFrom(link, root)) event.preventDefault();
  });
  root.addEventListener("copy", () => {
    root.classList.add("copying");
    setTimeout(() => root.classList.remove("copying"));
  });
}

/** @param {Element} button */
async function copy(button) {
  const code = button.closest(".code")?.querySelector("code");
  if (!code) return;
  const isDone = await write(code);
  setText(button, isDone ? words.copied : words.notCopied);
  setTimeout(() => setText(button, words.copy), SAID_MS);
}

/**
 * Over plain http there is no `navigator.clipboard`: then what is to be copied is selected and copied by command.
 * @param {Element} code
 */
async function write(code) {
  try {
    await navigator.clipboard.writeText(code.textContent ?? "");
    return true;
  } catch {
    getSelection()?.selectAllChildren(code);
    return document.execCommand("copy");
  }
}

/**
 * @param {HTMLAnchorElement} link
 * @param {HTMLElement} root
 * @returns {boolean} whether there was a way
 */
function goFrom(link, root) {
  const note = link.matches(".back") ? link.closest(".footnote") : null;
  const goal = root.querySelector(note ? `a.note[href="#${CSS.escape(note.id)}"]` : `[id="${CSS.escape(link.hash.slice(1))}"]`);
  if (!(goal instanceof HTMLElement)) return false;
  goal.focus({ preventScroll: true });
  goal.scrollIntoView({ block: "nearest" });
  return true;
}

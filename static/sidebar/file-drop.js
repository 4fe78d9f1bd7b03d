/** Files that are dropped anywhere on the page belong to the next question: a near miss must not lead away from the page. */

/**
 * @typedef {object} DropActions
 * @property {(isOver: boolean) => void} over files are held above the page, or not any more
 * @property {(files: File[]) => void} dropped
 */

/**
 * Watch a page.
 * @param {Document} page
 * @param {DropActions} actions
 */
export function watchDrops(page, { over, dropped }) {
  let isOver = false;
  const tell = (/** @type {boolean} */ now) => {
    if (now !== isOver) over(now);
    isOver = now;
  };
  const taking = (/** @type {DragEvent} */ event) => {
    if (!event.dataTransfer?.types.includes("Files")) return false;
    event.preventDefault();
    return true;
  };
  page.addEventListener("dragover", (event) => {
    if (!taking(event)) return;
    if (event.dataTransfer) event.dataTransfer.dropEffect = "copy";
    tell(true);
  });
  // Between two elements it leaves one and enters the other: only who leaves for nowhere has left the page.
  page.addEventListener("dragleave", (event) => event.relatedTarget === null && tell(false));
  page.addEventListener("drop", (event) => {
    tell(false);
    if (taking(event)) dropped([...(event.dataTransfer?.files ?? [])]);
  });
}

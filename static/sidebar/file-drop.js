/**
 * Accepts files dropped anywhere on the page. Otherwise the browser would open a file that just missed the composer in
 * place of the page.
 */

/** Files that may hold exported conversations. */
const EXPORT_NAMES = /\.(?:json|zip)$/i;
const EXPORT_TYPES = new Set(["application/json", "application/zip", "application/x-zip-compressed"]);

/**
 * @typedef {object} DropActions
 * @property {(isOver: boolean) => void} over files were dragged onto the page, or away from it
 * @property {(files: File[]) => void} dropped
 */

/**
 * Call the actions on drag and drop of files.
 * @param {Document} page
 * @param {DropActions} actions
 */
export function watchDrops(page, { over, dropped }) {
  let isOver = false;
  const setOver = (/** @type {boolean} */ value) => {
    if (value !== isOver) over(value);
    isOver = value;
  };
  const accepts = (/** @type {DragEvent} */ event) => {
    if (!event.dataTransfer?.types.includes("Files")) return false;
    event.preventDefault();
    return true;
  };
  page.addEventListener("dragover", (event) => {
    if (!accepts(event)) return;
    if (event.dataTransfer) event.dataTransfer.dropEffect = "copy";
    setOver(true);
  });
  // Dragging between elements also fires this; only without a related target has the drag left the page.
  page.addEventListener("dragleave", (event) => event.relatedTarget === null && setOver(false));
  page.addEventListener("drop", (event) => {
    setOver(false);
    if (accepts(event)) dropped([...(event.dataTransfer?.files ?? [])]);
  });
}

/**
 * Return whether a file may hold conversations.
 * @param {File} file
 */
export function isImportFile({ name, type }) {
  return EXPORT_TYPES.has(type) || EXPORT_NAMES.test(name);
}

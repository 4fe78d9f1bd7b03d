/**
 * Loads what a reader does with an answer, copying above all, which drawing it does not need.
 */

/**
 * Add the event listeners of an answer as soon as their module is there; without it the browser's own behaviour stays.
 * @param {HTMLElement} root
 */
export function addListeners(root) {
  import("./clicks.js").then(
    (module) => module.addListeners(root),
    () => {},
  );
}

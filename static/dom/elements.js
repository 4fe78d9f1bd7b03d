/** Creates elements without parsing HTML. */

const SVG = "http://www.w3.org/2000/svg";

/**
 * Create an element.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, string | boolean>} [attributes] `true` sets an empty attribute, `false` sets none
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const name in attributes) {
    const value = /** @type {string | boolean} */ (attributes[name]);
    if (value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  if (children.length) element.append(...children);
  return element;
}

/**
 * Create an icon on a 20 px grid. It is hidden from screen readers; its button needs a label.
 * @param {string} path
 * @param {{filled?: boolean}} [style]
 */
export function icon(path, { filled = false } = {}) {
  const svg = document.createElementNS(SVG, "svg");
  const shape = document.createElementNS(SVG, "path");
  svg.setAttribute("viewBox", "0 0 20 20");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("class", filled ? "icon filled" : "icon");
  shape.setAttribute("d", path);
  svg.append(shape);
  return svg;
}

export const ICONS = {
  send: "M10 16V4.5M5 9.5l5-5 5 5",
  stop: "M6.5 5h7A1.5 1.5 0 0 1 15 6.5v7a1.5 1.5 0 0 1-1.5 1.5h-7A1.5 1.5 0 0 1 5 13.5v-7A1.5 1.5 0 0 1 6.5 5z",
  down: "M10 4v11.5M5 10.5l5 5 5-5",
  below: "M5.5 8l4.5 4.5L14.5 8",
  again: "M15.8 11.5A6 6 0 1 1 14.2 5.75L16 7.5M16 4v3.5h-3.5",
  trouble: "M10 6v4.75M10 13.75v.01M10 17.25a7.25 7.25 0 1 0 0-14.5 7.25 7.25 0 0 0 0 14.5z",
  newChat: "M10 4.5v11M4.5 10h11",
  leave: "M8 4H5.5A1.5 1.5 0 0 0 4 5.5v9A1.5 1.5 0 0 0 5.5 16H8M13 13l3-3-3-3M16 10H8.5",
  next: "M7.5 5l5 5-5 5",
  previous: "M12.5 5l-5 5 5 5",
  before: "M12.5 5l-5 5 5 5",
  copy: "M7.5 7.5V5A1.5 1.5 0 0 1 9 3.5h6A1.5 1.5 0 0 1 16.5 5v6a1.5 1.5 0 0 1-1.5 1.5h-2.5M5 7.5h6A1.5 1.5 0 0 1 12.5 9v6a1.5 1.5 0 0 1-1.5 1.5H5A1.5 1.5 0 0 1 3.5 15V9A1.5 1.5 0 0 1 5 7.5z",
  done: "M4.5 10.5l3.5 3.5 7.5-8",
  list: "M3.5 5.5h13M3.5 10h9M3.5 14.5h11",
  search: "M9 14.25a5.25 5.25 0 1 0 0-10.5 5.25 5.25 0 0 0 0 10.5zM13 13l3.5 3.5",
  more: "M4.75 10h.01M10 10h.01M15.25 10h.01",
  settings: "M3.5 6.5h7M14.5 6.5h2M3.5 13.5h2M9.5 13.5h7M12.5 4.5a2 2 0 1 1 0 4 2 2 0 0 1 0-4zM7.5 11.5a2 2 0 1 1 0 4 2 2 0 0 1 0-4z",
  share: "M10 12.5v-9M6.5 7L10 3.5 13.5 7M4.5 11v4A1.5 1.5 0 0 0 6 16.5h8a1.5 1.5 0 0 0 1.5-1.5v-4",
  edit: "M4.5 15.5l.75-3.25 7.5-7.5a1.4 1.4 0 0 1 2 0l.5.5a1.4 1.4 0 0 1 0 2l-7.5 7.5zM11.5 6l2.5 2.5",
  image: "M5 3.5h10A1.5 1.5 0 0 1 16.5 5v10a1.5 1.5 0 0 1-1.5 1.5H5A1.5 1.5 0 0 1 3.5 15V5A1.5 1.5 0 0 1 5 3.5zM4 14.5l4-4.25 2.5 2.5 2-2 3.5 3.5M12.75 7.25v.01",
  idea: "M7.75 14.25h4.5M8.5 16.75h3M7.75 14.25c0-2-2.5-2.9-2.5-6a4.75 4.75 0 0 1 9.5 0c0 3.1-2.5 4-2.5 6",
  importFile: "M10 3.5v8.25M6.5 8.5l3.5 3.5 3.5-3.5M3.75 13v1.75a1.75 1.75 0 0 0 1.75 1.75h9a1.75 1.75 0 0 0 1.75-1.75V13",
  attach: "M16 9.5l-6 6a3.9 3.9 0 0 1-5.5-5.5l6.5-6.5a2.6 2.6 0 0 1 3.7 3.7l-6.4 6.4a1.3 1.3 0 0 1-1.85-1.85l5.6-5.6",
  document: "M6 3.5h5l4 4v7.5a1.5 1.5 0 0 1-1.5 1.5H6A1.5 1.5 0 0 1 4.5 15V5A1.5 1.5 0 0 1 6 3.5zM11 3.5v4h4M7.5 11h5M7.5 13.5h3.5",
  collection: "M4.5 4h2.75v12H4.5zM7.25 4H10v12H7.25zM11.6 4.9l2.65-.75 3 11.4-2.65.7z",
  close: "M5.5 5.5l9 9M14.5 5.5l-9 9",
};

/**
 * Set an element's text only if it differs, which saves a layout.
 * @param {Element} element
 * @param {string} text
 */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

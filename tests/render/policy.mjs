// In the page: which images of an answer load, by where the page is.
import { parse } from "/static/markdown/index.js";
import { draw } from "/static/render/draw.js";

/** The addresses that load, of those that an answer has an image of each. */
export function loaded(addresses, base, origins = []) {
  const found = [];
  const { setAttribute } = HTMLImageElement.prototype;
  HTMLImageElement.prototype.setAttribute = function (name, value) {
    if (name === "src") found.push(value);
    else setAttribute.call(this, name, value);
  };
  try {
    const text = addresses.map((address) => `![a](${address})`).join("\n\n");
    draw(document.createElement("div"), parse(text), { base, origins, isPlain: true });
  } finally {
    delete HTMLImageElement.prototype.setAttribute;
  }
  return found;
}

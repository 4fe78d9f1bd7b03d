// In the page: which images of an answer load, depending on the URL of the page.
import { parse } from "/static/markdown/index.js";
import { draw } from "/static/render/draw.js";

/** Return those of the image URLs that an answer loads. */
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

// The witness: mdast's own tree, without places.
import { fromMarkdown } from "mdast-util-from-markdown";
import { gfmFromMarkdown } from "mdast-util-gfm";
import { gfm } from "micromark-extension-gfm";

const OPTIONS = { extensions: [gfm()], mdastExtensions: [gfmFromMarkdown()] };

export function witness(text) {
  return bare(fromMarkdown(text, OPTIONS));
}

function bare(node) {
  for (const name of ["position", "data"]) delete node[name];
  for (const name of Object.keys(node)) if (node[name] === undefined) delete node[name];
  for (const child of node.children ?? []) bare(child);
  return node;
}

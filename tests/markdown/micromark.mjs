// The reference tree: mdast by micromark, without positions.
import { fromMarkdown } from "mdast-util-from-markdown";
import { gfmFromMarkdown } from "mdast-util-gfm";
import { gfm } from "micromark-extension-gfm";

const OPTIONS = { extensions: [gfm()], mdastExtensions: [gfmFromMarkdown()] };

export function referenceTree(text) {
  return withoutPositions(fromMarkdown(text, OPTIONS));
}

function withoutPositions(node) {
  for (const name of ["position", "data"]) delete node[name];
  for (const name of Object.keys(node)) if (node[name] === undefined) delete node[name];
  for (const child of node.children ?? []) withoutPositions(child);
  return node;
}

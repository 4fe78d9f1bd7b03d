/**
 * Transforms of sibling inline nodes before they are shown: HTML tags enclose the nodes between them, and bracketed numbers
 * become citations.
 */
import { plainText, splitText } from "../markdown/text-nodes.js";
import { readElement } from "./policy.js";

/** @typedef {import("../markdown/tree.js").Node} Node */
/** @typedef {import("./policy.js").RenderContext} RenderContext */

const CITATION = /\[(\d{1,4})\]/g;

/** An open tag is nested only over fewer nodes than this. */
const MAX_WAITING_NODES = 100;

/**
 * Nest the nodes between start and end tags. A tag without an end is text, unless its end may still follow.
 * @param {Node[]} nodes
 * @param {boolean} isOpen
 * @returns {{nodes: Node[], starts: number[]}} the nested nodes, and for each the index of the given node that it begins with
 */
export function nestTags(nodes, isOpen) {
  /** @type {Node[]} */
  const done = [];
  /** @type {number[]} */
  const starts = [];
  /** @type {{tag: string, at: number}[]} */
  const open = [];
  const enclose = () => {
    const { tag, at } = /** @type {{tag: string, at: number}} */ (open.pop());
    done[at] = { type: `<${tag}>`, children: done.splice(at + 1) };
    starts.length = at + 1;
  };
  nodes.forEach((node, index) => {
    const found = node.type === "html" ? readElement(node.value ?? "") : null;
    if (found?.isEnd && open.at(-1)?.tag === found.tag) return enclose();
    starts.push(index);
    if (found?.tag === "br") done.push({ type: "break" });
    else done.push(node.type === "html" ? { type: "text", value: node.value } : node);
    if (found && !found.isEnd && found.tag !== "br") open.push({ tag: found.tag, at: done.length - 1 });
  });
  while (isOpen && open.length && done.length - (open[0]?.at ?? 0) < MAX_WAITING_NODES) enclose();
  return { nodes: done, starts };
}

/**
 * Replace bracketed numbers of known sources by citations.
 * @param {Node[]} nodes
 * @param {RenderContext} context
 */
export function insertCitations(nodes, { sources }) {
  if (sources.size === 0) return nodes;
  return nodes.flatMap((node) => {
    if (node.type === "text") return citationsIn(node, sources);
    return node.type === "pendingLink" ? pendingCitation(node, sources) : [node];
  });
}

/**
 * @param {Node} node a pending link, for which a definition may still follow
 * @param {RenderContext["sources"]} sources
 */
function pendingCitation(node, sources) {
  const value = plainText([node]);
  const parts = citationsIn({ type: "text", value }, sources);
  return parts.length === 1 && parts[0]?.type === "citation" ? parts : [node];
}

/**
 * @param {Node} node
 * @param {RenderContext["sources"]} sources
 */
function citationsIn(node, sources) {
  const value = node.value ?? "";
  const found = [...value.matchAll(CITATION)].filter(([, number]) => sources.has(Number(number)));
  const citations = found.map(({ 0: text, 1: number, index }) => ({ at: index, end: index + text.length, node: { type: "citation", value: number } }));
  return found.length > 0 ? splitText(value, citations) : [node];
}

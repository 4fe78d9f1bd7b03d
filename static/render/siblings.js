/**
 * The nodes beside each other in a text, made ready to be shown: tags enclose what stands between them, numbers in
 * brackets become citations.
 */
import { cut, plainText } from "../markdown/texts.js";
import { readElement } from "./policy.js";

/** @typedef {import("../markdown/tree.js").Node} Node */
/** @typedef {import("./policy.js").Scene} Scene */

const CITATION = /\[(\d{1,4})\]/g;

/** Beyond so many nodes nothing waits for the end of a tag. */
const MOST_NESTED = 100;

/**
 * Enclose what stands between tags. A tag that nothing ends is text, unless its end may still come.
 * @param {Node[]} nodes
 * @param {boolean} isOpen
 * @returns {{nodes: Node[], starts: number[]}} what comes of them, and at which of the given nodes each begins
 */
export function nest(nodes, isOpen) {
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
  while (isOpen && open.length && done.length - (open[0]?.at ?? 0) < MOST_NESTED) enclose();
  return { nodes: done, starts };
}

/**
 * Make citations of the numbers in brackets that a source has.
 * @param {Node[]} nodes
 * @param {Scene} scene
 */
export function cite(nodes, { sources }) {
  if (sources.size === 0) return nodes;
  return nodes.flatMap((node) => {
    if (node.type === "text") return citationsIn(node, sources);
    return node.type === "waiting" ? awaited(node, sources) : [node];
  });
}

/**
 * @param {Node} node brackets that a definition may yet claim
 * @param {Scene["sources"]} sources
 */
function awaited(node, sources) {
  const value = plainText([node]);
  const parts = citationsIn({ type: "text", value }, sources);
  return parts.length === 1 && parts[0]?.type === "citation" ? parts : [node];
}

/**
 * @param {Node} node
 * @param {Scene["sources"]} sources
 */
function citationsIn(node, sources) {
  const value = node.value ?? "";
  const found = [...value.matchAll(CITATION)].filter(([, number]) => sources.has(Number(number)));
  const citations = found.map(({ 0: text, 1: number, index }) => ({ at: index, end: index + text.length, node: { type: "citation", value: number } }));
  return found.length > 0 ? cut(value, citations) : [node];
}

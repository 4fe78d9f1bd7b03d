/**
 * Markdown as a tree: CommonMark 0.31.2 with GitHub's tables, strikethrough, task lists, addresses and footnotes.
 */
import { Blocks } from "./blocks.js";
import { names } from "./entities.js";
import { fill } from "./leaves.js";
import { Lines } from "./lines.js";
import { learn } from "./references.js";

/** @typedef {import("./tree.js").Parent} Parent */
/** @typedef {import("./block.js").Block} Block */

learn(names());
const nothing = () => {};

/**
 * Parse a whole text.
 * @param {string} text
 * @returns {Parent}
 */
export function parse(text) {
  /** @type {{block: Block, parent: Block}[]} */
  const leaves = [];
  const blocks = new Blocks({
    opened: nothing,
    grew: nothing,
    defined: nothing,
    closed: (block, parent) => leaves.push({ block, parent }),
  });
  const lines = new Lines().feed(text);
  const last = lines.pop();
  for (const line of lines) blocks.line(line);
  if (last) blocks.line(last);
  blocks.finish();
  for (const { block, parent } of leaves) fill(block, parent, { labels: blocks });
  return blocks.root;
}

/**
 * The parser of a complete text: CommonMark 0.31.2 with GitHub's tables, strikethrough, task lists, autolinks and footnotes,
 * and, by an option, with what the answers of chats need beyond them.
 */
import { BlockParser } from "./block-parser.js";
import { entityNames } from "./entities.js";
import { fillLeaf } from "./leaf-content.js";
import { LineSplitter } from "./line-splitter.js";
import { setEntities } from "./character-references.js";

/** @typedef {import("./tree.js").Parent} Parent */
/** @typedef {import("./open-block.js").Block} Block */

setEntities(entityNames());
const ignore = () => {};

/**
 * Parse a complete text.
 * @param {string} text
 * @param {{isChat?: boolean}} [options] see `MarkdownStream`
 * @returns {Parent}
 */
export function parse(text, { isChat = false } = {}) {
  /** @type {{block: Block, parent: Block}[]} */
  const leaves = [];
  const blocks = new BlockParser({
    opened: ignore,
    extended: ignore,
    defined: ignore,
    closed: (block, parent) => leaves.push({ block, parent }),
  }, isChat);
  const lines = new LineSplitter().feed(text);
  const last = lines.pop();
  for (const line of lines) blocks.addLine(line);
  if (last) blocks.addLine(last);
  blocks.finish();
  for (const { block, parent } of leaves) fillLeaf(block, parent, { labels: blocks, isChat });
  return blocks.root;
}

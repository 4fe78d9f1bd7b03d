/**
 * Operations on text nodes of a parsed text: their plain text, and the addresses in them that become links (those that the
 * inline parser could not read, because brackets or delimiters were open there).
 */
import { matchEnd, isAlpha, isAlphanumeric, characterClass, LETTER } from "./characters.js";
import { autolinkNode, isAdjacent, WIDE_STOPS } from "./autolinks.js";

/** @typedef {import("./tree.js").Node} Node */

const ADDRESS_START = /(?<![\da-z])(?:https?:\/\/|www(?=\.))/gi;
// The longest possible domain; without a bound, many false starts take quadratic time.
const DOMAIN = /[\w-]{0,255}\.[\w.-]{0,255}/y;
const PATH = /[^\t\n\r ]*/y;
const CHAT_PATH = new RegExp(`(?::\\d+)?(?:[/?#][^\\s${WIDE_STOPS}]*)?`, "y");
const TRAILING = new Set("!\"&'),.:;<>?]}");
const MAIL_DOMAIN = /[\w-]+(?:\.[\w-]+)+/y;
const RESOURCE = /(?:\/(?:[\w\-/]|\.(?=[\dA-Za-z]))*)?/y;
const MAIL_CHAR = /[\w+.-]/;

/**
 * Return the plain text of nodes, as for an image's description.
 * @param {Node[]} nodes
 */
export function plainText(nodes) {
  let text = "";
  const stack = [...nodes].reverse();
  for (let node = stack.pop(); node; node = stack.pop()) {
    text += node.value ?? node.alt ?? "";
    if (node.children) stack.push(...[...node.children].reverse());
  }
  return text;
}

/**
 * Turn the addresses in text nodes into links, except within links.
 * @param {Node[]} nodes changed in place
 * @param {boolean} [isChat] whether an address can be adjacent to Chinese, Japanese and Korean text
 */
export function linkifyTexts(nodes, isChat = false) {
  const stack = [nodes];
  for (let siblings = stack.pop(); siblings; siblings = stack.pop()) {
    if (siblings.some(hasAddress)) siblings.splice(0, siblings.length, ...siblings.flatMap((node) => linkifyText(node, isChat)));
    for (const { type, children } of siblings) {
      if (children && type !== "pendingLink" && type !== "link" && type !== "linkReference") stack.push(children);
    }
  }
  return nodes;
}

/** @param {string} text */
function mayContainAddress(text) {
  return /:\/\/|www\.|@/i.test(text);
}

/**
 * Return whether a text may contain an address in its brackets, between them, or adjacent to them.
 * @param {string} text
 */
export function bracketsMayTouchAddress(text) {
  const before = text.slice(0, text.indexOf("["));
  const after = text.slice(text.lastIndexOf("]"));
  const from = Math.max(before.lastIndexOf(" "), before.lastIndexOf("\n"));
  return mayContainAddress(text.slice(from + 1, text.length - after.length + after.search(/\s|$/)));
}

/** @param {Node} node */
function hasAddress({ type, value }) {
  return type === "text" && mayContainAddress(value ?? "");
}

/**
 * @param {Node} node
 * @param {boolean} isChat
 * @returns {Node[]}
 */
function linkifyText(node, isChat) {
  return hasAddress(node) ? splitUrls(node.value ?? "", isChat).flatMap((part) => (part.type === "text" ? splitEmails(part.value ?? "") : [part])) : [node];
}

/**
 * Split a text into nodes, replacing ranges of it.
 * @param {string} value
 * @param {{at: number, end: number, node: Node}[]} links the ranges and their nodes, in order
 */
export function splitText(value, links) {
  /** @type {Node[]} */
  const parts = [];
  let from = 0;
  for (const { at, end, node } of links) {
    if (at > from) parts.push({ type: "text", value: value.slice(from, at) });
    parts.push(node);
    from = end;
  }
  if (from < value.length) parts.push({ type: "text", value: value.slice(from) });
  return parts;
}

/**
 * @param {string} value
 * @param {boolean} isChat
 */
function splitUrls(value, isChat) {
  const links = [];
  ADDRESS_START.lastIndex = 0;
  for (let start = ADDRESS_START.exec(value); start; start = ADDRESS_START.exec(value)) {
    const at = start.index;
    const address = readUrl(value, at, start[0], isChat);
    if (address) {
      const isWww = start[0].length === 3;
      links.push({ at, end: at + address.length, node: autolinkNode(isWww ? `http://${address}` : address, address) });
      ADDRESS_START.lastIndex = at + address.length;
    } else ADDRESS_START.lastIndex = at + 1;
  }
  return splitText(value, links);
}

/**
 * @param {string} value
 * @param {number} at
 * @param {string} protocol
 * @param {boolean} isChat
 * @returns {string} empty if there is none
 */
function readUrl(value, at, protocol, isChat) {
  const start = at + protocol.length;
  const end = matchEnd(DOMAIN, value, start);
  const domain = value.slice(start, end);
  const own = protocol.length === 3 ? protocol + domain : domain;
  const before = value.charAt(at - 1);
  const isAfterLetter = characterClass(before) === LETTER && !(isChat && isAdjacent(before));
  if (domain === "" || isAfterLetter || characterClass(own.charAt(0)) !== LETTER || !isDomain(own)) return "";
  return value.slice(at, trimAddress(value, start, matchEnd(isChat ? CHAT_PATH : PATH, value, end)));
}

/** @param {string} domain */
function isDomain(domain) {
  const parts = domain.split(".").slice(-2);
  return parts.length === 2 && parts.every((part) => part === "" || (!part.includes("_") && /[\dA-Za-z]/.test(part)));
}

/**
 * Return the end of an address without trailing punctuation, except parentheses that it opened.
 * @param {string} value
 * @param {number} from
 * @param {number} to
 */
function trimAddress(value, from, to) {
  let end = to;
  while (end > from && TRAILING.has(value.charAt(end - 1))) end--;
  let open = 0;
  for (let at = from; at < end; at++) {
    if (value.charAt(at) === "(") open++;
    if (value.charAt(at) === ")") open--;
  }
  for (let at = end; at < to && open > 0; at++) {
    if (value.charAt(at) === ")") {
      end = at + 1;
      open--;
    }
  }
  return end;
}

/** @param {string} value */
function splitEmails(value) {
  const links = [];
  let from = 0;
  for (let sign = value.indexOf("@"); sign >= 0; sign = value.indexOf("@", Math.max(sign + 1, from))) {
    const found = readEmail(value, from, sign);
    if (found) {
      links.push(found);
      from = found.end;
    }
  }
  return splitText(value, links);
}

/**
 * @param {string} value
 * @param {number} from the end of the last link
 * @param {number} sign the position of `@`
 */
function readEmail(value, from, sign) {
  let start = sign;
  while (start > from && MAIL_CHAR.test(value.charAt(start - 1))) start--;
  const end = matchEnd(MAIL_DOMAIN, value, sign + 1);
  if (start === sign || end === sign + 1 || !isAlpha(value.charCodeAt(end - 1))) return null;
  const scheme = ["mailto:", "xmpp:"].find((each) => value.endsWith(each, start)) ?? "";
  const before = value.charAt(start - scheme.length - 1);
  if (!scheme || (isAlphanumeric(before.charCodeAt(0)) || before === "@")) return link(value, start, end, "mailto:");
  if (/[\w+.-]/.test(before)) return null;
  return scheme === "xmpp:" ? readXmpp(value, start - 5, end) : link(value, start - 7, end, "");
}

/**
 * @param {string} value
 * @param {number} at
 * @param {number} end
 * @param {string} prefix
 */
function link(value, at, end, prefix) {
  const text = value.slice(at, end);
  return { at, end, node: autolinkNode(prefix + text, text) };
}

/**
 * @param {string} value
 * @param {number} at
 * @param {number} domainEnd
 */
function readXmpp(value, at, domainEnd) {
  const end = matchEnd(RESOURCE, value, domainEnd);
  if (end > domainEnd && (!isAlpha(value.charCodeAt(end - 1)) || value.charAt(end) === "@")) return null;
  return link(value, at, end, "");
}

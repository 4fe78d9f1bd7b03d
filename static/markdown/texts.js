/**
 * What is done to texts once nodes are whole: addresses that stood where no link could begin become links after all.
 */
import { after, isAlpha, isAlphanumeric, kindOf, LETTER } from "./characters.js";
import { linkTo } from "./autolinks.js";

/** @typedef {import("./tree.js").Node} Node */

const ADDRESS_START = /(?<![\da-z])(?:https?:\/\/|www(?=\.))/gi;
// No domain is longer; without the bound, a row of beginnings costs squared time.
const DOMAIN = /[\w-]{0,255}\.[\w.-]{0,255}/y;
const PATH = /[^\t\n\r ]*/y;
const TRAILING = new Set("!\"&'),.:;<>?]}");
const MAIL_DOMAIN = /[\w-]+(?:\.[\w-]+)+/y;
const RESOURCE = /(?:\/(?:[\w\-/]|\.(?=[\dA-Za-z]))*)?/y;
const MAIL_SIGN = /[\w+.-]/;

/**
 * Read the text of nodes as an image's description has it.
 * @param {Node[]} nodes
 */
export function plainText(nodes) {
  let text = "";
  const left = [...nodes].reverse();
  for (let node = left.pop(); node; node = left.pop()) {
    text += node.value ?? node.alt ?? "";
    if (node.children) left.push(...[...node.children].reverse());
  }
  return text;
}

/**
 * Make links of the addresses in texts; those within links stay.
 * @param {Node[]} nodes changed in place: nobody else has them yet
 */
export function linkTexts(nodes) {
  const left = [nodes];
  for (let siblings = left.pop(); siblings; siblings = left.pop()) {
    if (siblings.some(hasAddress)) siblings.splice(0, siblings.length, ...siblings.flatMap(split));
    for (const { type, children } of siblings) {
      if (children && type !== "waiting" && type !== "link" && type !== "linkReference") left.push(children);
    }
  }
  return nodes;
}

/** @param {string} text */
function mayHoldAddress(text) {
  return /:\/\/|www\.|@/i.test(text);
}

/**
 * Tell whether an address may stand in the brackets of a text, between them, or right beside them.
 * @param {string} text
 */
export function mayTouchAddress(text) {
  const before = text.slice(0, text.indexOf("["));
  const behind = text.slice(text.lastIndexOf("]"));
  const from = Math.max(before.lastIndexOf(" "), before.lastIndexOf("\n"));
  return mayHoldAddress(text.slice(from + 1, text.length - behind.length + behind.search(/\s|$/)));
}

/** @param {Node} node */
function hasAddress({ type, value }) {
  return type === "text" && mayHoldAddress(value ?? "");
}

/**
 * @param {Node} node
 * @returns {Node[]}
 */
function split(node) {
  return hasAddress(node) ? splitUrls(node.value ?? "").flatMap((part) => (part.type === "text" ? splitMails(part.value ?? "") : [part])) : [node];
}

/**
 * Put nodes into a text, in place of parts of it.
 * @param {string} value
 * @param {{at: number, end: number, node: Node}[]} links in their order
 */
export function cut(value, links) {
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

/** @param {string} value */
function splitUrls(value) {
  const links = [];
  ADDRESS_START.lastIndex = 0;
  for (let start = ADDRESS_START.exec(value); start; start = ADDRESS_START.exec(value)) {
    const at = start.index;
    const address = urlAt(value, at, start[0]);
    if (address) {
      const isWww = start[0].length === 3;
      links.push({ at, end: at + address.length, node: linkTo(isWww ? `http://${address}` : address, address) });
      ADDRESS_START.lastIndex = at + address.length;
    } else ADDRESS_START.lastIndex = at + 1;
  }
  return cut(value, links);
}

/**
 * @param {string} value
 * @param {number} at
 * @param {string} protocol
 * @returns {string} empty when it is none
 */
function urlAt(value, at, protocol) {
  const start = at + protocol.length;
  const end = after(DOMAIN, value, start);
  const domain = value.slice(start, end);
  const own = protocol.length === 3 ? protocol + domain : domain;
  const isAfterLetter = at > 0 && kindOf(value.charAt(at - 1)) === LETTER;
  if (domain === "" || isAfterLetter || kindOf(own.charAt(0)) !== LETTER || !isDomain(own)) return "";
  return value.slice(at, endOf(value, start, after(PATH, value, end)));
}

/** @param {string} domain */
function isDomain(domain) {
  const parts = domain.split(".").slice(-2);
  return parts.length === 2 && parts.every((part) => part === "" || (!part.includes("_") && /[\dA-Za-z]/.test(part)));
}

/**
 * Leave out the signs an address does not end with, but not parentheses that it opened.
 * @param {string} value
 * @param {number} from
 * @param {number} to
 */
function endOf(value, from, to) {
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
function splitMails(value) {
  const links = [];
  let from = 0;
  for (let sign = value.indexOf("@"); sign >= 0; sign = value.indexOf("@", Math.max(sign + 1, from))) {
    const found = mailAt(value, from, sign);
    if (found) {
      links.push(found);
      from = found.end;
    }
  }
  return cut(value, links);
}

/**
 * @param {string} value
 * @param {number} from where the last link ended
 * @param {number} sign
 */
function mailAt(value, from, sign) {
  let start = sign;
  while (start > from && MAIL_SIGN.test(value.charAt(start - 1))) start--;
  const end = after(MAIL_DOMAIN, value, sign + 1);
  if (start === sign || end === sign + 1 || !isAlpha(value.charCodeAt(end - 1))) return null;
  const scheme = ["mailto:", "xmpp:"].find((each) => value.endsWith(each, start)) ?? "";
  const before = value.charAt(start - scheme.length - 1);
  if (!scheme || (isAlphanumeric(before.charCodeAt(0)) || before === "@")) return link(value, start, end, "mailto:");
  if (/[\w+.-]/.test(before)) return null;
  return scheme === "xmpp:" ? messengerAt(value, start - 5, end) : link(value, start - 7, end, "");
}

/**
 * @param {string} value
 * @param {number} at
 * @param {number} end
 * @param {string} prefix
 */
function link(value, at, end, prefix) {
  const text = value.slice(at, end);
  return { at, end, node: linkTo(prefix + text, text) };
}

/**
 * @param {string} value
 * @param {number} at
 * @param {number} domainEnd
 */
function messengerAt(value, at, domainEnd) {
  const end = after(RESOURCE, value, domainEnd);
  if (end > domainEnd && (!isAlpha(value.charCodeAt(end - 1)) || value.charAt(end) === "@")) return null;
  return link(value, at, end, "");
}

/**
 * `markdown/`: A streaming Markdown parser: text in, a tree of plain objects out. Nothing here knows the DOM;
 * `render/` draws the tree.
 */
/**
 * Addresses that are links without any mark (https://github.github.com/gfm/#autolinks-extension-).
 */
import { after, isAlpha, isAlphanumeric, isWhite, kindOf, LETTER } from "./characters.js";

/** @typedef {import("./tree.js").Node} Node */

const START = /https?:\/\/|www\./gi;
const TRAIL = /[!"'),.:;?_~*]*/y;
const ENTITY = /&[a-z]+;/iy;
/** No address of the internet is longer; without a bound, many beginnings cost squared time. */
const LONGEST_DOMAIN = 255;

/** @param {number} code */
function isMailSign(code) {
  return code === 43 || code === 45 || code === 46 || code === 95 || isAlphanumeric(code);
}

/**
 * @param {string} url
 * @param {string} value
 * @returns {Node}
 */
export function linkTo(url, value) {
  return { type: "link", title: null, url, children: [{ type: "text", value }] };
}

/** Looks for addresses in one text, from its beginning to its end. */
export class Literals {
  #text;
  #url = -1;
  #mail = -1;
  /** Where the last row of trailing signs ended, and whether it was the end of the address too. */
  #trail = { from: 0, to: 0, isEnd: false };

  /** @param {string} text */
  constructor(text) {
    this.#text = text;
  }

  /**
   * Find where an address may begin.
   * @param {number} from
   * @returns {number} Infinity when none does
   */
  next(from) {
    if (this.#url < from) this.#url = this.#nextUrl(from);
    if (this.#mail < from) this.#mail = this.#nextMail(from);
    return Math.min(this.#url, this.#mail);
  }

  /** @param {number} from */
  #nextUrl(from) {
    START.lastIndex = from;
    return START.exec(this.#text)?.index ?? Infinity;
  }

  /** @param {number} from */
  #nextMail(from) {
    let at = this.#text.indexOf("@", from);
    while (at >= 0) {
      let start = at;
      while (start > from && isMailSign(this.#text.charCodeAt(start - 1))) start--;
      const before = this.#text.charCodeAt(start - 1);
      if (start < at && before !== 47 && !isMailSign(before)) return start;
      at = this.#text.indexOf("@", at + 1);
    }
    return Infinity;
  }

  /**
   * Read the address that begins here.
   * @param {number} from
   * @returns {{node: Node, end: number} | null}
   */
  read(from) {
    const text = this.#text;
    const mail = from === this.#mail ? this.#readMail(from) : 0;
    if (mail) return { node: linkTo(`mailto:${text.slice(from, mail)}`, text.slice(from, mail)), end: mail };
    if (from !== this.#url) return null;
    const isWww = (text.charCodeAt(from) | 32) === 119;
    const end = isWww ? this.#readWww(from) : this.#readUrl(from);
    if (!end) return null;
    const value = text.slice(from, end);
    return { node: linkTo(isWww ? `http://${value}` : value, value), end };
  }

  /**
   * @param {number} from
   * @returns {number} where it ends; 0 when it is none
   */
  #readMail(from) {
    const text = this.#text;
    let at = text.indexOf("@", from) + 1;
    let hasDot = false;
    for (; ; at++) {
      const code = text.charCodeAt(at);
      if (code === 46 && isAlphanumeric(text.charCodeAt(at + 1))) hasDot = true;
      else if (code !== 45 && code !== 95 && !isAlphanumeric(code)) break;
    }
    return hasDot && isAlpha(text.charCodeAt(at - 1)) ? at : 0;
  }

  /** @param {number} from */
  #readWww(from) {
    const before = this.#text.charAt(from - 1);
    if (before !== "" && !/[(*_[\]~ \t\n]/.test(before)) return 0;
    return from + 4 < this.#text.length ? this.#readPath(this.#readDomain(from)) : 0;
  }

  /** @param {number} from */
  #readUrl(from) {
    if (isAlpha(this.#text.charCodeAt(from - 1))) return 0;
    const start = this.#text.indexOf("/", from) + 2;
    const first = this.#text.charAt(start);
    return first !== "" && kindOf(first) === LETTER && first > " " ? this.#readPath(this.#readDomain(start)) : 0;
  }

  /**
   * @param {number} from
   * @returns {number} where the domain ends; 0 when it is none
   */
  #readDomain(from) {
    const text = this.#text;
    const limit = Math.min(text.length, from + LONGEST_DOMAIN);
    let inLast = false;
    let inOther = false;
    let at = from;
    for (; at < limit; at++) {
      const sign = text.charAt(at);
      if (sign === "." || sign === "_") {
        if (this.#isTrail(at)) break;
        if (sign === ".") inOther = inLast;
        inLast = sign === "_";
      } else if (sign !== "-" && kindOf(sign) !== LETTER) break;
    }
    return at === from || inLast || inOther ? 0 : at;
  }

  /**
   * @param {number} from 0 when there is no domain
   * @returns {number} where the address ends
   */
  #readPath(from) {
    if (from === 0) return 0;
    const text = this.#text;
    let open = 0;
    let at = from;
    for (; at < text.length; at++) {
      const sign = text.charAt(at);
      if (isWhite(text.charCodeAt(at)) || /\s/.test(sign)) break;
      if (sign === "(") open++;
      else if (sign === ")" && open > 0) open--;
      else if (/[!"&'),*.:;<?\]_~]/.test(sign) && this.#isTrail(at)) break;
      else if (sign === ")") open--;
    }
    return at;
  }

  /**
   * Tell whether nothing but trailing signs stands between here and the end of the address.
   * @param {number} from
   */
  #isTrail(from) {
    const known = this.#trail;
    if (from < known.from || from >= known.to) this.#trail = { from, ...this.#readTrail(from) };
    return this.#trail.isEnd;
  }

  /** @param {number} from */
  #readTrail(from) {
    const text = this.#text;
    let to = from;
    for (;;) {
      to = after(TRAIL, text, to);
      const sign = text.charAt(to);
      const entity = after(ENTITY, text, to);
      if (entity > to) to = entity;
      else if (sign === "]" && !/^[([\s]?$/.test(text.charAt(to + 1))) to++;
      else return { to: Math.max(to, from + 1), isEnd: sign === "" || sign === "<" || sign === "]" || /\s/.test(sign) };
    }
  }
}

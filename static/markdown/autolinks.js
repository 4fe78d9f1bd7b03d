/**
 * `markdown/`: A streaming Markdown parser: text in, a tree of plain objects out. It does not use the DOM; `render/` renders
 * the tree.
 */
/**
 * Extended autolinks: addresses in a text that become links without markup (https://github.github.com/gfm/#autolinks-extension-).
 */
import { matchEnd, isAlpha, isAlphanumeric, isCjk, isWhite, characterClass, LETTER } from "./characters.js";

/** @typedef {import("./tree.js").Node} Node */

const START = /https?:\/\/|www\./gi;
const TRAIL = /[!"'),.:;?_~*]*/y;
const ENTITY = /&[a-z]+;/iy;
/** Punctuation of Chinese and Japanese, which is never part of an address there; `・` may be. */
export const WIDE_STOPS = "\u2014\u2018-\u201f\u2026\u3000-\u3003\u3008-\u301f\uff01\uff08\uff09\uff0c\uff0e\uff1a\uff1b\uff1f\uff3b\uff3d\uff5b-\uff64";
const WIDE_STOP = new RegExp(`[${WIDE_STOPS}]`);
/** The longest possible domain; without a bound, many false starts take quadratic time. */
const MAX_DOMAIN_CHARS = 255;

/** @param {number} code */
function isMailChar(code) {
  return code === 43 || code === 45 || code === 46 || code === 95 || isAlphanumeric(code);
}

/**
 * Return whether an address can begin after a character although there is no space.
 * @param {string} character
 */
export function isAdjacent(character) {
  return isCjk(character) || WIDE_STOP.test(character);
}

/**
 * Return whether what follows trailing punctuation is Chinese, Japanese or Korean text around the address.
 * @param {string} last of the punctuation
 * @param {string} next
 */
function endsTrail(last, next) {
  return WIDE_STOP.test(next) || (isCjk(next) && /[)*,;!"]/.test(last));
}

/**
 * Return a link node.
 * @param {string} url
 * @param {string} value its text
 * @returns {Node}
 */
export function autolinkNode(url, value) {
  return { type: "link", title: null, url, children: [{ type: "text", value }] };
}

/** Finds the addresses in one text, from left to right. */
export class AutolinkFinder {
  #text;
  #isChat;
  #url = -1;
  #mail = -1;
  /** The last run of trailing punctuation, and whether the address ends with it. */
  #trail = { from: 0, to: 0, isEnd: false };

  /**
   * @param {string} text
   * @param {boolean} [isChat] whether an address can be adjacent to Chinese, Japanese and Korean text
   */
  constructor(text, isChat = false) {
    this.#text = text;
    this.#isChat = isChat;
  }

  /**
   * Return the position of the next possible address.
   * @param {number} from
   * @returns {number} Infinity if there is none
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
      while (start > from && isMailChar(this.#text.charCodeAt(start - 1))) start--;
      const before = this.#text.charCodeAt(start - 1);
      if (start < at && before !== 47 && !isMailChar(before)) return start;
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
    if (mail) return { node: autolinkNode(`mailto:${text.slice(from, mail)}`, text.slice(from, mail)), end: mail };
    if (from !== this.#url) return null;
    const isWww = (text.charCodeAt(from) | 32) === 119;
    const end = isWww ? this.#readWww(from) : this.#readUrl(from);
    if (!end) return null;
    const value = text.slice(from, end);
    return { node: autolinkNode(isWww ? `http://${value}` : value, value), end };
  }

  /**
   * @param {number} from
   * @returns {number} the end; 0 if it is no address
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
    if (!/^$|[(*_[\]~ \t\n]/.test(before) && !(this.#isChat && isAdjacent(before))) return 0;
    return from + 4 < this.#text.length ? this.#readPath(this.#readDomain(from)) : 0;
  }

  /** @param {number} from */
  #readUrl(from) {
    if (isAlpha(this.#text.charCodeAt(from - 1))) return 0;
    const start = this.#text.indexOf("/", from) + 2;
    const first = this.#text.charAt(start);
    return first !== "" && characterClass(first) === LETTER && first > " " ? this.#readPath(this.#readDomain(start)) : 0;
  }

  /**
   * @param {number} from
   * @returns {number} the end of the domain; 0 if it is none
   */
  #readDomain(from) {
    const text = this.#text;
    const limit = Math.min(text.length, from + MAX_DOMAIN_CHARS);
    let inLast = false;
    let hasDot = false;
    let inOther = false;
    let at = from;
    for (; at < limit; at++) {
      const char = text.charAt(at);
      if (char === "." || char === "_") {
        if (this.#isTrail(at)) break;
        if (char === ".") inOther = inLast;
        inLast = char === "_";
        hasDot ||= char === ".";
      } else if (char !== "-" && characterClass(char) !== LETTER) break;
      // A top-level domain never mixes scripts: other text begins here.
      else if (hasDot && this.#isChat && isCjk(char) && isAlphanumeric(text.charCodeAt(at - 1))) break;
    }
    return at === from || inLast || inOther ? 0 : at;
  }

  /**
   * @param {number} from the end of the domain; 0 if there is none
   * @returns {number} the end of the address; 0 if there is none
   */
  #readPath(from) {
    if (from === 0) return 0;
    const text = this.#text;
    let open = 0;
    let at = from;
    let isPath = !this.#isChat;
    for (; at < text.length; at++) {
      const char = text.charAt(at);
      if (this.#isChat && char > "\x7f" && (WIDE_STOP.test(char) || (!isPath && isCjk(char)))) break;
      isPath ||= char === "/" || char === "?" || char === "#";
      if (isWhite(text.charCodeAt(at)) || /\s/.test(char)) break;
      if (char === "(") open++;
      else if (char === ")" && open > 0) open--;
      else if (/[!"&'),*.:;<?\]_~]/.test(char) && this.#isTrail(at)) break;
      else if (char === ")") open--;
    }
    return at;
  }

  /**
   * Return whether only trailing punctuation follows in the address.
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
      to = matchEnd(TRAIL, text, to);
      const char = text.charAt(to);
      const entity = matchEnd(ENTITY, text, to);
      if (entity > to) to = entity;
      else if (char === "]" && !/^[([\s]?$/.test(text.charAt(to + 1))) to++;
      else return { to: Math.max(to, from + 1), isEnd: /^$|[<\]\s]/.test(char) || (this.#isChat && endsTrail(text.charAt(to - 1), char)) };
    }
  }
}

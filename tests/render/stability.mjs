// In the page: finds characters that flicker, which leave an element and return to it.
import { CORPUS } from "./corpus.mjs";
import { begin } from "./incremental.mjs";

const CONTROLS = ".code-head, .back, .held";

/** Return each visible character with the tags of its ancestors. */
function characters(root) {
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  const found = [];
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (node.parentElement.closest(CONTROLS)) continue;
    let chain = "";
    for (let above = node.parentElement; above !== root; above = above.parentElement) chain += `${above.localName} `;
    for (const char of node.data) found.push({ char, chain });
  }
  return found;
}

/** Return the longest common subsequence of two texts, as pairs of positions. */
function commonSubsequence(one, other) {
  const width = other.length + 1;
  const lengths = new Uint16Array((one.length + 1) * width);
  for (let at = one.length - 1; at >= 0; at--) {
    for (let to = other.length - 1; to >= 0; to--) {
      const here = at * width + to;
      lengths[here] = one[at].char === other[to].char ? lengths[here + width + 1] + 1 : Math.max(lengths[here + width], lengths[here + 1]);
    }
  }
  const pairs = new Map();
  for (let at = 0, to = 0; at < one.length && to < other.length; ) {
    const here = at * width + to;
    if (one[at].char === other[to].char) pairs.set(to++, at++);
    else if (lengths[here + width] >= lengths[here + 1]) at++;
    else to++;
  }
  return pairs;
}

/** Carry over the history of the characters that remain. */
function align(known, now) {
  let start = 0;
  while (start < known.length && start < now.length && known[start].char === now[start].char) start++;
  let end = 0;
  while (end < known.length - start && end < now.length - start && known.at(-1 - end).char === now.at(-1 - end).char) end++;
  const before = known.slice(start, known.length - end);
  const after = now.slice(start, now.length - end);
  const pairs = commonSubsequence(before, after);
  const middle = after.map(({ char }, index) => before[pairs.get(index)] ?? { char, chains: [] });
  return [...known.slice(0, start), ...middle, ...(end ? known.slice(-end) : [])];
}

/** List the returns over all prefixes of a text. */
export function returns(text) {
  const view = begin();
  let known = [];
  const found = [];
  const take = (at) => {
    const now = characters(view.root);
    known = align(known, now);
    known.forEach((character, index) => {
      const { chain } = now[index];
      if (chain === character.chains.at(-1)) return;
      if (character.chains.includes(chain)) found.push(`${at}: ${JSON.stringify(character.char)} ${[...character.chains, chain].join(" → ")}`);
      character.chains.push(chain);
    });
  };
  for (let at = 0; at < text.length; at++) {
    view.write(text[at]);
    take(at + 1);
  }
  view.end();
  take(text.length);
  return found;
}

export function corpus() {
  return Object.fromEntries(Object.entries(CORPUS).map(([name, text]) => [name, returns(text).slice(0, 5)]));
}

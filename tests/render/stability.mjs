// In the page: which characters stand in something, leave it, and come back.
import { CORPUS } from "./corpus.mjs";
import { begin } from "./incremental.mjs";

const CONTROLS = ".code-head, .back, .held";

/** Each visible character with the tags that it stands in. */
function characters(root) {
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  const found = [];
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (node.parentElement.closest(CONTROLS)) continue;
    let chain = "";
    for (let above = node.parentElement; above !== root; above = above.parentElement) chain += `${above.localName} `;
    for (const sign of node.data) found.push({ sign, chain });
  }
  return found;
}

/** The longest row of signs that two texts share, as pairs of places. */
function shared(one, other) {
  const width = other.length + 1;
  const best = new Uint16Array((one.length + 1) * width);
  for (let at = one.length - 1; at >= 0; at--) {
    for (let to = other.length - 1; to >= 0; to--) {
      const here = at * width + to;
      best[here] = one[at].sign === other[to].sign ? best[here + width + 1] + 1 : Math.max(best[here + width], best[here + 1]);
    }
  }
  const pairs = new Map();
  for (let at = 0, to = 0; at < one.length && to < other.length; ) {
    const here = at * width + to;
    if (one[at].sign === other[to].sign) pairs.set(to++, at++);
    else if (best[here + width] >= best[here + 1]) at++;
    else to++;
  }
  return pairs;
}

/** Carry over what is known of the characters that are still there. */
function align(known, now) {
  let start = 0;
  while (start < known.length && start < now.length && known[start].sign === now[start].sign) start++;
  let end = 0;
  while (end < known.length - start && end < now.length - start && known.at(-1 - end).sign === now.at(-1 - end).sign) end++;
  const before = known.slice(start, known.length - end);
  const after = now.slice(start, now.length - end);
  const pairs = shared(before, after);
  const middle = after.map(({ sign }, index) => before[pairs.get(index)] ?? { sign, chains: [] });
  return [...known.slice(0, start), ...middle, ...(end ? known.slice(-end) : [])];
}

/** Count the returns over all prefixes of a text. */
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
      if (character.chains.includes(chain)) found.push(`${at}: ${JSON.stringify(character.sign)} ${[...character.chains, chain].join(" → ")}`);
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

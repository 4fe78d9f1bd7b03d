// In the page: streams a long answer into a scroller, one write for each animation frame, and reports on its groups of blocks.
import { stream } from "/static/render/index.js";
import { answerCss } from "/static/styles/answer.js";
import { CORPUS } from "./corpus.mjs";

const TEXT = Object.values(CORPUS).join("\n").repeat(6);
const nextPaint = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));

/**
 * Stream the text to a reader who stays at the end, or who scrolls up after a third of it and back down at the end.
 * @param {string} css added to the answer's style
 */
export async function play(css, { isUp = false } = {}) {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`${answerCss}\n${css}`);
  document.adoptedStyleSheets = [sheet];
  const scroller = document.createElement("div");
  const root = document.createElement("div");
  scroller.style.cssText = "block-size: 500px; overflow-y: auto; overflow-anchor: none";
  root.className = "flow";
  scroller.append(root);
  document.body.replaceChildren(scroller);
  const view = stream(root, { id: "s", isPlain: true });
  const visible = () => [...root.querySelectorAll("p, pre, li")].filter((one) => {
    const { top, bottom } = one.getBoundingClientRect();
    return bottom > 0 && top < 500;
  });
  let watched = [];
  let moved = 0;
  for (let at = 0; at < TEXT.length; at += 120) {
    view.write(TEXT.slice(at, at + 120));
    if (!isUp || at < TEXT.length / 3) scroller.scrollTop = scroller.scrollHeight;
    else if (watched.length === 0) {
      scroller.scrollTop -= 2000;
      await nextPaint();
      await nextPaint();
      watched = visible().map((one) => [one, one.getBoundingClientRect().top]);
    }
    await nextPaint();
    for (const [one, top] of watched) moved = Math.max(moved, Math.abs(one.getBoundingClientRect().top - top));
  }
  view.end();
  await nextPaint();
  await nextPaint();
  if (isUp) scroller.scrollTop = scroller.scrollHeight;
  await nextPaint();
  const all = [...root.querySelectorAll(".blocks")];
  const groups = all.filter((group) => !group.querySelector(".blocks"));
  const outer = all.filter((group) => group.querySelector(".blocks"));
  return {
    height: scroller.scrollHeight,
    groups: groups.length,
    settled: groups.filter((group) => group.classList.contains("settled")).length,
    outer: outer.map((group) => ({ isLast: !group.nextElementSibling, isSettled: group.classList.contains("settled") })),
    skipped: groups.filter((group) => !group.firstElementChild?.checkVisibility({ contentVisibilityAuto: true })).length,
    watched: watched.length,
    moved,
  };
}

/** Stream a text and return its lists after their layout. */
export async function lists(text) {
  const root = document.createElement("div");
  root.className = "flow";
  document.body.replaceChildren(root);
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(answerCss);
  document.adoptedStyleSheets = [sheet];
  const view = stream(root, { id: "l", isPlain: true });
  for (let at = 0; at < text.length; at += 50) view.write(text.slice(at, at + 50));
  view.end();
  await nextPaint();
  await nextPaint();
  return [...root.querySelectorAll("ul, ol")].map((list, index, all) => ({
    tag: list.localName,
    start: list.getAttribute("start"),
    items: list.children.length,
    dir: list.dir,
    gap: index ? Math.round(list.getBoundingClientRect().top - all[index - 1].getBoundingClientRect().bottom) : 0,
    isLoose: list.dataset.loose !== undefined,
    isSettled: list.classList.contains("settled"),
  }));
}

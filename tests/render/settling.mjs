// A long answer in a scroller, a frame to a picture, and what its groups of blocks have become.
import { stream } from "/static/render/index.js";
import { answerCss } from "/static/styles/answer.js";
import { CORPUS } from "./corpus.mjs";

const TEXT = Object.values(CORPUS).join("\n").repeat(3);
const painted = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));

/**
 * Play the text to a reader who stays at the end, or goes up after a third of it and back down at its end.
 * @param {string} css besides the answer's own
 */
export async function played(css, { isUp = false } = {}) {
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
  const seen = () => [...root.querySelectorAll("p, pre, li")].filter((one) => {
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
      await painted();
      await painted();
      watched = seen().map((one) => [one, one.getBoundingClientRect().top]);
    }
    await painted();
    for (const [one, top] of watched) moved = Math.max(moved, Math.abs(one.getBoundingClientRect().top - top));
  }
  view.end();
  await painted();
  await painted();
  if (isUp) scroller.scrollTop = scroller.scrollHeight;
  await painted();
  const groups = [...root.querySelectorAll(".blocks")].filter((group) => !group.querySelector(".blocks"));
  return {
    height: scroller.scrollHeight,
    groups: groups.length,
    settled: groups.filter((group) => group.classList.contains("settled")).length,
    skipped: groups.filter((group) => !group.firstElementChild?.checkVisibility({ contentVisibilityAuto: true })).length,
    watched: watched.length,
    moved,
  };
}

/** Show a text, and what its lists are once they are laid out. */
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
  await painted();
  await painted();
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

// In the page: each contender takes a text in frames; every frame is laid out before the next.
import { stream } from "/static/render/index.js";
import { createWarmUp } from "/static/turn/warm-up.js";
import { answerCss } from "/static/styles/answer.js";
import { CORPUS } from "/tests/render/corpus.mjs";

const FRAME_CHARS = 60;
/** How often a text is painted, in frames. */
const PAINT_EVERY = 32;

const CONTENDERS = {
  async freshet(root, { paints }) {
    warmUp(root);
    // Formulas and highlighting, which the others do not know, come in later tasks, unless their modules happen to be loaded already.
    const view = stream(root, { id: "bench", isPlain: !paints });
    return { write: view.write, end: view.end };
  },
  async "streaming-markdown"(root) {
    const smd = await import("/packages/streaming-markdown.js");
    const parser = smd.parser(smd.default_renderer(root));
    return { write: (text) => smd.parser_write(parser, text), end: () => smd.parser_end(parser) };
  },
  async "marked + DOMPurify"(root) {
    const { marked } = await import("/packages/marked.js");
    const { default: purify } = await import("/packages/dompurify.js");
    let text = "";
    const draw = () => (root.innerHTML = purify.sanitize(marked.parse(text)));
    return { write: (more) => ((text += more), draw()), skip: (more) => (text += more), end: draw };
  },
};

const filled = (size, make) => {
  const parts = [];
  let length = 0;
  for (let index = 0; length < size; index++) {
    parts.push(make(index));
    length += parts.at(-1).length;
  }
  return parts.join("").slice(0, size);
};

/**
 * Answers that all contenders read alike. streaming-markdown knows neither fences of tildes nor fences within fences, and would
 * show all that follows one as the text of a single code block; fences of four backticks it knows.
 */
const ANSWERS = Object.values(CORPUS).map((text) =>
  text.replace(/^~~~$/gm, "````").replace(/^```markdown\n([^]*?```\n)```$/m, "````markdown\n$1````"),
);

/** The texts, by name and size in characters. */
export const TEXTS = {
  answer: (size) => filled(size, (index) => `${ANSWERS[index % ANSWERS.length]}\n`),
  paragraph: (size) => filled(size, (index) => `Some *words* and \`code\` of one paragraph, number ${index}, with [a link](https://a.example). `),
  fence: (size) => `\`\`\`\n${filled(size, (index) => `const value${index} = call(${index}); // a line of code\n`)}`,
  table: (size) => `| one | two | three |\n|---|---|---|\n${filled(size, (index) => `| **row** ${index} | \`code\` | some words |\n`)}`,
  list: (size) => filled(size, (index) => `- item *${index}* with some words in it, and more\n`),
  labels: (size) => {
    const names = Array.from({ length: Math.floor(size / 20) }, (_, index) => `l${index}`);
    return `${names.map((name) => `[${name}]`).join(" ")}\n\n${names.map((name) => `[${name}]: /b\n`).join("")}`;
  },
};

function stage() {
  document.body.replaceChildren();
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(answerCss);
  document.adoptedStyleSheets = [sheet];
  const scroller = document.createElement("div");
  const root = document.createElement("div");
  scroller.className = "scroller";
  root.className = "flow";
  scroller.append(root);
  document.body.append(scroller);
  return { scroller, root };
}

/**
 * Play a text, and say how long the frames took together and how many elements show it. Of those that would take hours only each `every`th is
 * drawn, and counted for all. With `paints` the page is painted now and then, which is not counted: only then are the complete groups of a
 * long answer left out of its layout, as in a page.
 */
export async function play(name, kind, size, { every = 1, paints = false } = {}) {
  const { scroller, root } = stage();
  const text = TEXTS[kind](size);
  const view = await CONTENDERS[name](root, { paints });
  let total_ms = 0;
  const timed = (run, weight) => {
    const start = performance.now();
    run();
    scroller.scrollTop = scroller.scrollHeight;
    total_ms += (performance.now() - start) * weight;
  };
  for (let at = 0, frame = 0; at < text.length; at += FRAME_CHARS, frame++) {
    const piece = text.slice(at, at + FRAME_CHARS);
    if (frame % every === every - 1 || every === 1) timed(() => view.write(piece), every);
    else view.skip(piece);
    if (paints && frame % PAINT_EVERY === PAINT_EVERY - 1) await drawn(() => {});
  }
  timed(view.end, 1);
  return { total_ms, elements: root.querySelectorAll("*").length };
}

/**
 * Do at once what the page does in idle slices before its first answer.
 * @param {HTMLElement} root
 */
function warmUp(root) {
  const step = createWarmUp(stream, root);
  while (step());
}

/** Do something in a task that also draws, as a page does, and say how long the task took. */
function drawn(run) {
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    requestAnimationFrame(() => {
      const start = performance.now();
      port1.onmessage = () => resolve(performance.now() - start);
      run();
      port2.postMessage(null); // comes when the frame is painted
    });
  });
}

/** Play a text as a page does, a frame to a picture, and say how long each took with its layout and paint. */
export async function frames(size) {
  const { scroller, root } = stage();
  const text = TEXTS.answer(size);
  await drawn(() => {}); // the page is on the screen before it asks
  const view = await CONTENDERS.freshet(root, { paints: true });
  const follow = (run) => () => (run(), (scroller.scrollTop = scroller.scrollHeight));
  const took = [];
  for (let at = 0; at < text.length; at += FRAME_CHARS) {
    took.push(await drawn(follow(() => view.write(text.slice(at, at + FRAME_CHARS)))));
  }
  took.push(await drawn(follow(view.end)));
  return took;
}

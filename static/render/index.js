/**
 * An answer as elements while it comes. What stands above the end that still changes is never touched again, so that a
 * selection in it survives.
 */
import { clock } from "../dom/clock.js";
import { h } from "../dom/elements.js";
import { Stream } from "../markdown/stream.js";
import { listen } from "./clicks.js";
import { PART_CHARS } from "./paragraph.js";
import { freeKept } from "./inline-view.js";
import { linkAttributes } from "./policy.js";
import { Rare } from "../markdown/character-names.js";
import { blocksIn, sceneOf } from "./context.js";
import { Settling } from "./settled.js";

/** @typedef {import("./context.js").Options} Options */

/** A line that is only a marker is shown after so long without anything that decides it. */
export const RELEASE_MS = 300;

/** Where the link of a source may lead: where those of an answer may. */
export const linkFor = linkAttributes;

/**
 * Show a text while it comes.
 * @param {HTMLElement} root empty
 * @param {Options} [options]
 * @returns {{write: (text: string) => void, end: () => void, close: () => void, isWaiting: boolean}} `close` when nobody
 *   will call `end`; `isWaiting` while the table of rare names is on its way, for which the rest of the text waits
 */
export function stream(root, options = {}) {
  const time = options.clock ?? clock;
  const source = new Stream();
  const settling = new Settling();
  const scene = sceneOf(options, { definition: (identifier) => source.definitions.get(identifier) }, source.footnotes, settling);
  const blocks = blocksIn(root, scene, settling);
  const held = h("p", { class: "held", dir: "auto" });
  let timer = 0;
  const release = () => {
    held.textContent = source.held;
    if (source.held !== "") root.append(held);
  };
  const show = () => {
    scene.open = source.open;
    scene.added = source.added;
    for (const node of source.again) scene.views.get(node)?.show(node);
    source.again.clear();
    blocks.show(source.root.children);
    source.added.clear();
  };
  const hush = () => {
    time.cancel(timer);
    held.remove();
  };
  const rare = new Rare((text) => {
    hush();
    source.write(text);
    show();
    if (source.held !== "") timer = time.after(release, RELEASE_MS);
  });
  const finish = () => {
    hush();
    source.end(PART_CHARS);
    show();
    freeKept(root);
    settling.end();
  };
  listen(root);
  return {
    write: (text) => rare.write(text),
    end: () => rare.end(finish),
    close() {
      hush();
      rare.close();
    },
    get isWaiting() {
      return rare.isWaiting;
    },
  };
}

/** Something of each kind that most answers have. */
const REHEARSAL = "A *word* [1], `code`, [more](https://example.org) &amp;\n\n- one\n- two\n\n# Head\n\n```\nx\n```\n";

/** Draw an answer that nobody sees: a browser compiles code when it first runs, and the first answer shall not wait. */
export function rehearse() {
  const rehearsal = stream(h("div"), { isPlain: true });
  rehearsal.write(REHEARSAL);
  rehearsal.end();
}

/**
 * The streaming renderer of an answer. Elements above the end, which still changes, are never touched again, so that a
 * selection in them survives.
 */
import { clock } from "../dom/clock.js";
import { h } from "../dom/elements.js";
import { MarkdownStream } from "../markdown/stream.js";
import { addListeners } from "./listeners.js";
import { PART_CHARS } from "./paragraph-view.js";
import { unwrapPendingLinks } from "./inline-view.js";
import { sourceLink } from "./policy.js";
import { EntityBuffer } from "../markdown/entity-loading.js";
import { createBlocksView, createContext } from "./context.js";
import { SettledGroups } from "./settled-groups.js";

/** @typedef {import("./context.js").Options} Options */
/** @typedef {import("../stream/frames.js").Source} Source */

/** A line whose block type stays undecided for so long is shown as it is. */
export const SHOW_PENDING_MS = 300;

/** Return the attributes of a source's link, under the same policy as links in answers. */
export const linkFor = sourceLink;

/**
 * Create what is needed until a text ends: the parser, its tree, and the views of its nodes.
 * @param {HTMLElement} root
 * @param {Options} options
 */
function createRenderer(root, options) {
  const time = options.clock ?? clock;
  const source = new MarkdownStream({ isChat: true });
  const groups = new SettledGroups();
  const context = createContext(options, { definition: (identifier) => source.definitions.get(identifier) }, source.footnotes, groups);
  const blocks = createBlocksView(root, context, groups);
  const pendingLine = h("p", { class: "held", dir: "auto" });
  let timer = 0;
  const showPending = () => {
    pendingLine.textContent = source.pendingLine;
    if (source.pendingLine) root.append(pendingLine);
  };
  const show = () => {
    context.openLeaf = source.openLeaf;
    context.appended = source.appended;
    for (const node of source.reparsed) context.views.get(node)?.show(node);
    source.reparsed.clear();
    blocks.show(source.root.children);
    source.appended.clear();
  };
  const hidePending = () => {
    time.cancel(timer);
    pendingLine.remove();
  };
  return {
    hidePending,
    /** @param {readonly Source[]} sources */
    cite(sources) {
      context.sources.clear();
      for (const each of sources) context.sources.set(each.n, each);
    },
    /** @param {string} text */
    write(text) {
      hidePending();
      source.write(text);
      show();
      if (source.pendingLine) timer = time.after(showPending, SHOW_PENDING_MS);
    },
    finish() {
      hidePending();
      source.end(PART_CHARS);
      show();
      unwrapPendingLinks(root);
      groups.end();
    },
  };
}

/**
 * Render a text while it arrives.
 * @param {HTMLElement} root empty
 * @param {Options} [options]
 * @returns {{write: (text: string) => void, cite: (sources: readonly Source[]) => void, end: () => void, close: () => void, isWaiting: boolean}}
 *   `cite` sets the sources of what is written from then on; call `close` instead of `end` to abandon the text; `isWaiting`
 *   while text is held back until the entity table is loaded
 */
export function stream(root, options = {}) {
  /** @type {ReturnType<typeof createRenderer> | null} null when the text has ended: the tree of a long one takes megabytes */
  let renderer = createRenderer(root, options);
  const buffer = new EntityBuffer((text) => renderer?.write(text));
  addListeners(root);
  return {
    write: (text) => buffer.write(text),
    cite: (sources) => renderer?.cite(sources),
    end: () =>
      buffer.end(() => {
        renderer?.finish();
        renderer = null;
      }),
    close() {
      renderer?.hidePending();
      buffer.close();
    },
    get isWaiting() {
      return buffer.isWaiting;
    },
  };
}

/**
 * The page that a shared link shows: one branch as the server wrote it into the page, to be read and nothing else. It
 * asks for nothing but its images.
 */
import { h } from "./dom/elements.js";
import { formatCount, formatDate } from "./strings/format.js";
import { parseObject } from "./stream/frames.js";
import { stream } from "./render/index.js";
import { language, speak, words } from "./strings/words.js";
import { exhibitCss } from "./styles/exhibit.js";
import { sheetOf, sheets } from "./styles/sheets.js";

/** @typedef {{type: string, text?: string, url?: string}} Piece */

/**
 * @typedef {object} Message
 * @property {"user" | "assistant"} role
 * @property {Piece[]} content
 * @property {number} created_at milliseconds since 1970
 * @property {string} [model]
 * @property {"streaming" | "done" | "failed" | "cancelled" | "interrupted"} [state]
 */

/** Drawing pauses after so long, so that a long conversation can be read and scrolled while it is drawn. */
const SLICE_MS = 12;

/** @returns {Message[]} */
function readMessages() {
  const shared = parseObject(document.getElementById("shared")?.textContent ?? "");
  return Array.isArray(shared?.messages) ? shared.messages : [];
}

/** @param {Message} message */
function textOf({ content }) {
  return content.map(({ text }) => text ?? "").filter(Boolean).join("\n");
}

/** @param {Message} question */
function questionOf(question) {
  const text = textOf(question);
  const images = question.content.flatMap(({ url }) => (url ? [url] : []));
  const links = images.map((url, at) => h("a", { href: url, target: "_blank", rel: "noopener" }, h("img", { src: url, alt: words.picture(formatCount(at + 1)) })));
  return [
    h("h2", { class: "unseen" }, words.question),
    h(
      "div",
      { class: "questioning" },
      ...(links.length > 0 ? [h("div", { class: "pictures" }, ...links)] : []),
      ...(text === "" ? [] : [h("p", { class: "question", dir: "auto" }, text)]),
    ),
  ];
}

/**
 * Tell how an answer ended, where it is worth a word.
 * @param {Message["state"]} state
 */
function endingOf(state) {
  if (state === "done") return "";
  if (state === "streaming") return words.running;
  return (state === "cancelled" ? words.endings.stopped : words.troubles.interrupted?.title) ?? "";
}

/** @param {Message} answer */
function answerOf(answer) {
  const flow = h("div", { class: "flow" });
  const view = stream(flow, { base: new URL("../", document.baseURI).href });
  view.write(textOf(answer));
  view.end();
  const said = endingOf(answer.state);
  return [
    h("h2", { class: "unseen" }, words.answer),
    h("div", { class: "answer" }, flow),
    ...(said === "" ? [] : [h("p", { class: "ending" }, said)]),
    h("p", { class: "meta" }, h("span", { dir: "auto" }, answer.model ?? "")),
  ];
}

/**
 * Draw the messages from the first on: what is there does not move when more comes.
 * @param {Node} place
 * @param {Message[]} messages
 */
async function draw(place, messages) {
  let turn = null;
  let began_ms = performance.now();
  for (const message of messages) {
    const isQuestion = message.role === "user";
    if (isQuestion || !turn) place.appendChild((turn = h("article", { class: "turn" })));
    turn.append(...(isQuestion ? questionOf(message) : answerOf(message)));
    if (performance.now() - began_ms < SLICE_MS) continue;
    await new Promise((resolve) => setTimeout(resolve));
    began_ms = performance.now();
  }
}

async function main() {
  await speak(document.documentElement.lang);
  const messages = readMessages();
  const last = messages.at(-1);
  if (last) document.querySelector(".about")?.append(h("time", { datetime: new Date(last.created_at).toISOString(), lang: language }, formatDate(last.created_at)));
  const host = /** @type {HTMLElement} */ (document.getElementById("turns"));
  const root = host.attachShadow({ mode: "open" });
  root.adoptedStyleSheets = [...sheets(), sheetOf(exhibitCss)];
  await draw(root, messages);
}

await main();

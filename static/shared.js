/** The page of a share link: it draws, read-only, the branch that the server put into it. It only requests images. */
import { h } from "./dom/elements.js";
import { formatCount, formatDate } from "./strings/format.js";
import { parseObject } from "./stream/frames.js";
import { stream } from "./render/index.js";
import { sourceNotes } from "./turn/sources.js";
import { language, setLanguage, words } from "./strings/words.js";
import { sharedTurnsCss } from "./styles/shared-turns.js";
import { sheetOf, sheets } from "./styles/sheets.js";

/** @typedef {{type: string, text?: string, url?: string}} SharedPart */

/**
 * @typedef {object} SharedMessage
 * @property {"user" | "assistant"} role
 * @property {SharedPart[]} content
 * @property {number} created_at milliseconds since 1970
 * @property {string} [model]
 * @property {"streaming" | "done" | "failed" | "cancelled" | "interrupted"} [state]
 * @property {import("./stream/frames.js").Source[]} [sources]
 */

/** Drawing yields to the browser after this long, so that a long conversation can be scrolled while it is drawn. */
const SLICE_MS = 12;

/** @returns {SharedMessage[]} */
function readMessages() {
  const shared = parseObject(document.getElementById("shared")?.textContent ?? "");
  return Array.isArray(shared?.messages) ? shared.messages : [];
}

/** @param {SharedMessage} message */
function textOf({ content }) {
  return content.map(({ text }) => text ?? "").filter(Boolean).join("\n");
}

/** @param {SharedMessage} question */
function drawQuestion(question) {
  const text = textOf(question);
  const images = question.content.flatMap(({ url }) => (url ? [url] : []));
  const links = images.map((url, at) => h("a", { href: url, target: "_blank", rel: "noopener" }, h("img", { src: url, alt: words.picture(formatCount(at + 1)) })));
  return [
    h("h2", { class: "visually-hidden" }, words.question),
    h(
      "div",
      { class: "question-box" },
      ...(links.length > 0 ? [h("div", { class: "pictures" }, ...links)] : []),
      ...(text === "" ? [] : [h("p", { class: "question", dir: "auto" }, text)]),
    ),
  ];
}

/**
 * Return the note on how an answer ended; empty when it is complete.
 * @param {SharedMessage["state"]} state
 */
function describeEnd(state) {
  if (state === "done") return "";
  if (state === "streaming") return words.generating;
  return (state === "cancelled" ? words.endings.stopped : words.failures.interrupted?.title) ?? "";
}

/** @param {SharedMessage} answer */
function drawAnswer(answer) {
  const flow = h("div", { class: "flow" });
  const { sources = [] } = answer;
  const view = stream(flow, { base: new URL("../", document.baseURI).href, sources });
  view.write(textOf(answer));
  view.end();
  const note = describeEnd(answer.state);
  return [
    h("h2", { class: "visually-hidden" }, words.answer),
    h("div", { class: "answer" }, flow),
    ...(sources.length > 0 ? [h("div", { class: "sources" }, ...sourceNotes(sources))] : []),
    ...(note === "" ? [] : [h("p", { class: "ending" }, note)]),
    h("p", { class: "meta" }, h("span", { dir: "auto" }, answer.model ?? "")),
  ];
}

/**
 * Draw the messages from the first to the last, so that what is drawn does not move.
 * @param {Node} place
 * @param {SharedMessage[]} messages
 */
async function draw(place, messages) {
  let turn = null;
  let began_ms = performance.now();
  for (const message of messages) {
    const isQuestion = message.role === "user";
    if (isQuestion || !turn) place.appendChild((turn = h("article", { class: "turn" })));
    turn.append(...(isQuestion ? drawQuestion(message) : drawAnswer(message)));
    if (performance.now() - began_ms < SLICE_MS) continue;
    await new Promise((resolve) => setTimeout(resolve));
    began_ms = performance.now();
  }
}

async function main() {
  await setLanguage(document.documentElement.lang);
  const messages = readMessages();
  const last = messages.at(-1);
  if (last) document.querySelector(".about")?.append(h("time", { datetime: new Date(last.created_at).toISOString(), lang: language }, formatDate(last.created_at)));
  const host = /** @type {HTMLElement} */ (document.getElementById("turns"));
  const root = host.attachShadow({ mode: "open" });
  root.adoptedStyleSheets = [...sheets(), sheetOf(sharedTurnsCss)];
  await draw(root, messages);
}

await main();

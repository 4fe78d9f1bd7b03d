/** The page of a share link: it draws, read-only, the branch that the server put into it. It requests images, and texts of documents. */
import { ICONS, h, icon } from "./dom/elements.js";
import { formatCount, formatDate } from "./strings/format.js";
import { parseObject } from "./stream/frames.js";
import { stream } from "./render/index.js";
import { findCited } from "./turn/citation.js";
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

/** @typedef {{id: string, source: string, file_bytes: number, pages: number}} SharedDocument */

/** @returns {{messages: SharedMessage[], documents: SharedDocument[]}} */
function readShared() {
  const { messages, documents } = parseObject(document.getElementById("shared")?.textContent ?? "") ?? {};
  return { messages: Array.isArray(messages) ? messages : [], documents: Array.isArray(documents) ? documents : [] };
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

/**
 * Show a passage of a shared document in the panel, which is loaded then.
 * @param {ShadowRoot} root
 * @param {import("./stream/frames.js").Source} source
 */
function openSource(root, source) {
  const base = new URL(`${location.pathname.split("/").pop()}/documents/`, location.href).href;
  void import("./turn/passage-panel.js").then(({ showPassage }) => showPassage(root, base, source), () => {});
}

/**
 * Return the names of the conversation's documents; each opens its text.
 * @param {ShadowRoot} root
 * @param {SharedDocument[]} documents
 */
async function drawDocuments(root, documents) {
  const [{ describeDocument, getDocumentWords }, { documentsCss }] = await Promise.all([import("./strings/documents.js"), import("./styles/documents.js")]);
  root.adoptedStyleSheets.push(sheetOf(documentsCss));
  const chips = documents.map((found) => {
    const parts = [icon(ICONS.document), h("span", { class: "name", dir: "auto" }, found.source), h("span", { class: "meta" }, describeDocument(found))];
    const open = h("button", { type: "button", class: "open", title: found.source }, ...parts);
    open.addEventListener("click", () => openSource(root, { n: 1, source: found.source, document: found.id, start: 0 }));
    return h("li", {}, open);
  });
  return h("ul", { class: "documents", "aria-label": getDocumentWords().list }, ...chips);
}

/**
 * @param {ShadowRoot} root
 * @param {SharedMessage} answer
 * @param {SharedDocument[]} documents
 */
function drawAnswer(root, answer, documents) {
  const flow = h("div", { class: "flow" });
  const shared = new Set(documents.map(({ id }) => id));
  // A collection's documents are not shared: of these there is the passage alone.
  const sources = (answer.sources ?? []).map((source) => (shared.has(source.document ?? "") ? source : { ...source, document: undefined }));
  const open = (/** @type {import("./stream/frames.js").Source} */ source) => openSource(root, source);
  const view = stream(flow, { base: new URL("../", document.baseURI).href, sources });
  view.write(textOf(answer));
  view.end();
  flow.addEventListener("click", (event) => {
    const cited = findCited(event, sources);
    if (cited) open(cited);
  });
  const note = describeEnd(answer.state);
  return [
    h("h2", { class: "visually-hidden" }, words.answer),
    h("div", { class: "answer" }, flow),
    ...(sources.length > 0 ? [h("div", { class: "sources" }, ...sourceNotes(sources, open))] : []),
    ...(note === "" ? [] : [h("p", { class: "ending" }, note)]),
    h("p", { class: "meta" }, h("span", { dir: "auto" }, answer.model ?? "")),
  ];
}

/**
 * Draw the messages from the first to the last, so that what is drawn does not move.
 * @param {ShadowRoot} place
 * @param {SharedMessage[]} messages
 * @param {SharedDocument[]} documents
 */
async function draw(place, messages, documents) {
  let turn = null;
  let began_ms = performance.now();
  for (const message of messages) {
    const isQuestion = message.role === "user";
    if (isQuestion || !turn) place.appendChild((turn = h("article", { class: "turn" })));
    turn.append(...(isQuestion ? drawQuestion(message) : drawAnswer(place, message, documents)));
    if (performance.now() - began_ms < SLICE_MS) continue;
    await new Promise((resolve) => setTimeout(resolve));
    began_ms = performance.now();
  }
}

async function main() {
  await setLanguage(document.documentElement.lang);
  const { messages, documents } = readShared();
  const last = messages.at(-1);
  if (last) document.querySelector(".about")?.append(h("time", { datetime: new Date(last.created_at).toISOString(), lang: language }, formatDate(last.created_at)));
  const host = /** @type {HTMLElement} */ (document.getElementById("turns"));
  const root = host.attachShadow({ mode: "open" });
  root.adoptedStyleSheets = [...sheets(), sheetOf(sharedTurnsCss)];
  if (documents.length > 0) root.append(await drawDocuments(root, documents));
  await draw(root, messages, documents);
}

await main();

/** The page: reads what the server wrote into it, puts the chat, its header and the list of conversations together. */
import { addressOf, nameShown, named } from "./page/address.js";
import { ICONS, h, icon, setText } from "./dom/elements.js";
import { early } from "./prefetch.js";
import { FreshetChat } from "./chat/chat.js";
import { defineElements } from "./chat/define.js";
import { watchDrops } from "./sidebar/file-drop.js";
import { Side } from "./sidebar/sidebar.js";
import { keepTitle } from "./page/tab-title.js";
import { WishesControl } from "./settings/settings-panel.js";
import { parseObject } from "./stream/frames.js";
import { keepFiles } from "./page/install.js";
import { Library } from "./conversation/api.js";
import { deedOf } from "./settings/keys.js";
import {
  recallFolded,
  recallSingleKeys,
  recallSpeech,
  recallWishes,
  rememberFolded,
  rememberSingleKeys,
  rememberSpeech,
  rememberWishes,
} from "./conversation/storage.js";
import { warm, whenMissed } from "./turn/answer.js";
import { wear, worn } from "./settings/color-scheme.js";
import { speak, words } from "./strings/words.js";

/** @typedef {{page: string, model: string, models: string[], blind: string[], import_max_bytes: number, demo: {settings: string[]} | null, signed_in: boolean, movable: boolean, starters: string[]}} Boot */

/** @returns {Boot} */
function readBoot() {
  const boot = parseObject(document.getElementById("boot")?.textContent ?? "") ?? {};
  return { page: "", model: "", models: [], blind: [], import_max_bytes: Infinity, demo: null, signed_in: false, movable: false, starters: [], ...boot };
}

/** @param {FreshetChat} chat */
function newChatButton(chat) {
  const button = h("button", { type: "button", class: "tool", title: words.newChat }, icon(ICONS.newChat), h("span", {}, words.newChat));
  button.addEventListener("click", () => chat.show(""));
  const update = () => (button.hidden = chat.conversation === "");
  chat.addEventListener("freshet-change", update);
  update();
  return button;
}

/**
 * @param {FreshetChat} chat
 * @param {ReturnType<typeof listBeside>} coming
 */
function shareButton(chat, coming) {
  const button = h("button", { type: "button", class: "tool share", title: words.share, "aria-haspopup": "dialog" }, icon(ICONS.share), h("span", {}, words.share));
  button.addEventListener("click", async () => (await coming.catch(() => null))?.share(chat.conversation));
  const update = () => (button.hidden = chat.turns.length === 0);
  chat.addEventListener("freshet-change", update);
  update();
  return button;
}

function signOutForm() {
  const button = h("button", { class: "tool", title: words.signOut }, icon(ICONS.leave), h("span", {}, words.signOut));
  return h("form", { method: "post", action: new URL("signout", document.baseURI).href }, button);
}

function sideBeside() {
  const place = /** @type {HTMLElement} */ (document.getElementById("side"));
  const side = new Side(place, recallFolded(), rememberFolded);
  document.querySelector(".bar")?.prepend(side.button);
  document.body.append(side.drawer);
  return side;
}

/**
 * Put the list of conversations into its place. The first picture does not wait for it.
 * @param {FreshetChat} chat
 * @param {Library} library
 * @param {Side} side
 * @param {number} mostBytes of a file that can be imported
 */
async function listBeside(chat, library, side, mostBytes) {
  const { List } = await import("./sidebar/list.js");
  const open = (/** @type {string} */ id) => {
    side.close();
    if (id !== chat.conversation) chat.show(id);
  };
  const title = h("h1", { class: "printed", dir: "auto" });
  document.getElementById("chat")?.prepend(title);
  const titled = (/** @type {string} */ text) => setText(title, text);
  const list = new List(library, { address: addressOf, open, removed: () => chat.show(""), titled, mostBytes });
  side.hold(list.element);
  return list;
}

/**
 * Keep address and list in step with what the chat shows.
 * @param {FreshetChat} chat
 * @param {ReturnType<typeof listBeside>} coming
 * @param {() => void} missed it could not be loaded: asked instead of it
 */
function keepStep(chat, coming, missed) {
  /** @type {Awaited<typeof coming> | null} */
  let list = null;
  /** @type {(() => void) | null} what is done whenever the list may have changed, once it is known whether it is there */
  let refresh = null;
  let listed = "";
  let isFirst = true;
  chat.addEventListener("freshet-change", () => {
    nameShown(chat.conversation, !isFirst);
    isFirst = false;
    look();
  });
  addEventListener("popstate", () => named() !== chat.conversation && chat.show(named()));
  const look = () => {
    if (!refresh) return;
    const { conversation, isAnswering } = chat;
    const answer = chat.turns.at(-1)?.answer;
    if (list) list.current = conversation;
    // A conversation is there, and the answer that is made in it, once the first frame has come.
    const now = `${conversation} ${answer?.run} ${answer?.cursor === null} ${isAnswering}`;
    if (now !== listed) refresh();
    listed = now;
  };
  const there = (/** @type {Awaited<typeof coming>} */ arrived) => {
    list = arrived;
    refresh = () => void arrived.refresh();
    look();
  };
  const lacking = () => {
    refresh = missed;
    look();
  };
  void coming.then(there, lacking); // the chat goes on without
}

/**
 * Show which keys do something; the list is loaded when it is first asked for.
 * @type {import("./settings/shortcuts.js").Shortcuts | null}
 */
let shortcuts = null;
let isSingle = recallSingleKeys();

async function listKeys() {
  if (shortcuts === null) {
    const { Shortcuts } = await import("./settings/shortcuts.js");
    shortcuts ??= new Shortcuts(isSingle, (chosen) => {
      isSingle = chosen;
      rememberSingleKeys(chosen);
    });
    document.body.append(shortcuts.dialog);
  }
  shortcuts.toggle();
}

/**
 * Do what keys are for.
 * @param {FreshetChat} chat
 * @param {Side} side
 * @param {ReturnType<typeof listBeside>} coming
 */
function listenToKeys(chat, side, coming) {
  /** @type {Record<import("./settings/keys.js").Deed, () => void>} */
  const deeds = {
    list: () => void listKeys().catch(() => {}), // it could not be loaded: the keys work without it
    fresh: () => chat.show(""),
    write: () => chat.write(),
    search: () => {
      side.open();
      void coming.then((list) => list.search()).catch(() => {});
    },
    fold: () => side.toggle(),
    copy: () => void chat.copyLast(),
    before: () => chat.step(-1),
    after: () => chat.step(1),
  };
  document.addEventListener("keydown", (event) => {
    const { key, code, ctrlKey, metaKey, altKey, isComposing } = event;
    if (isComposing || event.defaultPrevented) return;
    const ctrl = ctrlKey || metaKey;
    const deed = deedOf({ key, code, ctrl, alt: altKey, isWriting: isWriting(event) });
    if (deed === null || (!ctrl && !isSingle) || (shortcuts?.dialog.open && deed !== "list")) return;
    event.preventDefault();
    deeds[deed]();
  });
}

/**
 * Tell whether a key belongs to what it is pressed in.
 * @param {Event} event
 */
function isWriting(event) {
  const path = event.composedPath();
  const [target] = path;
  if (target instanceof Element && target.matches("input:not([type='checkbox']), textarea, select")) return true;
  return path.some((element) => element instanceof HTMLDialogElement && element.open && element !== shortcuts?.dialog);
}

/**
 * Load the sign-in page in the place of this one. Where the server still has this page for whoever is signed out,
 * loading it would not help, and never end.
 * @param {() => void} [stay] called then
 */
async function leave(stay = () => {}) {
  const has = (/** @type {Response} */ { ok }) => ok;
  const isHere = await fetch(document.baseURI, { cache: "no-store", redirect: "manual" }).then(has, () => true);
  if (isHere) stay();
  else location.reload();
}

function main() {
  const boot = readBoot();
  defineElements();
  const chat = new FreshetChat();
  const library = new Library(document.baseURI, (page) => (chat.isOutdated = page !== boot.page), () => void leave());
  const missed = () => void library.look();
  whenMissed(missed);
  const tools = document.getElementById("tools");
  let system = recallWishes().system;
  const changed = (/** @type {import("./stream/types.js").Wishes} */ wished) => {
    chat.wishes = wished;
    rememberWishes(wished);
    // What is not said with a question stays as the conversation has it: that must be taken back there.
    if (system && !wished.system && chat.conversation !== "") void library.change(chat.conversation, { system: null });
    system = wished.system;
  };
  const speak = (/** @type {import("./speech/speech.js").Mode} */ mode) => {
    chat.speech = mode;
    rememberSpeech(mode);
  };
  const wishes = new WishesControl(
    boot.models,
    { mode: recallSpeech(), scheme: worn() },
    {
      changed,
      speak,
      wear,
      listKeys: () => void listKeys().catch(() => {}),
      listDevices: boot.signed_in ? () => void import("./account/devices.js").then(({ listDevices }) => listDevices(library), missed) : null,
    },
  );
  chat.speech = recallSpeech();
  const side = sideBeside();
  const list = listBeside(chat, library, side, boot.import_max_bytes);
  tools?.append(wishes.picker, newChatButton(chat), shareButton(chat, list), wishes.button);
  document.body.append(wishes.dialog);
  if (boot.signed_in) tools?.append(signOutForm());
  if (boot.movable) void import("./account/move-offer.js").then(({ offerMove }) => offerMove(library, list), missed);
  chat.addEventListener("freshet-signed-out", () => void leave(() => chat.giveUp()));
  keepTitle(chat);
  keepStep(chat, list, missed);
  listenToKeys(chat, side, list);
  document.getElementById("chat")?.append(chat);
  library.early = early;
  chat.start({
    base: document.baseURI,
    model: boot.model,
    byDefault: boot.models[0] ?? "",
    blind: boot.blind,
    demo: boot.demo?.settings ?? null,
    starters: boot.starters,
    wanted: named() || null,
    shelf: library,
  });
  library.early = null; // what is asked for from now on may have changed since
  watchDrops(document, { over: (isOver) => chat.invite(isOver), dropped: (files) => chat.take(files) });
  wishes.show(recallWishes());
}

void warm();
await speak(document.documentElement.lang);
main();
if (document.readyState === "complete") keepFiles(document.baseURI);
else addEventListener("load", () => keepFiles(document.baseURI), { once: true });

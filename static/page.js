/** The entry module of the page: reads the data in the page, and connects the chat, its header and the sidebar. */
import { conversationInUrl, setUrl, urlOf } from "./page/address.js";
import { ICONS, h, icon, setText } from "./dom/elements.js";
import { prefetched } from "./prefetch.js";
import { FreshetChat } from "./chat/chat.js";
import { defineElements } from "./chat/define.js";
import { isImportFile, watchDrops } from "./sidebar/file-drop.js";
import { Sidebar } from "./sidebar/sidebar.js";
import { TabTitle } from "./page/tab-title.js";
import { SettingsPanel } from "./settings/settings-panel.js";
import { parseObject } from "./stream/frames.js";
import { registerWorker } from "./page/install.js";
import { ConversationApi } from "./conversation/api.js";
import { actionForKey } from "./settings/keys.js";
import {
  loadFolded,
  loadRunOptions,
  loadSingleKeys,
  loadSpeechMode,
  saveFolded,
  saveRunOptions,
  saveSingleKeys,
  saveSpeechMode,
} from "./conversation/storage.js";
import { loadRenderer, onRendererMissing } from "./turn/answer.js";
import { currentScheme, setScheme } from "./settings/color-scheme.js";
import { setLanguage, words } from "./strings/words.js";

/** @typedef {{page: string, model: string, models: string[], blind: string[], import_max_bytes: number, heartbeat_ms: number, demo: {settings: string[]} | null, signed_in: boolean, movable: boolean, starters: string[], addresses: Record<string, string>}} PageData */
/** @typedef {import("./sidebar/list.js").ConversationList} ConversationList */

/**
 * Read the data that the server put into the page.
 * @returns {PageData}
 */
function readPageData() {
  const data = parseObject(document.getElementById("boot")?.textContent ?? "") ?? {};
  return { page: "", model: "", models: [], blind: [], import_max_bytes: Infinity, heartbeat_ms: 10_000, demo: null, signed_in: false, movable: false, starters: [], addresses: {}, ...data };
}

/** @param {FreshetChat} chat */
function createNewChatButton(chat) {
  const button = h("button", { type: "button", class: "tool", title: words.newChat }, icon(ICONS.newChat), h("span", {}, words.newChat));
  button.addEventListener("click", () => chat.show(""));
  const update = () => (button.hidden = chat.conversation === "");
  chat.addEventListener("freshet-change", update);
  update();
  return button;
}

/**
 * @param {FreshetChat} chat
 * @param {Promise<ConversationList>} listLoaded
 */
function createShareButton(chat, listLoaded) {
  const button = h("button", { type: "button", class: "tool share", title: words.share, "aria-haspopup": "dialog" }, icon(ICONS.share), h("span", {}, words.share));
  button.addEventListener("click", async () => (await listLoaded.catch(() => null))?.share(chat.conversation));
  const update = () => (button.hidden = chat.turns.length === 0);
  chat.addEventListener("freshet-change", update);
  update();
  return button;
}

/**
 * Return the button that opens the view of collections, which is loaded then.
 * @param {FreshetChat} chat
 * @param {ConversationApi} api
 * @param {SettingsPanel} settings
 */
function createDocumentsButton(chat, api, settings) {
  /** @type {import("./documents/documents-dialog.js").DocumentsDialog | null} */
  let view = null;
  const button = h("button", { type: "button", class: "tool", title: words.documents, "aria-haspopup": "dialog" }, icon(ICONS.collection), h("span", {}, words.documents));
  const open = async () => {
    const { DocumentsDialog } = await import("./documents/documents-dialog.js");
    if (view === null) {
      const search = (/** @type {readonly string[]} */ names) => (settings.collections = names);
      view = new DocumentsDialog(api, document.baseURI, { searched: () => settings.collections, search, open: (found) => chat.openDocument(found) });
      document.body.append(view.dialog);
    }
    view.open();
  };
  button.addEventListener("click", () => void open().catch(() => void api.checkVersion()));
  chat.addEventListener("freshet-unsearch", (event) => {
    const { detail } = /** @type {CustomEvent<string>} */ (event);
    settings.collections = settings.collections.filter((name) => name !== detail);
  });
  return button;
}

function createSignOutForm() {
  const button = h("button", { class: "tool", title: words.signOut }, icon(ICONS.leave), h("span", {}, words.signOut));
  return h("form", { method: "post", action: new URL("signout", document.baseURI).href }, button);
}

function createSidebar() {
  const place = /** @type {HTMLElement} */ (document.getElementById("side"));
  const sidebar = new Sidebar(place, loadFolded(), saveFolded);
  document.querySelector(".bar .skip")?.after(sidebar.button); // the skip link stays the first stop
  document.body.append(sidebar.drawer);
  return sidebar;
}

/**
 * Load the list of conversations into the sidebar, after the first paint.
 * @param {FreshetChat} chat
 * @param {ConversationApi} api
 * @param {Sidebar} sidebar
 * @param {number} maxBytes the size limit of an imported file
 * @returns {Promise<ConversationList>}
 */
async function loadList(chat, api, sidebar, maxBytes) {
  const tab = new TabTitle(chat);
  let listed = "";
  const update = () => tab.show(listed || chat.conversationTitle);
  chat.addEventListener("freshet-change", update);
  const { ConversationList } = await import("./sidebar/list.js");
  const open = (/** @type {string} */ id, /** @type {string | undefined} */ message) => {
    sidebar.close();
    if (id !== chat.conversation || message) chat.show(id, message);
  };
  const title = h("h1", { class: "print-title", dir: "auto" });
  document.getElementById("chat")?.prepend(title);
  const titled = (/** @type {string} */ text) => {
    listed = text;
    setText(title, text || chat.conversationTitle);
    update();
  };
  const list = new ConversationList(api, { address: urlOf, open, removed: () => chat.show(""), titled, maxBytes });
  sidebar.setList(list.element);
  return list;
}

/**
 * Update the address and the list when the chat's conversation changes.
 * @param {FreshetChat} chat
 * @param {Promise<ConversationList>} listLoaded
 * @param {() => void} checkVersion called instead of refreshing the list if the list could not be loaded
 */
function followChat(chat, listLoaded, checkVersion) {
  /** @type {ConversationList | null} */
  let list = null;
  /** @type {(() => void) | null} refreshes the list; null while it is loading */
  let refresh = null;
  let lastState = "";
  let isFirst = true;
  chat.addEventListener("freshet-change", () => {
    setUrl(chat.conversation, !isFirst);
    isFirst = false;
    update();
  });
  addEventListener("popstate", () => conversationInUrl() !== chat.conversation && chat.show(conversationInUrl()));
  const update = () => {
    if (!refresh) return;
    const { conversation, isAnswering } = chat;
    const answer = chat.turns.at(-1)?.answer;
    if (list) list.current = conversation;
    // The server has a new conversation, and its run, once the first frame has come: then `cursor` is not null.
    const state = `${conversation} ${answer?.run} ${answer?.cursor === null} ${isAnswering}`;
    if (state !== lastState) refresh();
    lastState = state;
  };
  const loaded = (/** @type {ConversationList} */ found) => {
    list = found;
    refresh = () => void found.refresh();
    update();
  };
  const failed = () => {
    refresh = checkVersion;
    update();
  };
  void listLoaded.then(loaded, failed); // without the list the chat works all the same
}

/**
 * Follow what happens to the conversations elsewhere, once the list is there.
 * @param {FreshetChat} chat
 * @param {Promise<ConversationList>} listLoaded
 * @param {number} heartbeat_ms
 */
async function followServer(chat, listLoaded, heartbeat_ms) {
  const list = await listLoaded;
  const { followChanges } = await import("./page/follow-changes.js");
  followChanges({ base: document.baseURI, chat, list, heartbeat_ms });
}

/** @type {import("./settings/shortcuts.js").ShortcutsDialog | null} null until it is first opened */
let shortcuts = null;
let isSingle = loadSingleKeys();

/** Open or close the dialog of keyboard shortcuts. */
async function toggleShortcuts() {
  if (shortcuts === null) {
    const { ShortcutsDialog } = await import("./settings/shortcuts.js");
    shortcuts ??= new ShortcutsDialog(isSingle, (chosen) => {
      isSingle = chosen;
      saveSingleKeys(chosen);
    });
    document.body.append(shortcuts.dialog);
  }
  shortcuts.toggle();
}

/**
 * Handle the keyboard shortcuts.
 * @param {FreshetChat} chat
 * @param {Sidebar} sidebar
 * @param {Promise<ConversationList>} listLoaded
 */
function handleKeys(chat, sidebar, listLoaded) {
  /** @type {Record<import("./settings/keys.js").KeyAction, () => void>} */
  const actions = {
    list: () => void toggleShortcuts().catch(() => {}), // the module could not be loaded; the shortcuts work without it
    fresh: () => chat.show(""),
    write: () => chat.focusComposer(),
    search: () => {
      sidebar.open();
      void listLoaded.then((list) => list.focusSearch()).catch(() => {});
    },
    fold: () => sidebar.toggle(),
    copy: () => void chat.copyLast(),
    before: () => chat.focusMessage(-1),
    after: () => chat.focusMessage(1),
  };
  document.addEventListener("keydown", (event) => {
    const { key, code, ctrlKey, metaKey, altKey, isComposing } = event;
    if (isComposing || event.defaultPrevented) return;
    const ctrl = ctrlKey || metaKey;
    const action = actionForKey({ key, code, ctrl, alt: altKey, isWriting: isWriting(event) });
    if (action === null || (!ctrl && !isSingle) || (shortcuts?.dialog.open && action !== "list")) return;
    event.preventDefault();
    actions[action]();
  });
}

/**
 * Return whether a key was pressed in a text field or an open dialog.
 * @param {Event} event
 */
function isWriting(event) {
  const path = event.composedPath();
  const [target] = path;
  if (target instanceof Element && target.matches("input:not([type='checkbox']), textarea, select")) return true;
  return path.some((element) => element instanceof HTMLDialogElement && element.open && element !== shortcuts?.dialog);
}

let isReloading = false;

/**
 * Reload, which shows the sign-in page. If the server shows this page to signed-out users too, do not: the page would
 * reload forever.
 * @param {() => void} [stay] called instead of the reload
 */
async function reloadToSignIn(stay = () => {}) {
  const isOk = (/** @type {Response} */ { ok }) => ok;
  const isOpen = await fetch(document.baseURI, { cache: "no-store", redirect: "manual" }).then(isOk, () => true);
  if (isOpen) stay();
  else if (!isReloading) {
    isReloading = true; // the answer, the list and its updates each notice the end of a session
    location.reload();
  }
}

function main() {
  const data = readPageData();
  defineElements();
  const chat = new FreshetChat();
  const api = new ConversationApi(document.baseURI, (page) => (chat.isOutdated = page !== data.page), () => void reloadToSignIn());
  const checkVersion = () => void api.checkVersion();
  onRendererMissing(checkVersion);
  const tools = document.getElementById("tools");
  let system = loadRunOptions().system;
  const changed = (/** @type {import("./stream/types.js").RunOptions} */ options) => {
    chat.runOptions = options;
    saveRunOptions(options);
    // A question without a system prompt keeps that of the conversation, so removing it needs a request.
    if (system && !options.system && chat.conversation !== "") void api.change(chat.conversation, { system: null });
    system = options.system;
  };
  const setSpeechMode = (/** @type {import("./speech/speech.js").Mode} */ mode) => {
    chat.speech = mode;
    saveSpeechMode(mode);
  };
  const settings = new SettingsPanel(
    data.models,
    { mode: loadSpeechMode(), scheme: currentScheme() },
    {
      changed,
      loadModels: async () => (await api.request("GET", "models")).body,
      setSpeechMode,
      setScheme,
      showShortcuts: () => void toggleShortcuts().catch(() => {}),
      showDevices: data.signed_in ? () => void import("./account/devices.js").then(({ openDevices }) => openDevices(api), checkVersion) : null,
    },
  );
  chat.speech = loadSpeechMode();
  const sidebar = createSidebar();
  const list = loadList(chat, api, sidebar, data.import_max_bytes);
  tools?.append(settings.picker.element, createNewChatButton(chat), createShareButton(chat, list), createDocumentsButton(chat, api, settings), settings.button);
  document.body.append(settings.dialog);
  if (data.signed_in) tools?.append(createSignOutForm());
  if (data.movable) void import("./account/move-offer.js").then(({ offerMove }) => offerMove(api, list), checkVersion);
  chat.addEventListener("freshet-signed-out", () => void reloadToSignIn(() => chat.giveUp()));
  followChat(chat, list, checkVersion);
  void followServer(chat, list, data.heartbeat_ms).catch(checkVersion);
  handleKeys(chat, sidebar, list);
  document.getElementById("chat")?.append(chat);
  api.prefetched = prefetched;
  chat.start({
    base: document.baseURI,
    modelName: data.model,
    defaultModel: data.models[0] ?? "",
    textOnlyModels: data.blind,
    demo: data.demo?.settings ?? null,
    starters: data.starters,
    conversation: conversationInUrl() || null,
    store: api,
    chooseModel: () => void settings.picker.open().catch(checkVersion),
    addresses: data.addresses,
    heartbeat_ms: data.heartbeat_ms,
  });
  api.prefetched = null; // a later `load` must not get this response, which may be outdated by then
  const dropped = (/** @type {File[]} */ files) => {
    const exports = files.filter(isImportFile);
    if (exports.length > 0) void list.then((loaded) => loaded.importFiles(exports), checkVersion);
    chat.addFiles(files.filter((file) => !exports.includes(file)));
  };
  document.querySelector(".skip")?.addEventListener("click", (event) => {
    event.preventDefault(); // the address names the conversation alone
    chat.focusComposer();
  });
  watchDrops(document, { over: (isOver) => chat.showDropTarget(isOver), dropped });
  settings.show(loadRunOptions());
}

void loadRenderer();
await setLanguage(document.documentElement.lang);
main();
if (document.readyState === "complete") registerWorker(document.baseURI);
else addEventListener("load", () => registerWorker(document.baseURI), { once: true });

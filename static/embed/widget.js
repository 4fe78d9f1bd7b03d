/**
 * `embed/`: The chat on other sites: its frame, its visitor, and what of it outlasts the host's next page. The page itself loads
 * nothing of this.
 */
/** The chat inside the element that `embed.js` defines. */
import { FreshetChat } from "../chat/chat.js";
import { EMPTY, deserialize, serialize } from "../conversation/conversation.js";
import { ConversationApi } from "../conversation/api.js";
import { ICONS, h, icon } from "../dom/elements.js";
import { AccessRefused, VisitorAccess } from "../stream/visitor-access.js";
import { getEmbedWords } from "../strings/embed.js";
import { language, setLanguage, words } from "../strings/words.js";
import { embedCss } from "../styles/embed.js";
import { adaptSheets, sheetOf } from "../styles/sheets.js";
import { loadRenderer } from "../turn/answer.js";

/** @typedef {import("../stream/visitor-access.js").PublicProfile} PublicProfile */
/** @typedef {"none" | "session" | "site"} Persistence how long a conversation outlasts a page: not, in this tab, or on this site */

const KEPT_CHARS = 1_000_000;
/** What stops at the element, so that the host's shortcuts do not fire while somebody writes. */
const KEY_EVENTS = ["keydown", "keyup", "keypress"];

/**
 * Return the storage of the host; null where it is blocked, or nothing is to be kept.
 * @param {Persistence} persistence
 * @returns {Storage | null}
 */
function storageOf(persistence) {
  try {
    return persistence === "none" ? null : persistence === "site" ? localStorage : sessionStorage;
  } catch {
    return null;
  }
}

/** Keeps values of one key in the host's storage; what cannot be kept is not. */
class HostStorage {
  #storage;
  #key;

  /**
   * @param {Persistence} persistence
   * @param {string} key
   */
  constructor(persistence, key) {
    this.#storage = storageOf(persistence);
    this.#key = key;
  }

  /** @param {string} name */
  load(name) {
    try {
      return this.#storage?.getItem(`freshet.embed.${name} ${this.#key}`) ?? null;
    } catch {
      return null;
    }
  }

  /**
   * @param {string} name
   * @param {string | null} value null: remove it
   */
  save(name, value) {
    try {
      if (value === null) this.#storage?.removeItem(`freshet.embed.${name} ${this.#key}`);
      else this.#storage?.setItem(`freshet.embed.${name} ${this.#key}`, value);
    } catch {
      // full or blocked
    }
  }
}

/**
 * Return the design tokens for a shadow root: a host's own `html` must not change their sizes.
 * @param {string} css
 */
export function tokensForHost(css) {
  return css.replaceAll(/:root(\[[^\]]+\])/g, ":host($1)").replaceAll(":root", ":host");
}

/**
 * Return a sheet whose lengths do not depend on the size of the host's root element.
 * @param {string} css
 */
export function withOwnRem(css) {
  const lines = css.split("\n").map((line) => (line.trimStart().startsWith("@") ? line : line.replaceAll(/(?<![\w-])(\d*\.?\d+)rem\b/g, "calc($1 * 16px)")));
  return lines.join("\n");
}

/** One chat in one element. Call `destroy` when the element goes. */
export class Widget {
  #element;
  #base;
  #access;
  #kept;
  #frame = h("section", { class: "frame", part: "frame" });
  /** @type {FreshetChat | null} */
  #chat = null;
  #ending = new AbortController();
  #isLauncher;
  #words = getEmbedWords();

  /**
   * @param {HTMLElement} element
   * @param {ShadowRoot} root
   * @param {string} base
   */
  constructor(element, root, base) {
    this.#element = element;
    this.#base = base;
    const key = element.getAttribute("key") ?? "";
    const wanted = element.getAttribute("persist");
    this.#kept = new HostStorage(wanted === "none" || wanted === "site" ? wanted : "session", key);
    this.#access = new VisitorAccess(base, key, { load: () => this.#kept.load("token"), save: (token) => this.#kept.save("token", token) });
    this.#isLauncher = element.hasAttribute("launcher");
    this.#frame.classList.toggle("floats", this.#isLauncher);
    this.#frame.hidden = this.#isLauncher;
    const { signal } = this.#ending;
    for (const name of KEY_EVENTS) element.addEventListener(name, (event) => event.stopPropagation(), { signal });
    this.#frame.addEventListener("keydown", (event) => this.#keyPressed(event), { signal });
    root.append(this.#frame);
  }

  /** Load what the key says, and draw the chat, or why there is none. */
  async start() {
    try {
      const profile = await this.#access.profile();
      await setLanguage(this.#element.getAttribute("lang") ?? profile.language ?? document.documentElement.lang.slice(0, 2));
      this.#words = getEmbedWords();
      this.#draw(profile);
    } catch (error) {
      await setLanguage(this.#element.getAttribute("lang") ?? document.documentElement.lang.slice(0, 2));
      this.#words = getEmbedWords();
      this.#drawTrouble(error);
    }
    if (this.#kept.load("open") !== null) this.open();
  }

  /** Open the chat in the corner, and focus it. */
  open() {
    if (!this.#frame.hidden && this.#isLauncher) return this.#chat?.focusComposer();
    this.#frame.hidden = false;
    this.#setOpen(true);
    this.#chat?.shown();
    this.#chat?.focusComposer();
    this.#tell("open", {});
  }

  /** Close the chat in the corner; focus returns to its button. */
  close() {
    if (!this.#isLauncher || this.#frame.hidden) return;
    this.#frame.hidden = true;
    this.#setOpen(false);
    this.#launcher?.focus();
    this.#tell("close", {});
  }

  /** Open the chat, or close it. */
  toggle() {
    if (this.#frame.hidden) this.open();
    else this.close();
  }

  /**
   * Open the chat and ask, unless an answer is running.
   * @param {string} text
   */
  ask(text) {
    this.open();
    return this.#chat?.ask(text) ?? false;
  }

  /**
   * Change who is asking: another visitor begins with a new conversation, and nothing of the one before is moved.
   * @param {string | (() => Promise<string>) | null} token
   */
  identify(token) {
    this.#access.identify(token);
    this.#kept.save("conversation", null);
    this.#frame.replaceChildren();
    this.#chat = null;
    return this.start();
  }

  /** Remove the chat; its answer goes on at the server. */
  destroy() {
    this.#ending.abort();
    this.#chat?.leave();
    this.#frame.remove();
  }

  /** @returns {HTMLElement | null} */
  get #launcher() {
    return this.#element.shadowRoot?.querySelector(".launch") ?? null;
  }

  /** @param {PublicProfile} profile */
  #draw(profile) {
    if (!customElements.get("freshet-conversation")) customElements.define("freshet-conversation", FreshetChat);
    const chat = new FreshetChat();
    this.#chat = chat;
    this.#frame.lang = language;
    this.#frame.dir = language === "ar" ? "rtl" : "ltr";
    this.#frame.setAttribute("aria-label", this.#words.title);
    if (this.#isLauncher) this.#frame.setAttribute("role", "dialog");
    chat.addEventListener("freshet-answered", () => this.#answered());
    chat.addEventListener("freshet-asked", () => this.#tell("message", { text: chat.turns.at(-1)?.question ?? "" }));
    chat.addEventListener("freshet-signed-out", () => void this.identify(null));
    this.#frame.append(this.#createHead(), chat);
    if (profile.privacy_url) {
      const link = h("a", { href: profile.privacy_url, target: "_blank", rel: "noopener noreferrer" }, this.#words.privacy);
      this.#frame.append(h("p", { class: "foot-link" }, link));
    }
    chat.start({
      base: this.#base,
      modelName: "",
      defaultModel: "",
      textOnlyModels: [""], // no images: the host would have to allow them
      demo: null,
      greeting: profile.greeting ?? "",
      starters: profile.suggestions,
      conversation: null,
      store: new ConversationApi(this.#base, () => {}, () => {}, this.#access),
      access: this.#access,
      isEmbedded: true,
      saveConversation: (conversation) => this.#kept.save("conversation", conversation.turns.length > 0 ? serialize(conversation, KEPT_CHARS) : null),
      loadConversation: () => deserialize(this.#kept.load("conversation")) ?? EMPTY,
    });
    void loadRenderer().catch(() => {}); // without it the text is shown as it comes
  }

  #createHead() {
    const fresh = h("button", { type: "button", title: words.newChat, "aria-label": words.newChat }, icon(ICONS.newChat));
    fresh.addEventListener("click", () => this.#chat?.show(""));
    const head = h("header", { class: "head", part: "head" }, h("h2", {}, this.#element.getAttribute("label") ?? this.#words.title), fresh);
    if (this.#isLauncher) {
      const close = h("button", { type: "button", title: this.#words.close, "aria-label": this.#words.close }, icon(ICONS.close));
      close.addEventListener("click", () => this.close());
      head.append(close);
    }
    return head;
  }

  /** @param {unknown} error */
  #drawTrouble(error) {
    const isRefused = error instanceof AccessRefused;
    const text = isRefused ? (error.code === "sign_in_at_site" ? this.#words.signIn : this.#words.refused) : this.#words.offline;
    const message = h("div", { class: "trouble", role: "alert" }, h("p", {}, text));
    const again = h("button", { type: "button" }, this.#words.retry);
    again.addEventListener("click", () => {
      this.#frame.replaceChildren();
      void this.start();
    });
    message.append(again);
    this.#frame.append(message);
    this.#tell("error", { code: isRefused ? error.code : "unreachable", message: error instanceof Error ? error.message : String(error) });
  }

  #answered() {
    const answer = this.#chat?.turns.at(-1)?.answer;
    if (!answer) return;
    if (answer.failure) this.#tell("error", { code: answer.failure.code, message: answer.failure.error });
    else this.#tell("answer", { text: answer.text });
  }

  /** @param {boolean} isOpen */
  #setOpen(isOpen) {
    this.#launcher?.setAttribute("aria-expanded", String(isOpen));
    this.#kept.save("open", isOpen && this.#isLauncher ? "1" : null);
  }

  /** @param {KeyboardEvent} event */
  #keyPressed(event) {
    if (event.key !== "Escape" || event.isComposing) return;
    if (this.#chat?.isAnswering) this.#chat.stop();
    else this.close();
  }

  /**
   * @param {"open" | "message" | "answer" | "error" | "close"} name
   * @param {object} detail
   */
  #tell(name, detail) {
    this.#element.dispatchEvent(new CustomEvent(`freshet:${name}`, { detail, bubbles: true, composed: true }));
  }
}

/** @typedef {typeof createWidget} CreateWidget */

/** @type {Promise<CSSStyleSheet> | null} */
let tokensSheet = null;

/** @param {string} base */
async function loadTokens(base) {
  const response = await fetch(new URL("embed/tokens.css", base), { credentials: "omit" });
  return sheetOf(tokensForHost(await response.text()));
}

/**
 * Create the chat of an element.
 * @param {HTMLElement} element
 * @param {ShadowRoot} root
 * @param {string} base the server's address
 * @param {CSSStyleSheet} sheet that of the loader
 */
export async function createWidget(element, root, base, sheet) {
  adaptSheets(withOwnRem);
  tokensSheet ??= loadTokens(base);
  const theme = element.getAttribute("theme");
  if (theme === "light" || theme === "dark") element.dataset.scheme = theme;
  const sheets = [sheet, sheetOf(embedCss)];
  try {
    sheets.splice(1, 0, await tokensSheet); // after the loader's, which resets the colour scheme
  } catch {
    tokensSheet = null; // the chat is drawn without colours; what could not be reached will be said
  }
  root.adoptedStyleSheets = sheets;
  const widget = new Widget(element, root, base);
  await widget.start();
  return widget;
}

/** The dialog that lists where a user is signed in, and ends that elsewhere. It is loaded when it is first asked for. */
import { Account } from "./api.js";
import { ICONS, h, icon, setText } from "../dom/elements.js";
import { formatDate } from "../strings/format.js";
import { spokenOfAccount } from "../strings/account.js";
import { language, words } from "../strings/words.js";
import { accountCss } from "../styles/account.js";
import { sheetOf } from "../styles/sheets.js";

/** @typedef {import("./api.js").Session} Session */

/** An answer that comes sooner needs no word before it. */
const LOADING_AFTER_MS = 400;
const MINUTE_MS = 60_000;
/** Longer ago than this a date says more. */
const RECENT_DAYS = 7;

/** @type {Devices | null} */
let devices = null;

/**
 * Show where the user is signed in.
 * @param {import("../conversation/api.js").Library} library
 */
export function listDevices(library) {
  if (devices === null) {
    devices = new Devices(new Account((method, path) => library.ask(method, path)));
    document.body.append(devices.dialog);
  }
  devices.open();
}

/** One for a page. The browser gives the focus back to what opened it. */
class Devices {
  #account;
  #said = spokenOfAccount();
  #close = h("button", { type: "button", class: "tool", "aria-label": words.close, title: words.close }, icon(ICONS.close));
  #intro = h("p", { class: "intro" }, this.#said.intro);
  #list = h("ul");
  #status = h("p", { class: "said", role: "status" });
  #again = h("button", { type: "button", hidden: true }, words.retry);
  #others = h("button", { type: "button", hidden: true }, this.#said.signOutOthers);
  #actions = h("div", { class: "actions" }, this.#again, this.#others);
  dialog = h(
    "dialog",
    { class: "panel devices", "aria-labelledby": "devices" },
    h("div", { class: "top" }, h("h2", { id: "devices" }, words.devices), this.#close),
    this.#intro,
    this.#list,
    this.#status,
    this.#actions,
  );
  /** @type {Session[]} */
  #sessions = [];
  #isBusy = false;

  /** @param {Account} account */
  constructor(account) {
    document.adoptedStyleSheets.push(sheetOf(accountCss));
    this.#account = account;
    this.#close.addEventListener("click", () => this.dialog.close());
    this.#again.addEventListener("click", () => void this.#load());
    this.#others.addEventListener("click", () => void this.#endOthers());
    this.dialog.addEventListener("click", (event) => event.target === this.dialog && this.dialog.close());
    // Escape ends what is open here; outside it would stop an answer.
    this.dialog.addEventListener("keydown", (event) => event.key === "Escape" && event.stopPropagation());
  }

  /** Show it, with what the server has now. */
  open() {
    this.dialog.showModal();
    void this.#load();
  }

  async #load() {
    setText(this.#status, "");
    const timer = setTimeout(() => this.#sessions.length === 0 && setText(this.#status, this.#said.loading), LOADING_AFTER_MS);
    const hadFocus = this.#again === document.activeElement;
    const sessions = await this.#account.sessions();
    clearTimeout(timer);
    setText(this.#status, sessions ? "" : words.listAway);
    this.#again.hidden = sessions !== null;
    this.#show(sessions ?? []);
    if (hadFocus) (sessions ? this.#close : this.#again).focus();
  }

  /** @param {Session[]} sessions */
  #show(sessions) {
    this.#sessions = sessions;
    this.#list.replaceChildren(...sessions.map((session) => this.#row(session)));
    this.#intro.hidden = sessions.length === 0;
    this.#others.hidden = sessions.filter(({ current }) => !current).length < 2;
    this.#actions.hidden = this.#others.hidden && this.#again.hidden;
  }

  /** @param {Session} session */
  #row(session) {
    const { device, seen_at, current } = session;
    const name = device || this.#said.unknown;
    const seen = current ? h("span", { class: "here" }, this.#said.here) : h("span", { class: "seen" }, this.#said.seen(formatAgo(seen_at, Date.now())));
    const which = h("div", { class: "which" }, h("span", { class: "name", dir: "auto" }, name), seen);
    if (current) return h("li", {}, which);
    const button = h("button", { type: "button", "aria-label": this.#said.signOut(name) }, words.signOut);
    button.addEventListener("click", () => void this.#end(session, name));
    return h("li", {}, which, button);
  }

  /**
   * @param {Session} session
   * @param {string} name
   */
  async #end({ id }, name) {
    const at = this.#sessions.findIndex((session) => session.id === id);
    const isDone = await this.#do(() => this.#account.end(id), this.#said.ended(name));
    if (!isDone) return;
    this.#show(this.#sessions.filter((session) => session.id !== id));
    const next = this.#list.children[Math.min(at, this.#sessions.length - 1)]?.querySelector("button");
    (next ?? this.#close).focus(); // what stood under the caret is gone
  }

  async #endOthers() {
    const isDone = await this.#do(() => this.#account.endOthers(), this.#said.othersEnded);
    if (!isDone) return;
    this.#show(this.#sessions.filter(({ current }) => current));
    this.#close.focus();
  }

  /**
   * Ask the server, one thing at a time.
   * @param {() => Promise<boolean>} work
   * @param {string} done what to say then
   */
  async #do(work, done) {
    if (this.#isBusy) return false;
    this.#busy(true);
    const isDone = await work();
    this.#busy(false);
    setText(this.#status, isDone ? done : words.notDone);
    return isDone;
  }

  /** @param {boolean} isBusy */
  #busy(isBusy) {
    this.#isBusy = isBusy;
    // Not `disabled`: that would drop the focus of whoever stands on the button.
    const buttons = [...this.#list.querySelectorAll("button"), this.#others];
    for (const button of buttons) button.setAttribute("aria-disabled", String(isBusy));
  }
}

/**
 * Write how long ago something was, or its date.
 * @param {number} at_ms
 * @param {number} now_ms
 */
function formatAgo(at_ms, now_ms) {
  const minutes = Math.max(0, Math.floor((now_ms - at_ms) / MINUTE_MS));
  const hours = Math.floor(minutes / 60);
  const days = Math.floor(hours / 24);
  const ago = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
  if (minutes < 1) return ago.format(0, "second");
  if (hours < 1) return ago.format(-minutes, "minute");
  if (days < 1) return ago.format(-hours, "hour");
  return days < RECENT_DAYS ? ago.format(-days, "day") : formatDate(at_ms);
}

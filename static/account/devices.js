/** The dialog of the devices on which the user is signed in; it can sign out the others. Loaded when first opened. */
import { AccountApi } from "./api.js";
import { ICONS, h, icon, setText } from "../dom/elements.js";
import { formatDate } from "../strings/format.js";
import { getAccountWords } from "../strings/account.js";
import { language, words } from "../strings/words.js";
import { accountCss } from "../styles/account.js";
import { sheetOf } from "../styles/sheets.js";

/** @typedef {import("./api.js").DeviceSession} DeviceSession */

/** Show `loading` only after this long. */
const LOADING_AFTER_MS = 400;
const MINUTE_MS = 60_000;
/** Show a date instead of a relative time after this long. */
const RECENT_DAYS = 7;

/** @type {DevicesDialog | null} */
let devices = null;

/**
 * Open the dialog.
 * @param {import("../conversation/api.js").ConversationApi} api
 */
export function openDevices(api) {
  if (devices === null) {
    devices = new DevicesDialog(new AccountApi((method, path) => api.request(method, path)));
    document.body.append(devices.dialog);
  }
  devices.open();
}

/** The dialog; the page has one. When it closes, the browser returns the focus to the button that opened it. */
class DevicesDialog {
  #api;
  #words = getAccountWords();
  #close = h("button", { type: "button", class: "tool", "aria-label": words.close, title: words.close }, icon(ICONS.close));
  #intro = h("p", { class: "intro" }, this.#words.intro);
  #list = h("ul");
  #status = h("p", { class: "status", role: "status" });
  #again = h("button", { type: "button", hidden: true }, words.retry);
  #others = h("button", { type: "button", hidden: true }, this.#words.signOutOthers);
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
  /** @type {DeviceSession[]} */
  #sessions = [];
  #isBusy = false;

  /** @param {AccountApi} api */
  constructor(api) {
    document.adoptedStyleSheets.push(sheetOf(accountCss));
    this.#api = api;
    this.#close.addEventListener("click", () => this.dialog.close());
    this.#again.addEventListener("click", () => void this.#load());
    this.#others.addEventListener("click", () => void this.#revokeOthers());
    this.dialog.addEventListener("click", (event) => event.target === this.dialog && this.dialog.close());
    // Escape closes the dialog; outside it would stop the answer.
    this.dialog.addEventListener("keydown", (event) => event.key === "Escape" && event.stopPropagation());
  }

  /** Open the dialog and load the sessions. */
  open() {
    this.dialog.showModal();
    void this.#load();
  }

  async #load() {
    setText(this.#status, "");
    const timer = setTimeout(() => this.#sessions.length === 0 && setText(this.#status, this.#words.loading), LOADING_AFTER_MS);
    const hadFocus = this.#again === document.activeElement;
    const sessions = await this.#api.sessions();
    clearTimeout(timer);
    setText(this.#status, sessions ? "" : words.listUnavailable);
    this.#again.hidden = sessions !== null;
    this.#show(sessions ?? []);
    if (hadFocus) (sessions ? this.#close : this.#again).focus();
  }

  /** @param {DeviceSession[]} sessions */
  #show(sessions) {
    this.#sessions = sessions;
    this.#list.replaceChildren(...sessions.map((session) => this.#createRow(session)));
    this.#intro.hidden = sessions.length === 0;
    this.#others.hidden = sessions.filter(({ current }) => !current).length < 2;
    this.#actions.hidden = this.#others.hidden && this.#again.hidden;
  }

  /** @param {DeviceSession} session */
  #createRow(session) {
    const { device, seen_at, current } = session;
    const name = device || this.#words.unknown;
    const seen = current ? h("span", { class: "here" }, this.#words.here) : h("span", { class: "seen" }, this.#words.seen(formatAgo(seen_at, Date.now())));
    const which = h("div", { class: "device" }, h("span", { class: "name", dir: "auto" }, name), seen);
    if (current) return h("li", {}, which);
    const button = h("button", { type: "button", "aria-label": this.#words.signOut(name) }, words.signOut);
    button.addEventListener("click", () => void this.#revoke(session, name));
    return h("li", {}, which, button);
  }

  /**
   * @param {DeviceSession} session
   * @param {string} name
   */
  async #revoke({ id }, name) {
    const at = this.#sessions.findIndex((session) => session.id === id);
    const isDone = await this.#do(() => this.#api.revoke(id), this.#words.ended(name));
    if (!isDone) return;
    this.#show(this.#sessions.filter((session) => session.id !== id));
    const next = this.#list.children[Math.min(at, this.#sessions.length - 1)]?.querySelector("button");
    (next ?? this.#close).focus(); // the focused button was removed
  }

  async #revokeOthers() {
    const isDone = await this.#do(() => this.#api.revokeOthers(), this.#words.othersEnded);
    if (!isDone) return;
    this.#show(this.#sessions.filter(({ current }) => current));
    this.#close.focus();
  }

  /**
   * Run an action unless one is running, and show its result.
   * @param {() => Promise<boolean>} action
   * @param {string} done the message after success
   */
  async #do(action, done) {
    if (this.#isBusy) return false;
    this.#setBusy(true);
    const isDone = await action();
    this.#setBusy(false);
    setText(this.#status, isDone ? done : words.actionFailed);
    return isDone;
  }

  /** @param {boolean} isBusy */
  #setBusy(isBusy) {
    this.#isBusy = isBusy;
    // Not `disabled`, which would take the focus away from the button.
    const buttons = [...this.#list.querySelectorAll("button"), this.#others];
    for (const button of buttons) button.setAttribute("aria-disabled", String(isBusy));
  }
}

/**
 * Format a time as relative to now, or as a date when it is older than a week.
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

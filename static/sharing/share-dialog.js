/**
 * `sharing/`: The dialog that makes and revokes the link to a conversation. The page behind such a link is
 * `shared.js`.
 */
/** The share dialog: creates, shows and revokes the link of a conversation, and explains who can see what. */
import { copyText } from "../dom/clipboard.js";
import { h, setText } from "../dom/elements.js";
import { formatDate } from "../strings/format.js";
import { words } from "../strings/words.js";
import { sharingCss } from "../styles/sharing.js";
import { sheetOf } from "../styles/sheets.js";

/** @typedef {import("../conversation/api.js").ConversationApi} ConversationApi */
/** @typedef {import("../conversation/api.js").ShareLink} ShareLink */

/** One dialog per page, for all conversations. On close the browser restores the focus. */
export class ShareDialog {
  #api;
  #title = h("p", { class: "conversation-title", dir: "auto" });
  #explanation = h("p", { class: "explanation" });
  #field = h("input", { type: "text", readonly: true, "aria-label": words.link, dir: "ltr" });
  #copy = h("button", { type: "button", class: "main" }, words.copy);
  #linkRow = h("div", { class: "link-row", hidden: true }, this.#field, this.#copy);
  #status = h("p", { class: "status", role: "status" });
  #close = h("button", { type: "button" }, words.close);
  #create = h("button", { type: "button", class: "main" }, words.makeLink);
  #revoke = h("button", { type: "button", class: "danger", hidden: true }, words.stopSharing);
  dialog = h(
    "dialog",
    { class: "panel sharing", "aria-labelledby": "sharing" },
    h("h2", { id: "sharing" }, words.shareTitle),
    this.#title,
    this.#explanation,
    this.#linkRow,
    this.#status,
    h("div", { class: "actions" }, this.#revoke, this.#close, this.#create),
  );
  #id = "";
  #isBusy = false;

  /** @param {ConversationApi} api */
  constructor(api) {
    document.adoptedStyleSheets.push(sheetOf(sharingCss));
    this.#api = api;
    this.#create.addEventListener("click", () => void this.#run(() => api.share(this.#id)));
    this.#revoke.addEventListener("click", () => void this.#run(() => api.unshare(this.#id), words.sharingStopped));
    this.#copy.addEventListener("click", () => void this.#copyLink());
    this.#field.addEventListener("focus", () => this.#field.select());
    this.#close.addEventListener("click", () => this.dialog.close());
    this.dialog.addEventListener("click", (event) => event.target === this.dialog && this.dialog.close());
    // Escape closes the dialog; outside it would stop an answer.
    this.dialog.addEventListener("keydown", (event) => event.key === "Escape" && event.stopPropagation());
  }

  /**
   * Open the dialog for a conversation.
   * @param {string} id
   * @param {string} title
   */
  async open(id, title) {
    this.#id = id;
    setText(this.#title, title);
    this.#show({ shared_at: null, address: null });
    setText(this.#status, "");
    this.dialog.showModal();
    await this.#run(() => this.#api.shareLink(id));
  }

  /**
   * Run one request at a time. A response about a conversation that is no longer shown is dropped, and the link of the
   * current one loaded.
   * @param {() => Promise<ShareLink | null>} request
   * @param {string} [success] status text
   * @returns {Promise<void>}
   */
  async #run(request, success = "") {
    if (this.#isBusy) return;
    const id = this.#id;
    this.#setBusy(true);
    const link = await request();
    this.#setBusy(false);
    if (!this.dialog.open) return;
    if (id !== this.#id) return this.#run(() => this.#api.shareLink(this.#id));
    setText(this.#status, link ? success : words.actionFailed);
    if (link) this.#show(link);
    this.#focusNext();
  }

  /** @param {boolean} isBusy */
  #setBusy(isBusy) {
    this.#isBusy = isBusy;
    // Not `disabled`: a disabled button loses the focus.
    for (const button of [this.#create, this.#revoke]) button.setAttribute("aria-disabled", String(isBusy));
  }

  /** @param {ShareLink} link */
  #show({ shared_at, address }) {
    const isShared = shared_at !== null;
    const sentence = address ? words.shareSince : words.shareLost;
    setText(this.#explanation, isShared ? sentence(formatDate(shared_at)) : words.shareNow);
    this.#field.value = address ?? "";
    this.#linkRow.hidden = address === null;
    this.#create.hidden = address !== null;
    this.#revoke.hidden = !isShared;
  }

  /** Focus the link, or the button that creates one. */
  #focusNext() {
    if (this.#linkRow.hidden) this.#create.focus();
    else this.#field.focus();
  }

  async #copyLink() {
    const isCopied = await copyText(this.#field.value, this.dialog);
    if (!isCopied) this.#field.focus();
    setText(this.#status, isCopied ? words.copied : words.copyFailed);
  }
}

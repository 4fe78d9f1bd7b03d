/**
 * `sharing/`: The dialog that makes and revokes the link to a conversation. The page behind such a link is
 * `shared.js`.
 */
/** The dialog in which a conversation is shared: makes the link, shows it, says who sees what, and ends it. */
import { copyText } from "../dom/clipboard.js";
import { h, setText } from "../dom/elements.js";
import { formatDate } from "../strings/format.js";
import { words } from "../strings/words.js";
import { sharingCss } from "../styles/sharing.js";
import { sheetOf } from "../styles/sheets.js";

/** @typedef {import("../conversation/api.js").Library} Library */
/** @typedef {import("../conversation/api.js").Link} Link */

/** One for all conversations of a page. The browser gives the focus back to what opened it. */
export class Sharing {
  #library;
  #which = h("p", { class: "which", dir: "auto" });
  #what = h("p", { class: "what" });
  #field = h("input", { type: "text", readonly: true, "aria-label": words.link, dir: "ltr" });
  #copy = h("button", { type: "button", class: "main" }, words.copy);
  #line = h("div", { class: "address", hidden: true }, this.#field, this.#copy);
  #said = h("p", { class: "said", role: "status" });
  #close = h("button", { type: "button" }, words.close);
  #make = h("button", { type: "button", class: "main" }, words.makeLink);
  #end = h("button", { type: "button", class: "danger", hidden: true }, words.stopSharing);
  dialog = h(
    "dialog",
    { class: "panel sharing", "aria-labelledby": "sharing" },
    h("h2", { id: "sharing" }, words.shareTitle),
    this.#which,
    this.#what,
    this.#line,
    this.#said,
    h("div", { class: "actions" }, this.#end, this.#close, this.#make),
  );
  #id = "";
  #isBusy = false;

  /** @param {Library} library */
  constructor(library) {
    document.adoptedStyleSheets.push(sheetOf(sharingCss));
    this.#library = library;
    this.#make.addEventListener("click", () => void this.#do(() => library.share(this.#id)));
    this.#end.addEventListener("click", () => void this.#do(() => library.unshare(this.#id), words.unshared));
    this.#copy.addEventListener("click", () => void this.#take());
    this.#field.addEventListener("focus", () => this.#field.select());
    this.#close.addEventListener("click", () => this.dialog.close());
    this.dialog.addEventListener("click", (event) => event.target === this.dialog && this.dialog.close());
    // Escape ends what is open here; outside it would stop an answer.
    this.dialog.addEventListener("keydown", (event) => event.key === "Escape" && event.stopPropagation());
  }

  /**
   * Show how a conversation is shared.
   * @param {string} id
   * @param {string} title
   */
  async open(id, title) {
    this.#id = id;
    setText(this.#which, title);
    this.#show({ shared_at: null, address: null });
    setText(this.#said, "");
    this.dialog.showModal();
    await this.#do(() => this.#library.link(id));
  }

  /**
   * Ask the server, one thing at a time; an answer about a conversation that is not shown any more is dropped.
   * @param {() => Promise<Link | null>} work
   * @param {string} [done] what to say then
   * @returns {Promise<void>}
   */
  async #do(work, done = "") {
    if (this.#isBusy) return;
    const id = this.#id;
    this.#busy(true);
    const link = await work();
    this.#busy(false);
    if (!this.dialog.open) return;
    if (id !== this.#id) return this.#do(() => this.#library.link(this.#id));
    setText(this.#said, link ? done : words.notDone);
    if (link) this.#show(link);
    this.#stand();
  }

  /** @param {boolean} isBusy */
  #busy(isBusy) {
    this.#isBusy = isBusy;
    // Not `disabled`: that would drop the focus of whoever stands on the button.
    for (const button of [this.#make, this.#end]) button.setAttribute("aria-disabled", String(isBusy));
  }

  /** @param {Link} link */
  #show({ shared_at, address }) {
    const isShared = shared_at !== null;
    const said = address ? words.shareSince : words.shareLost;
    setText(this.#what, isShared ? said(formatDate(shared_at)) : words.shareNow);
    this.#field.value = address ?? "";
    this.#line.hidden = address === null;
    this.#make.hidden = address !== null;
    this.#end.hidden = !isShared;
  }

  /** Put the focus on what comes next: the link, or the button that makes one. */
  #stand() {
    if (this.#line.hidden) this.#make.focus();
    else this.#field.focus();
  }

  async #take() {
    const isCopied = await copyText(this.#field.value, this.dialog);
    if (!isCopied) this.#field.focus();
    setText(this.#said, isCopied ? words.copied : words.notCopied);
  }
}

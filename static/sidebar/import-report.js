/** The dialog that says what became of a file with several conversations. Loaded with the first such file. */
import { ICONS, h, icon, setText } from "../dom/elements.js";
import { formatCount, formatQuantity } from "../strings/format.js";
import { getImportWords } from "../strings/imports.js";
import { words } from "../strings/words.js";
import { importReportCss } from "../styles/import-report.js";
import { sheetOf } from "../styles/sheets.js";

/** @typedef {import("../conversation/imports/import-file.js").ImportReport} ImportReport */
/** @typedef {import("../conversation/api.js").ImportFailure} ImportFailure */
/** @typedef {import("../conversation/api.js").LeftOut} LeftOut */

/** More failures than this are only counted. */
const MAX_FAILURES = 100;

/** The dialog; the page has one. */
export class ImportReportDialog {
  #words = getImportWords();
  #close = h("button", { type: "button", class: "tool", "aria-label": words.close, title: words.close }, icon(ICONS.close));
  #name = h("p", { class: "name", dir: "auto" });
  #text = h("div");
  dialog = h(
    "dialog",
    { class: "panel import-report", "aria-labelledby": "import-report" },
    h("div", { class: "top" }, h("h2", { id: "import-report" }, this.#words.heading), this.#close),
    this.#name,
    this.#text,
  );

  constructor() {
    document.adoptedStyleSheets.push(sheetOf(importReportCss));
    this.#close.addEventListener("click", () => this.dialog.close());
    this.dialog.addEventListener("click", (event) => event.target === this.dialog && this.dialog.close());
    // Escape closes the dialog; outside it would stop the answer.
    this.dialog.addEventListener("keydown", (event) => event.key === "Escape" && event.stopPropagation());
  }

  /**
   * Show a report.
   * @param {string} name the file's
   * @param {ImportReport} report
   */
  open(name, { imported, failed, stopped }) {
    setText(this.#name, name);
    /** @type {HTMLElement[]} */
    const parts = [h("p", {}, formatQuantity(this.#words.imported, imported.length))];
    const leftOut = imported.flatMap(({ left_out }) => left_out);
    for (const kind of /** @type {const} */ (["images", "files"])) {
      const count = countOf(leftOut, kind === "images" ? "image" : "file");
      if (count > 0) parts.push(h("p", {}, formatQuantity(this.#words[kind], count)));
    }
    if (failed.length > 0) {
      const rows = failed.slice(0, MAX_FAILURES).map((failure) => this.#createRow(failure));
      const rest = failed.length - rows.length;
      if (rest > 0) rows.push(h("li", {}, formatQuantity(this.#words.more, rest)));
      parts.push(h("p", {}, formatQuantity(this.#words.failed, failed.length)), h("ul", { tabindex: "0" }, ...rows));
    }
    if (stopped !== "") parts.push(h("p", { class: "stopped" }, this.#words.stopped[/** @type {"cut"} */ (stopped)] ?? this.#words.stopped.unavailable));
    this.#text.replaceChildren(...parts);
    this.dialog.showModal();
  }

  /** @param {ImportFailure} failure */
  #createRow({ index, title, code, param }) {
    const name = title || this.#words.unnamed(formatCount(index + 1));
    const { reasons } = this.#words;
    const isPlaced = code === "bad_import" || code === "invalid_type";
    const reason = isPlaced ? this.#words.damaged(param ?? "") : (reasons[/** @type {"other"} */ (code)] ?? reasons.other);
    return h("li", {}, h("span", { class: "chat", dir: "auto" }, name), h("span", { class: "reason" }, reason));
  }
}

/**
 * @param {LeftOut[]} leftOut
 * @param {LeftOut["kind"]} kind
 */
function countOf(leftOut, kind) {
  return leftOut.reduce((sum, entry) => sum + (entry.kind === kind ? entry.count : 0), 0);
}

/** The button that imports conversations from a file, and the error messages of an import. */
import { ICONS, h, icon } from "../dom/elements.js";
import { cleanFileName } from "../strings/filenames.js";
import { formatPercent, formatSize } from "../strings/format.js";
import { words } from "../strings/words.js";

/** @typedef {import("../conversation/api.js").ImportResult} ImportResult */
/** @typedef {import("../conversation/imports/import-file.js").ImportReport} ImportReport */

/**
 * @typedef {object} ImportActions
 * @property {(body: Blob, signal: AbortSignal | null) => Promise<ImportResult>} send
 * @property {(id: string) => void} imported called with the conversation of a file that has one
 * @property {() => void} importedMany
 * @property {(sentence: string | null, cancel?: () => void) => void} notify show an error, or progress that can be cancelled; null: hide it
 */

/** Values of an error's `param` that mean the whole file; others are a place in it. */
const WHOLE_FILE = new Set(["body", "freshet", "messages"]);

/** The progress is told in steps of this many percent, because screen readers read each. */
const PROGRESS_STEP = 5;

/** Imports one file at a time. */
export class ImportButton {
  #picker = h("input", { type: "file", accept: ".json,.zip,application/json,application/zip", hidden: true, "aria-label": words.importFile });
  #button = h("button", { type: "button", class: "small import", "aria-label": words.importFile, title: words.importFile }, icon(ICONS.importFile));
  element = h("div", { class: "importer" }, this.#button, this.#picker);
  #actions;
  #maxBytes;
  /** The imports so far: each waits for the one before it. */
  #last = Promise.resolve();
  #waiting = 0;
  /** @type {import("./import-report.js").ImportReportDialog | null} */
  #report = null;

  /**
   * @param {number} maxBytes the server's limit for a request
   * @param {ImportActions} actions
   */
  constructor(maxBytes, actions) {
    this.#maxBytes = maxBytes;
    this.#actions = actions;
    this.#button.addEventListener("click", () => this.#waiting > 0 || this.#picker.click());
    this.#picker.addEventListener("change", () => {
      this.importFiles([...(this.#picker.files ?? [])]);
      this.#picker.value = ""; // otherwise choosing the same file again is no change
    });
  }

  /**
   * Import files, one after the other.
   * @param {File[]} files
   */
  importFiles(files) {
    for (const file of files) {
      this.#waiting += 1;
      this.#last = this.#last.then(() => this.#import(file, cleanFileName(file.name))).finally(() => (this.#waiting -= 1));
    }
  }

  /**
   * @param {File} file
   * @param {string} name
   */
  async #import(file, name) {
    const { notify, imported, importedMany } = this.#actions;
    this.#button.setAttribute("aria-disabled", "true");
    const abort = new AbortController();
    const cancel = () => {
      abort.abort();
      notify(null);
      this.#button.focus();
    };
    notify(words.importing(name), cancel);
    const result = await this.#run(file, name, abort.signal, cancel);
    this.#button.removeAttribute("aria-disabled");
    if ("id" in result) {
      notify(null);
      imported(result.id);
    } else if ("status" in result) notify(this.#describeError(result, name));
    else if (result.imported.length + result.failed.length > 0 || !abort.signal.aborted) await this.#showReport({ stopped: "", ...result }, name);
    if (abort.signal.aborted || ("imported" in result && result.imported.length > 1)) importedMany();
  }

  /**
   * @param {File} file
   * @param {string} name
   * @param {AbortSignal} signal
   * @param {() => void} cancel
   * @returns {Promise<ImportResult | ImportReport>}
   */
  async #run(file, name, signal, cancel) {
    try {
      const { importFile } = await import("../conversation/imports/import-file.js");
      let shown = 0;
      const progress = (/** @type {number} */ part) => {
        const percent = Math.floor((100 * part) / PROGRESS_STEP) * PROGRESS_STEP;
        if (percent > shown && percent < 100 && !signal.aborted) this.#actions.notify(words.importingPart(name, formatPercent(percent / 100)), cancel);
        shown = Math.max(shown, percent);
      };
      const sleep = (/** @type {number} */ ms) =>
        new Promise((/** @type {(value: void) => void} */ done) => {
          signal.addEventListener("abort", () => done());
          setTimeout(done, ms);
        });
      return await importFile(file, { maxBytes: this.#maxBytes, send: this.#actions.send, progress, sleep, signal, encodeImage });
    } catch {
      return { status: 0, code: "", param: "", retry_ms: null }; // the module could not be loaded
    }
  }

  /**
   * Show a report as a sentence where it is about one conversation, else as a dialog.
   * @param {ImportReport} report
   * @param {string} name
   */
  async #showReport(report, name) {
    const { notify, imported } = this.#actions;
    const [only, ...others] = report.imported;
    const [failure, ...failures] = report.failed;
    if (!only && failures.length === 0 && (failure || report.stopped)) {
      const { code, param } = failure ?? { code: report.stopped, param: null };
      const status = code === "unavailable" ? 0 : code === "too_large" ? 413 : 400;
      return notify(this.#describeError({ status, code: code === "cut" ? "not_json" : code, param: param ?? "body" }, name));
    }
    if (only && others.length === 0 && !failure && report.stopped === "" && only.left_out.length === 0) {
      notify(null);
      return imported(only.id);
    }
    if (only && others.length === 0) imported(only.id);
    try {
      const { ImportReportDialog } = await import("./import-report.js");
      if (this.#report === null) {
        this.#report = new ImportReportDialog();
        document.body.append(this.#report.dialog);
      }
      notify(null);
      this.#report.open(name, report);
    } catch {
      notify(words.importErrors.unavailable(name));
    }
  }

  /**
   * @param {{status: number, code: string, param: string}} error
   * @param {string} name
   */
  #describeError({ status, code, param }, name) {
    const { importErrors } = words;
    if (code === "storage_full") return importErrors.storageFull(name);
    if (code === "too_many_messages") return importErrors.tooManyMessages(name);
    if (code === "zipEmpty" || code === "zipUnreadable") return importErrors[code](name);
    if (status === 413) return importErrors.tooLarge(name, formatSize(this.#maxBytes));
    if (status !== 400) return importErrors.unavailable(name);
    if (code === "not_json") return importErrors.notJson(name);
    return WHOLE_FILE.has(param) || code === "no_messages" ? importErrors.foreign(name) : importErrors.damaged(name, param);
  }
}

/** @param {File} image */
async function encodeImage(image) {
  const { prepareImage } = await import("../images/downscale.js");
  return (await prepareImage(image)).picture.data ?? "";
}

/** The settings: the model picker and the Settings button in the header, and the panel that the button opens. */
import { ICONS, h, icon } from "../dom/elements.js";
import { EFFORTS } from "../conversation/efforts.js";
import { SCHEMES } from "./color-scheme.js";
import { MODES } from "../speech/speech.js";
import { ModelPicker } from "./model-picker.js";
import { words } from "../strings/words.js";

/** @typedef {import("../stream/types.js").RunOptions} RunOptions */

/** @typedef {import("../speech/speech.js").Mode} Mode */
/** @typedef {import("./color-scheme.js").Scheme} Scheme */

/**
 * @typedef {object} SettingsActions
 * @property {(options: RunOptions) => void} changed
 * @property {import("./model-picker.js").LoadModels} loadModels
 * @property {(mode: Mode) => void} setSpeechMode
 * @property {(scheme: Scheme) => void} setScheme
 * @property {() => void} showShortcuts
 * @property {(() => void) | null} showDevices null: the server has no accounts
 */

/** The server's limits. */
const MAX_TOKENS = 1_000_000;
const MAX_SYSTEM_CHARS = 20_000;

/** The model picker and the settings panel; reports every change. */
export class SettingsPanel {
  #models;
  #actions;
  #device;
  /** @type {RunOptions} */
  #options = {};
  /** The choice of a model. */
  picker;
  button = h("button", { type: "button", class: "tool", title: words.settings, "aria-haspopup": "dialog" }, icon(ICONS.settings), h("span", {}, words.settings));
  #system = h("textarea", { id: "system", rows: "4", maxlength: String(MAX_SYSTEM_CHARS), placeholder: words.systemHint, dir: "auto" });
  #temperature = h("input", { id: "temperature", type: "number", min: "0", max: "2", step: "0.1", inputmode: "decimal", placeholder: words.defaultValue });
  #length = h("input", { id: "length", type: "number", min: "1", max: String(MAX_TOKENS), step: "1", inputmode: "numeric", placeholder: words.defaultValue });
  #effort = h("select", { id: "effort" }, h("option", { value: "" }, words.defaultValue), ...EFFORTS.map((effort) => h("option", { value: effort }, words.efforts[effort])));
  #speech = h("select", { id: "speech" }, ...MODES.map((mode) => h("option", { value: mode }, words.speechModes[mode])));
  #scheme = h("select", { id: "scheme" }, ...SCHEMES.map((scheme) => h("option", { value: scheme }, words.schemes[scheme])));
  #keys = h("button", { type: "button", class: "tool" }, words.shortcuts);
  #devices = h("button", { type: "button", class: "tool" }, words.devices);
  // Not a submit button: Enter in a field would press the first of those.
  #cancel = h("button", { type: "button" }, words.cancel);
  dialog = h(
    "dialog",
    { class: "panel", "aria-labelledby": "settings" },
    h(
      "form",
      { method: "dialog" },
      h("h2", { id: "settings" }, words.settings),
      ...labelled(this.#system, words.system),
      h("div", { class: "pair" }, h("div", {}, ...labelled(this.#temperature, words.temperature)), h("div", {}, ...labelled(this.#length, words.maxTokens))),
      ...labelledSelect(this.#effort, words.effort),
      ...labelledSelect(this.#scheme, words.scheme),
      ...labelledSelect(this.#speech, words.speech),
      h("div", { class: "actions" }, h("div", { class: "ways" }, this.#keys, this.#devices), this.#cancel, h("button", { class: "main" }, words.save)),
    ),
  );

  /**
   * @param {string[]} models full names, `provider/model`, the default first
   * @param {{mode: Mode, scheme: Scheme}} device the current settings of this device
   * @param {SettingsActions} actions
   */
  constructor(models, device, actions) {
    this.#models = models;
    this.#device = device;
    this.#actions = actions;
    const { showShortcuts, showDevices } = actions;
    this.#devices.hidden = showDevices === null;
    this.#opens(this.#keys, showShortcuts);
    this.#opens(this.#devices, showDevices);
    this.picker = new ModelPicker(models, actions.loadModels, (model) => this.#apply({ ...this.#options, model }));
    this.button.addEventListener("click", () => this.#open());
    this.dialog.addEventListener("submit", () => this.#save());
    this.#cancel.addEventListener("click", () => this.dialog.close());
    this.dialog.addEventListener("click", (event) => event.target === this.dialog && this.dialog.close());
  }

  /**
   * Set the stored options. Drops a model of a provider that the server no longer has. One that is not known here is
   * kept: the provider's listing may have it.
   * @param {RunOptions} options
   */
  show({ model, ...rest }) {
    const provider = model?.slice(0, model.indexOf("/") + 1) ?? "";
    this.#options = provider !== "" && this.#models.some((name) => name.startsWith(provider)) ? { ...rest, model } : rest;
    this.picker.value = this.#options.model ?? this.#models[0] ?? "";
    this.#actions.changed(this.#options);
  }

  /** The names of the collections that answers are based on. */
  get collections() {
    return this.#options.collection ?? [];
  }

  set collections(names) {
    this.#apply({ ...this.#options, collection: names.length > 0 ? names : undefined });
  }

  /**
   * Make a button close the panel and open something else.
   * @param {HTMLButtonElement} button
   * @param {(() => void) | null} open
   */
  #opens(button, open) {
    button.addEventListener("click", () => {
      this.dialog.close();
      open?.();
    });
  }

  #open() {
    this.#system.value = this.#options.system ?? "";
    this.#temperature.value = String(this.#options.temperature ?? "");
    this.#length.value = String(this.#options.max_tokens ?? "");
    this.#effort.value = this.#options.effort ?? "";
    this.#speech.value = this.#device.mode;
    this.#scheme.value = this.#device.scheme;
    this.dialog.showModal();
  }

  #save() {
    const mode = MODES.find((known) => known === this.#speech.value) ?? this.#device.mode;
    const scheme = SCHEMES.find((known) => known === this.#scheme.value) ?? this.#device.scheme;
    this.#device = { mode, scheme };
    this.#actions.setSpeechMode(mode);
    this.#actions.setScheme(scheme);
    this.#apply({
      model: this.#options.model,
      system: this.#system.value.trim() || undefined,
      temperature: parseValue(this.#temperature),
      max_tokens: parseValue(this.#length),
      effort: EFFORTS.find((known) => known === this.#effort.value),
      collection: this.#options.collection,
    });
  }

  /** @param {RunOptions} options */
  #apply(options) {
    this.#options = options;
    this.#actions.changed(options);
  }
}

/**
 * Return a number field's value; undefined: empty.
 * @param {HTMLInputElement} input
 */
function parseValue(input) {
  return Number.isNaN(input.valueAsNumber) ? undefined : input.valueAsNumber;
}

/**
 * Return a label and its control.
 * @param {HTMLElement} control with an id
 * @param {string} text
 */
function labelled(control, text) {
  return [h("label", { for: control.id }, text), control];
}

/**
 * Return a label and its select, with an arrow icon.
 * @param {HTMLSelectElement} select with an id
 * @param {string} text
 */
function labelledSelect(select, text) {
  return [h("label", { for: select.id }, text), h("div", { class: "choose" }, select, icon(ICONS.next))];
}

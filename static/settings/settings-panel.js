/** How the next answers are to be made: the model, in the header, and what stands in the panel behind it. */
import { ICONS, h, icon } from "../dom/elements.js";
import { SCHEMES } from "./color-scheme.js";
import { MODES } from "../speech/speech.js";
import { words } from "../strings/words.js";

/** @typedef {import("../stream/types.js").Wishes} Wishes */

/** @typedef {import("../speech/speech.js").Mode} Mode */
/** @typedef {import("./color-scheme.js").Scheme} Scheme */

/**
 * @typedef {object} WishesActions
 * @property {(wishes: Wishes) => void} changed
 * @property {(mode: Mode) => void} speak how much a screen reader is to be told from now on
 * @property {(scheme: Scheme) => void} wear
 * @property {() => void} listKeys show which keys do something
 * @property {(() => void) | null} listDevices show where the user is signed in; null: nobody signs in here
 */

/** The bounds of the server's own check. */
const MOST_TOKENS = 1_000_000;
const MOST_SYSTEM_CHARS = 20_000;

/** A choice of model and a panel of settings; tells of every change. */
export class WishesControl {
  #models;
  #actions;
  #ways;
  /** @type {Wishes} */
  #wishes = {};
  picker = h("select", { class: "tool picker", "aria-label": words.model, title: words.model });
  button = h("button", { type: "button", class: "tool", title: words.settings, "aria-haspopup": "dialog" }, icon(ICONS.settings), h("span", {}, words.settings));
  #system = h("textarea", { id: "system", rows: "4", maxlength: String(MOST_SYSTEM_CHARS), placeholder: words.systemHint, dir: "auto" });
  #temperature = h("input", { id: "temperature", type: "number", min: "0", max: "2", step: "0.1", inputmode: "decimal", placeholder: words.ownChoice });
  #length = h("input", { id: "length", type: "number", min: "1", max: String(MOST_TOKENS), step: "1", inputmode: "numeric", placeholder: words.ownChoice });
  #speech = h("select", { id: "speech" }, ...MODES.map((mode) => h("option", { value: mode }, words.speechModes[mode])));
  #scheme = h("select", { id: "scheme" }, ...SCHEMES.map((scheme) => h("option", { value: scheme }, words.schemes[scheme])));
  #keys = h("button", { type: "button", class: "tool" }, words.shortcuts);
  #devices = h("button", { type: "button", class: "tool" }, words.devices);
  // Not a submit button: Enter in a field presses the first of those.
  #cancel = h("button", { type: "button" }, words.cancel);
  dialog = h(
    "dialog",
    { class: "panel", "aria-labelledby": "settings" },
    h(
      "form",
      { method: "dialog" },
      h("h2", { id: "settings" }, words.settings),
      ...labelled(this.#system, words.system),
      h("div", { class: "pair" }, h("div", {}, ...labelled(this.#temperature, words.temperature)), h("div", {}, ...labelled(this.#length, words.longest))),
      ...chosen(this.#scheme, words.scheme),
      ...chosen(this.#speech, words.speech),
      h("div", { class: "actions" }, h("div", { class: "ways" }, this.#keys, this.#devices), this.#cancel, h("button", { class: "main" }, words.save)),
    ),
  );

  /**
   * @param {string[]} models as `provider/model`, the default first
   * @param {{mode: Mode, scheme: Scheme}} ways how much a screen reader is told now, and what the page wears
   * @param {WishesActions} actions
   */
  constructor(models, ways, actions) {
    this.#models = models;
    this.#ways = ways;
    this.#actions = actions;
    const { listKeys, listDevices } = actions;
    this.#devices.hidden = listDevices === null;
    this.#lead(this.#keys, listKeys);
    this.#lead(this.#devices, listDevices);
    this.picker.append(...models.map((name) => h("option", { value: name }, shortened(name, models))));
    this.picker.hidden = models.length < 2;
    this.picker.addEventListener("change", () => this.#take({ ...this.#wishes, model: this.#chosen() }));
    this.button.addEventListener("click", () => this.#open());
    this.dialog.addEventListener("submit", () => this.#read());
    this.#cancel.addEventListener("click", () => this.dialog.close());
    this.dialog.addEventListener("click", (event) => event.target === this.dialog && this.dialog.close());
  }

  /**
   * Show wishes from before; a model that is not to be had any more is forgotten.
   * @param {Wishes} wishes
   */
  show({ model, ...rest }) {
    this.#wishes = model !== undefined && this.#models.includes(model) ? { ...rest, model } : rest;
    this.picker.value = this.#wishes.model ?? this.#models[0] ?? "";
    this.#actions.changed(this.#wishes);
  }

  /**
   * Make a button open something else in the place of the panel.
   * @param {HTMLButtonElement} button
   * @param {(() => void) | null} open
   */
  #lead(button, open) {
    button.addEventListener("click", () => {
      this.dialog.close();
      open?.();
    });
  }

  #chosen() {
    return this.picker.value === this.#models[0] ? undefined : this.picker.value;
  }

  #open() {
    this.#system.value = this.#wishes.system ?? "";
    this.#temperature.value = String(this.#wishes.temperature ?? "");
    this.#length.value = String(this.#wishes.max_tokens ?? "");
    this.#speech.value = this.#ways.mode;
    this.#scheme.value = this.#ways.scheme;
    this.dialog.showModal();
  }

  #read() {
    const mode = MODES.find((known) => known === this.#speech.value) ?? this.#ways.mode;
    const scheme = SCHEMES.find((known) => known === this.#scheme.value) ?? this.#ways.scheme;
    this.#ways = { mode, scheme };
    this.#actions.speak(mode);
    this.#actions.wear(scheme);
    this.#take({
      model: this.#wishes.model,
      system: this.#system.value.trim() || undefined,
      temperature: number(this.#temperature),
      max_tokens: number(this.#length),
    });
  }

  /** @param {Wishes} wishes */
  #take(wishes) {
    this.#wishes = wishes;
    this.#actions.changed(wishes);
  }
}

/** @param {HTMLInputElement} input */
function number(input) {
  return Number.isNaN(input.valueAsNumber) ? undefined : input.valueAsNumber;
}

/**
 * @param {HTMLElement} control with an id
 * @param {string} text
 */
function labelled(control, text) {
  return [h("label", { for: control.id }, text), control];
}

/**
 * @param {HTMLSelectElement} select with an id
 * @param {string} text
 */
function chosen(select, text) {
  return [h("label", { for: select.id }, text), h("div", { class: "choose" }, select, icon(ICONS.next))];
}

/**
 * The name without its provider, where that is clear.
 * @param {string} name
 * @param {string[]} names
 */
function shortened(name, names) {
  const short = name.slice(name.indexOf("/") + 1);
  return names.filter((other) => other.endsWith(`/${short}`)).length > 1 ? name : short;
}

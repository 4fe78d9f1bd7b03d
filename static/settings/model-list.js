/**
 * The list of models that the button in the header opens: searchable, grouped by provider, those used last first. A
 * combobox that stays open: the focus is in the search field, and the arrow keys move through the options.
 * https://www.w3.org/WAI/ARIA/apg/patterns/combobox/
 */
import { ICONS, h, icon, setText } from "../dom/elements.js";
import { isTouch } from "../dom/pointer.js";
import { formatCount } from "../strings/format.js";
import { formatPrice, formatWindow, getModelWords } from "../strings/models.js";
import { nameProvider } from "../strings/providers.js";
import { modelsCss } from "../styles/models.js";
import { sheetOf } from "../styles/sheets.js";
import { words } from "../strings/words.js";
import { findModels, modelsNamed, parseListing } from "./model-search.js";

/** @typedef {import("./model-search.js").Model} Model */

/**
 * @typedef {object} ModelChoice
 * @property {readonly string[]} names full names that are known without the server
 * @property {string} selected
 * @property {string} fallback the default's full name
 * @property {readonly string[]} recent full names, the last used first
 * @property {import("./model-picker.js").LoadModels} load
 */

const MAX_SEARCH_CHARS = 100;
const GAP_PX = 6;
const MARGIN_PX = 8;
/** While a provider is being asked, the listing is read again after this time, */
const PENDING_MS = 2_000;
/** at most so many times. */
const MAX_PENDING = 10;
/** Narrower screens show the list as a sheet at the foot. */
const SHEET = "(max-width: 40rem)";

/** The list of models. One per page: it adds its style sheet to the document. */
export class ModelList {
  #words = getModelWords();
  #anchor;
  #chosen;
  #field = h("input", {
    type: "search",
    role: "combobox",
    "aria-expanded": "true",
    "aria-controls": "model-options",
    "aria-autocomplete": "list",
    "aria-label": this.#words.search,
    placeholder: this.#words.search,
    maxlength: String(MAX_SEARCH_CHARS),
    autocomplete: "off",
    spellcheck: "false",
    enterkeyhint: "done",
  });
  #options = h("div", { id: "model-options", role: "listbox", class: "options", "aria-label": words.model, tabindex: "-1" });
  #status = h("p", { class: "status", role: "status" });
  #note = h("p", { class: "note" });
  #close = h("button", { type: "button", class: "close", "aria-label": words.close, title: words.close }, icon(ICONS.close));
  element = h(
    "div",
    { class: "models", popover: "auto", role: "dialog", "aria-label": words.model },
    h("div", { class: "models-head" }, h("div", { class: "find" }, icon(ICONS.search), this.#field), this.#close),
    this.#options,
    this.#status,
    this.#note,
  );
  /** @type {Model[]} */
  #models = [];
  /** @type {ModelChoice} */
  #choice = { names: [], selected: "", fallback: "", recent: [], load: async () => null };
  /** The shown models, in the order of their options. @type {Model[]} */
  #shown = [];
  #active = -1;
  #wasOpen = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer = undefined;

  /**
   * @param {HTMLElement} anchor the button that opens it
   * @param {(name: string) => void} chosen
   */
  constructor(anchor, chosen) {
    document.adoptedStyleSheets.push(sheetOf(modelsCss));
    this.#anchor = anchor;
    this.#chosen = chosen;
    document.body.append(this.element);
    this.#field.addEventListener("input", () => this.#draw(true));
    this.#field.addEventListener("keydown", (event) => this.#keyPressed(event));
    // Escape closes the list; outside it would stop an answer.
    this.element.addEventListener("keydown", (event) => event.key === "Escape" && event.stopPropagation());
    this.#options.addEventListener("keydown", (event) => this.#keyPressed(event));
    this.#options.addEventListener("click", (event) => {
      const option = event.target instanceof Element ? event.target.closest("[role=option]") : null;
      if (option) this.#choose(this.#shown[Number(option.id.slice("model-".length))]);
    });
    this.#close.addEventListener("click", () => this.element.hidePopover());
    // A press on the button closes the list before the button's click, which must not open it again.
    anchor.addEventListener("pointerdown", () => (this.#wasOpen = this.#isOpen));
    this.element.addEventListener("toggle", () => anchor.setAttribute("aria-expanded", String(this.#isOpen)));
    addEventListener("resize", () => this.#isOpen && this.#place());
  }

  get #isOpen() {
    return this.element.matches(":popover-open");
  }

  /**
   * Open the list, or close it.
   * @param {ModelChoice} choice
   */
  toggle(choice) {
    const wasOpen = this.#wasOpen || this.#isOpen;
    this.#wasOpen = false;
    if (wasOpen) return this.element.hidePopover();
    this.#choice = choice;
    if (this.#models.length === 0) this.#models = modelsNamed(choice.names);
    this.#field.value = "";
    this.element.showPopover();
    this.#draw(false);
    this.#place();
    this.#options.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
    // On a touch screen the keyboard would cover the list.
    if (isTouch()) this.#options.focus({ preventScroll: true });
    else this.#field.focus({ preventScroll: true });
    void this.#refresh();
  }

  /**
   * Read the server's listing, and show it if the list is still open.
   * @param {number} [tries] how many times it may be read
   */
  async #refresh(tries = MAX_PENDING) {
    const { load } = this.#choice;
    const { models, isPending } = parseListing(await load().catch(() => null));
    if (models.length > 0) this.#models = models;
    if (!this.#isOpen) return;
    const { scrollTop } = this.#options;
    this.#draw(this.#field.value !== "", this.#shown[this.#active]?.name);
    this.#options.scrollTop = scrollTop;
    this.#place();
    if (!isPending || tries <= 1) return;
    setText(this.#status, this.#words.loading);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#isOpen && void this.#refresh(tries - 1), PENDING_MS);
  }

  /**
   * @param {boolean} isSearch whether to highlight the first match instead of the selected model
   * @param {string} [active] full name of the model to highlight
   */
  #draw(isSearch, active) {
    const { recent, selected } = this.#choice;
    const search = this.#field.value.trim();
    const { groups, left } = findModels(this.#models, { search, recent });
    this.#shown = groups.flatMap(({ models }) => models);
    let at = 0;
    const drawn = groups.map(({ provider, models }, number) => {
      const title = h("div", { class: "group-title", id: `model-group-${number}` }, provider === null ? this.#words.recent : nameProvider(provider));
      const rows = models.map((model) => this.#row(model, at++, provider === null));
      return h("div", { role: "group", "aria-labelledby": title.id }, title, ...rows);
    });
    this.#options.replaceChildren(...drawn);
    if (left > 0) this.#options.append(h("p", { class: "left" }, this.#words.more(formatCount(left))));
    const index = this.#shown.findIndex(({ name }) => name === (active ?? selected));
    this.#activate(index < 0 || (isSearch && active === undefined) ? 0 : index);
    const isPriced = this.#shown.some(({ input }) => input !== null);
    setText(this.#note, isPriced ? this.#words.perMillion : "");
    setText(this.#status, this.#shown.length === 0 ? this.#words.none : "");
  }

  /**
   * @param {Model} model
   * @param {number} at
   * @param {boolean} isRecent
   */
  #row(model, at, isRecent) {
    const { id, name, title, provider, window, input, output, images, reasoning } = model;
    const { selected, fallback } = this.#choice;
    const figures = [
      isRecent ? nameProvider(provider) : "",
      name === fallback ? this.#words.isDefault : "",
      window === null ? "" : this.#words.context(formatWindow(window)),
      input === null || output === null ? "" : input + output === 0 ? this.#words.free : this.#words.prices(formatPrice(input), formatPrice(output)),
    ].filter(Boolean);
    const abilities = [images ? ability(ICONS.image, this.#words.images) : "", reasoning ? ability(ICONS.idea, this.#words.reasoning) : ""].filter(Boolean);
    return h(
      "div",
      { role: "option", id: `model-${at}`, class: "model-row", "aria-selected": String(name === selected) },
      h("span", { class: "model-name" }, h("bdi", { title: title || id }, id), ...abilities),
      h("span", { class: "figures" }, ...figures.map((text) => h("span", {}, text))),
      icon(ICONS.done),
    );
  }

  /** @param {number} index */
  #activate(index) {
    this.#option(this.#active)?.classList.remove("active");
    this.#active = index;
    const option = this.#option(index);
    option?.classList.add("active");
    option?.scrollIntoView({ block: "nearest" });
    for (const element of [this.#field, this.#options]) {
      if (option) element.setAttribute("aria-activedescendant", option.id);
      else element.removeAttribute("aria-activedescendant");
    }
  }

  /**
   * @param {number} index
   * @returns {HTMLElement | null}
   */
  #option(index) {
    return this.#options.querySelector(`#model-${index}`);
  }

  /** @param {KeyboardEvent} event */
  #keyPressed(event) {
    if (event.isComposing || event.altKey || event.ctrlKey || event.metaKey) return;
    const last = this.#shown.length - 1;
    const inList = event.target === this.#options;
    /** @type {Record<string, number>} */
    const moves = {
      ArrowDown: this.#active >= last ? 0 : this.#active + 1,
      ArrowUp: this.#active <= 0 ? last : this.#active - 1,
      PageDown: Math.min(last, this.#active + 8),
      PageUp: Math.max(0, this.#active - 8),
      ...(inList || this.#field.value === "" ? { Home: 0, End: last } : {}),
    };
    const to = moves[event.key];
    if (to !== undefined && last >= 0) this.#activate(to);
    else if (event.key === "Enter" || (inList && event.key === " ")) this.#choose(this.#shown[this.#active]);
    else if (event.key === "Escape" && this.#field.value !== "") {
      this.#field.value = "";
      this.#draw(false);
    } else return;
    event.preventDefault();
  }

  /** @param {Model | undefined} model */
  #choose(model) {
    if (!model) return;
    this.element.hidePopover();
    this.#anchor.focus();
    this.#chosen(model.name);
  }

  /** Put the list below its button; on a narrow screen, at the foot, where the style sheet puts it. */
  #place() {
    const { style } = this.element;
    if (matchMedia(SHEET).matches) {
      style.left = style.top = style.maxHeight = "";
      return;
    }
    const anchor = this.#anchor.getBoundingClientRect();
    const { width } = this.element.getBoundingClientRect();
    const start = document.dir === "rtl" ? anchor.left : anchor.right - width;
    style.left = `${Math.round(Math.min(Math.max(MARGIN_PX, start), innerWidth - width - MARGIN_PX))}px`;
    style.top = `${Math.round(anchor.bottom + GAP_PX)}px`;
    style.maxHeight = `${Math.round(Math.min(innerHeight - anchor.bottom - GAP_PX - 2 * MARGIN_PX, 560))}px`;
  }
}

/**
 * Return an icon for something that a model can do.
 * @param {string} path
 * @param {string} name
 */
function ability(path, name) {
  const drawn = icon(path);
  return h("span", { class: "ability", role: "img", "aria-label": name, title: name }, drawn);
}

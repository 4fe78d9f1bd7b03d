/** The button that names the model and opens the list to choose from. The list is loaded when it is first opened. */
import { ICONS, h, icon, setText } from "../dom/elements.js";
import { loadRecentModels, saveRecentModels } from "../conversation/storage.js";
import { words } from "../strings/words.js";

/** @typedef {() => Promise<unknown>} LoadModels resolves to the body of the server's listing; null: there is none */

/** As many of the models used last are listed first. */
const MAX_RECENT = 4;

/** The choice of a model. */
export class ModelPicker {
  #models;
  #load;
  #choose;
  #label = h("bdi", { class: "model" });
  element = h("button", { type: "button", class: "tool picker", "aria-haspopup": "dialog", "aria-expanded": "false" }, this.#label, icon(ICONS.below));
  /** Full name of the selected model. */
  #selected = "";
  /** @type {import("./model-list.js").ModelList | null} null until it is first opened */
  #list = null;

  /**
   * @param {readonly string[]} models full names of the models known when the page was made, the default first
   * @param {LoadModels} load
   * @param {(name: string | undefined) => void} choose called with a choice; undefined: the default
   */
  constructor(models, load, choose) {
    this.#models = models;
    this.#load = load;
    this.#choose = choose;
    this.element.hidden = models.length === 0;
    this.element.addEventListener("click", () => void this.open());
    this.value = models[0] ?? "";
  }

  /** Full name of the selected model. */
  get value() {
    return this.#selected;
  }

  set value(name) {
    this.#selected = name;
    const short = shortName(name, this.#models);
    setText(this.#label, short);
    this.element.setAttribute("aria-label", `${words.model} ${short}`);
    this.element.title = `${words.model} ${name}`;
  }

  /** Open the list, or close it. */
  async open() {
    const { ModelList } = await import("./model-list.js");
    this.#list ??= new ModelList(this.element, (name) => this.#chosen(name));
    const [fallback = ""] = this.#models;
    this.#list.toggle({ names: this.#models, selected: this.#selected, fallback, recent: loadRecentModels(), load: this.#load });
  }

  /** @param {string} name */
  #chosen(name) {
    saveRecentModels([...new Set([name, this.#selected, ...loadRecentModels()])].slice(0, MAX_RECENT));
    this.value = name;
    this.#choose(name === this.#models[0] ? undefined : name);
  }
}

/**
 * Return the model's name without its provider, unless another provider has a model of that name.
 * @param {string} name
 * @param {readonly string[]} names
 */
function shortName(name, names) {
  const short = name.slice(name.indexOf("/") + 1);
  return names.filter((other) => other.endsWith(`/${short}`)).length > 1 ? name : short;
}

/** The models to choose from: parsed from the server's listing, searched and grouped. Pure. */

/**
 * @typedef {object} Model
 * @property {string} name full name, `provider/model`
 * @property {string} provider
 * @property {string} id the provider's name for it
 * @property {string} title its name as it is written; empty: unknown
 * @property {number | null} window the context window in tokens; null: unknown
 * @property {number | null} input the price of a million tokens read, in US dollars; null: unknown
 * @property {number | null} output the same for tokens written
 * @property {boolean} images whether it accepts images
 * @property {boolean} reasoning whether it reasons before it answers
 */

/** @typedef {{provider: string | null, models: Model[]}} ModelGroup `provider` is null for the models used last */

/** More models than this are not read from a listing. */
const MAX_MODELS = 5_000;
/** More rows than this are not shown at once; a search finds the others. */
export const MAX_ROWS = 200;

/**
 * Parse the body of the server's `GET /models`. Models that are not as expected, or named before, are left out.
 * @param {unknown} body
 * @returns {{models: Model[], isPending: boolean}} `isPending`: a provider is still being asked
 */
export function parseListing(body) {
  /** @type {Map<string, Model>} */
  const found = new Map();
  let isPending = false;
  for (const group of arrayIn(body, "groups")) {
    const { provider, state } = fieldsOf(group);
    if (typeof provider !== "string") continue;
    isPending ||= state === "pending";
    for (const row of arrayIn(group, "models").slice(0, MAX_MODELS)) {
      const model = parseModel(provider, fieldsOf(row));
      if (model && !found.has(model.name) && found.size < MAX_MODELS) found.set(model.name, model);
    }
  }
  return { models: [...found.values()], isPending };
}

/**
 * Return models of which only the names are known.
 * @param {readonly string[]} names full names
 * @returns {Model[]}
 */
export function modelsNamed(names) {
  return names.flatMap((full) => {
    const [provider = "", ...name] = full.split("/");
    return parseModel(provider, { name: name.join("/") }) ?? [];
  });
}

/**
 * @param {string} provider
 * @param {Record<string, unknown>} fields
 * @returns {Model | null}
 */
function parseModel(provider, { name, title, context_window, images, reasoning, prices }) {
  if (typeof name !== "string" || name === "") return null;
  const { input, output } = fieldsOf(prices);
  return {
    name: `${provider}/${name}`,
    provider,
    id: name,
    title: typeof title === "string" ? title : "",
    window: typeof context_window === "number" && context_window > 0 ? context_window : null,
    input: parsePrice(input),
    output: parsePrice(output),
    images: images === true,
    reasoning: reasoning === true,
  };
}

/**
 * @param {unknown} value
 * @returns {Record<string, unknown>} empty if it is no object
 */
function fieldsOf(value) {
  return value !== null && typeof value === "object" ? /** @type {Record<string, unknown>} */ (value) : {};
}

/**
 * @param {unknown} value
 * @param {string} name
 * @returns {unknown[]}
 */
function arrayIn(value, name) {
  const found = fieldsOf(value)[name];
  return Array.isArray(found) ? found : [];
}

/** @param {unknown} value a number, or a decimal as text */
function parsePrice(value) {
  const price = typeof value === "string" && value !== "" ? Number(value) : value;
  return typeof price === "number" && Number.isFinite(price) && price >= 0 ? price : null;
}

/**
 * Return the models that contain all words of a search, in their order: those used last, then by provider.
 * @param {readonly Model[]} models
 * @param {{search: string, recent: readonly string[]}} query `recent` are full names
 * @returns {{groups: ModelGroup[], left: number}} `left` is how many more match
 */
export function findModels(models, { search, recent }) {
  const words = fold(search).split(" ").filter(Boolean);
  const matching = models.filter(({ name, title }) => words.every((word) => fold(`${name} ${title}`).includes(word)));
  const last = recent.flatMap((name) => matching.find((model) => model.name === name) ?? []);
  const others = matching.filter((model) => !last.includes(model));
  const providers = [...new Set(others.map(({ provider }) => provider))];
  const byProvider = providers.map((provider) => ({ provider, models: others.filter((model) => model.provider === provider) }));
  const left = Math.max(0, matching.length - MAX_ROWS);
  const shown = left === 0 ? byProvider : cut(byProvider, MAX_ROWS - last.length);
  return { groups: [{ provider: null, models: last }, ...shown].filter((group) => group.models.length > 0), left };
}

/**
 * Return groups with at most this many models in all.
 * @param {{provider: string, models: Model[]}[]} groups
 * @param {number} count
 */
function cut(groups, count) {
  let rest = count;
  return groups.map(({ provider, models }) => {
    const kept = models.slice(0, Math.max(0, rest));
    rest -= kept.length;
    return { provider, models: kept };
  });
}

/** @param {string} text */
function fold(text) {
  return text.toLowerCase().replace(/[\s_:/.-]+/g, " ");
}

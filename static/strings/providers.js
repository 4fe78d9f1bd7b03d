/** The providers' own spelling of their names. */

/** @type {Record<string, string>} */
const PROVIDERS = { openai: "OpenAI", anthropic: "Anthropic", ollama: "Ollama", mock: "Mock" };

/**
 * Return a provider's name as it is written.
 * @param {string} provider
 */
export function nameProvider(provider) {
  return PROVIDERS[provider] ?? provider;
}

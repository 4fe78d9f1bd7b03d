"""Settings of model providers: the default one, keys, addresses, timeouts and retries."""

from __future__ import annotations

from dataclasses import dataclass

from webapp.settings import parsers
from webapp.settings.field import setting


@dataclass(frozen=True, kw_only=True)
class ProviderSettings:
    """Model providers: the default one, their keys and addresses, timeouts and retries."""

    provider: str | None = setting(
        "FRESHET_PROVIDER",
        None,
        parsers.provider,
        "the default provider: openai, anthropic, ollama or mock; by default the first that is configured",
    )
    model: str | None = setting(
        "FRESHET_MODEL",
        None,
        parsers.text,
        "the default provider's model; by default the first of a list in `models.toml` that the provider has",
    )
    max_tokens: int | None = setting(
        "FRESHET_MAX_TOKENS",
        None,
        parsers.integer(1, 1_000_000),
        "the maximum answer in tokens, reasoning included; by default 4,096 for the text, and on top of it what the model may need "
        "for its reasoning: 2,048 tokens at low effort, 8,192 at medium or the model's own, 16,384, 32,768 and 65,536 above, together "
        "at most the model's longest answer",
    )
    fallback: tuple[str, ...] = setting(
        "FRESHET_FALLBACK",
        (),
        parsers.providers,
        "providers (or `provider/model`) to try when the first one fails before its first word, separated by commas",
    )
    models_file: str | None = setting(
        "FRESHET_MODELS_FILE",
        None,
        parsers.readable_file,
        "a TOML file whose models are added to the built-in table or replace its rows",
    )
    openai_api_key: str | None = setting(
        "OPENAI_API_KEY",
        None,
        parsers.api_key,
        "the API key for OpenAI, or for the server of OPENAI_BASE_URL",
        secret=True,
    )
    openai_base_url: str | None = setting(
        "OPENAI_BASE_URL",
        None,
        parsers.url,
        "an OpenAI-compatible server: vLLM, llama.cpp, LM Studio, Groq, OpenRouter, DeepSeek…",
    )
    openai_api: str = setting(
        "FRESHET_OPENAI_API",
        "auto",
        parsers.one_of("auto", "chat", "responses"),
        "the API that `openai` is called by: `chat` for Chat Completions, `responses` for Responses; with `auto`, Responses for "
        "the models of OpenAI's own server that need it, and wherever a server refuses Chat Completions in favour of it",
    )
    anthropic_api_key: str | None = setting(
        "ANTHROPIC_API_KEY", None, parsers.api_key, "the API key for Anthropic", secret=True
    )
    anthropic_base_url: str | None = setting(
        "ANTHROPIC_BASE_URL", None, parsers.url, "another base URL for Anthropic's API"
    )
    ollama_host: str | None = setting(
        "OLLAMA_HOST", None, parsers.ollama_host, "an Ollama server, such as http://127.0.0.1:11434"
    )
    ollama_keep_alive: int | str | None = setting(
        "OLLAMA_KEEP_ALIVE",
        None,
        parsers.keep_alive,
        "how long Ollama keeps a model loaded after an answer: `30m`, seconds, or -1 for ever; by default as that server is set",
    )
    skip_api_key_check: bool = setting(
        "SKIP_API_KEY_CHECK",
        False,
        parsers.boolean,
        "replay a recorded answer for a provider whose key is missing",
    )

    connect_s: float = setting(
        "FRESHET_CONNECT_S", 10.0, parsers.number(0.1, 120), "seconds to connect to a provider, TLS included"
    )
    first_byte_s: float = setting(
        "FRESHET_FIRST_BYTE_S",
        300.0,
        parsers.number(0.1, 3_600),
        "seconds from the request to the first byte of the provider's response",
    )
    idle_s: float = setting(
        "FRESHET_IDLE_S",
        120.0,
        parsers.number(0.1, 3_600),
        "seconds between two reads of the provider's response",
    )
    quiet_s: float = setting(
        "FRESHET_QUIET_S",
        600.0,
        parsers.number(0.1, 3_600),
        "seconds in which a provider sends only comments or pings",
    )
    total_s: float = setting(
        "FRESHET_TOTAL_S",
        1_800.0,
        parsers.number(0.1, 86_400),
        "seconds for a whole answer; a longer one is cut off",
    )
    retries: int = setting(
        "FRESHET_RETRIES",
        2,
        parsers.integer(0, 5),
        "retries of a failed call to a provider; only before its first word",
    )
    retry_max_s: float = setting(
        "FRESHET_RETRY_MAX_S",
        20.0,
        parsers.number(0, 300),
        "the longest Retry-After, in seconds, that is honoured",
    )

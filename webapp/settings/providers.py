"""Settings of model providers: which one answers, keys, addresses, timeouts and retries."""

from __future__ import annotations

from dataclasses import dataclass

from webapp.settings import parsers
from webapp.settings.field import setting


@dataclass(frozen=True, kw_only=True)
class ProviderSettings:
    """Model providers: which one answers, with which key, and how long to wait for it."""

    # Who answers.
    provider: str | None = setting(
        "FRESHET_PROVIDER",
        None,
        parsers.provider,
        "the default provider; else the first that is configured",
    )
    model: str | None = setting(
        "FRESHET_MODEL",
        None,
        parsers.text,
        "the default provider's model; else the one that `models.toml` marks",
    )
    max_tokens: int = setting(
        "FRESHET_MAX_TOKENS",
        4096,
        parsers.whole(1, 1_000_000),
        "the longest answer, its reasoning included, in tokens",
    )
    fallback: tuple[str, ...] = setting(
        "FRESHET_FALLBACK",
        (),
        parsers.providers,
        "providers (or `provider/model`) to try when the first one fails before its first word",
    )
    models_file: str | None = setting(
        "FRESHET_MODELS_FILE", None, parsers.file, "a TOML file whose models override the built-in table"
    )
    openai_api_key: str | None = setting(
        "OPENAI_API_KEY", None, parsers.key, "OpenAI's key, or that of a compatible server", secret=True
    )
    openai_base_url: str | None = setting(
        "OPENAI_BASE_URL",
        None,
        parsers.url,
        "a compatible server: vLLM, llama.cpp, LM Studio, Groq, OpenRouter, DeepSeek…",
    )
    anthropic_api_key: str | None = setting(
        "ANTHROPIC_API_KEY", None, parsers.key, "Anthropic's key", secret=True
    )
    anthropic_base_url: str | None = setting(
        "ANTHROPIC_BASE_URL", None, parsers.url, "another address for Anthropic's API"
    )
    ollama_host: str | None = setting(
        "OLLAMA_HOST", None, parsers.ollama, "an Ollama server, such as http://127.0.0.1:11434"
    )
    skip_api_key_check: bool = setting(
        "SKIP_API_KEY_CHECK", False, parsers.flag, "play a provider's recording where its key is missing"
    )

    # Timeouts with providers.
    connect_s: float = setting(
        "FRESHET_CONNECT_S", 10.0, parsers.number(0.1, 120), "to connect, TLS included"
    )
    first_byte_s: float = setting(
        "FRESHET_FIRST_BYTE_S", 300.0, parsers.number(0.1, 3_600), "from the request to the first byte"
    )
    idle_s: float = setting(
        "FRESHET_IDLE_S", 120.0, parsers.number(0.1, 3_600), "between two bytes of an answer"
    )
    quiet_s: float = setting(
        "FRESHET_QUIET_S", 600.0, parsers.number(0.1, 3_600), "with nothing but comments"
    )
    total_s: float = setting(
        "FRESHET_TOTAL_S",
        1_800.0,
        parsers.number(0.1, 86_400),
        "for a whole answer; then it is cut as too long",
    )
    retries: int = setting(
        "FRESHET_RETRIES",
        2,
        parsers.whole(0, 5),
        "how often a failed call is repeated, before its first word only",
    )
    retry_max_s: float = setting(
        "FRESHET_RETRY_MAX_S", 20.0, parsers.number(0, 300), "the longest wait that a provider may ask for"
    )

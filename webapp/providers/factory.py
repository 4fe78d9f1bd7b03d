"""Creates providers from the settings. Their transport and TLS context are shared, and made when first needed."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable
from typing import Any

from webapp.catalog.models import ModelTable
from webapp.errors import ConfigurationError
from webapp.providers import anthropic, mock, ollama, openai
from webapp.providers.base import BaseProvider
from webapp.providers.http.client import HttpTransport, Timeouts, trust
from webapp.providers.recorded import RecordedTransport
from webapp.providers.retries import RetryingClient
from webapp.seams import Transport
from webapp.settings import PROVIDERS, Settings, parsers

_KEYS = {"openai": "OPENAI_API_KEY", "anthropic": "ANTHROPIC_API_KEY"}
_OPTIONS: dict[str, Callable[[str], str]] = {"api_key": parsers.key, "base_url": parsers.url}


class ProviderFactory:
    """Creates providers for one set of settings; they share one transport and TLS context."""

    def __init__(self, settings: Settings, models: ModelTable) -> None:
        self._settings = settings
        self._models = models
        self._http: HttpTransport | None = None
        self._lock = threading.Lock()
        self._makers: dict[str, Callable[..., BaseProvider]] = {
            "openai": self._openai,
            "anthropic": self._anthropic,
            "ollama": self._ollama,
            "mock": self._mock,
        }

    def make(self, name: str, model_name: str, max_tokens: int, **options: Any) -> BaseProvider:
        """Return a provider; raises `ConfigurationError` that names the missing key or the unknown option."""
        maker = self._makers.get(name)
        if maker is None:
            raise ConfigurationError(f"unknown provider {name!r}: it must be one of {', '.join(PROVIDERS)}")
        try:
            return maker(model_name=model_name, max_tokens=max_tokens, pricer=self._models.cost, **options)
        except TypeError as error:
            raise ConfigurationError(f"{name}: {error}") from error

    def close(self) -> None:
        """Close the idle connections; calls in progress go on."""
        with self._lock:
            if self._http is not None:
                self._http.close()

    def _openai(
        self, *, api_key: str | None = None, base_url: str | None = None, model_name: str, **rest: Any
    ) -> BaseProvider:
        address = _checked("base_url", base_url) or self._settings.openai_base_url or openai.BASE_URL
        key = _checked("api_key", api_key) or self._settings.openai_api_key
        # Another server needs no key; OpenAI's own does.
        client, key = self._client("openai", key, needed=address.startswith(openai.BASE_URL))
        row = self._models.find("openai", model_name)
        return openai.OpenAIProvider(
            client,
            api_key=key,
            base_url=address,
            model_name=model_name,
            reasoning=row is not None and row.reasoning,
            max_line_bytes=self._settings.max_line_bytes,
            **rest,
        )

    def _anthropic(
        self, *, api_key: str | None = None, base_url: str | None = None, **rest: Any
    ) -> BaseProvider:
        own = _checked("api_key", api_key)
        client, key = self._client("anthropic", own or self._settings.anthropic_api_key, needed=True)
        return anthropic.AnthropicProvider(
            client,
            api_key=key,
            base_url=_checked("base_url", base_url)
            or self._settings.anthropic_base_url
            or anthropic.BASE_URL,
            max_line_bytes=self._settings.max_line_bytes,
            **rest,
        )

    def _ollama(self, *, base_url: str | None = None, **rest: Any) -> BaseProvider:
        address = _checked("base_url", base_url) or self._settings.ollama_host
        played = self._settings.skip_api_key_check and address is None
        transport: Transport = RecordedTransport("ollama") if played else self._transport()
        return ollama.OllamaProvider(
            self._retrying(transport),
            base_url=address or ollama.BASE_URL,
            max_line_bytes=self._settings.max_line_bytes,
            **rest,
        )

    @staticmethod
    def _mock(**rest: Any) -> BaseProvider:
        return mock.MockProvider(**rest)

    def _client(self, name: str, key: str | None, *, needed: bool) -> tuple[RetryingClient, str | None]:
        """Return a client: of the network with a key, of a recording where the key may be missing."""
        if key or not needed:
            return self._retrying(self._transport()), key
        if self._settings.skip_api_key_check:
            return self._retrying(RecordedTransport(name)), None
        raise ConfigurationError(
            f"{_KEYS[name]} is not set: the {name} provider needs it (SKIP_API_KEY_CHECK=true plays a recording)",
            setting=_KEYS[name],
        )

    def _retrying(self, transport: Transport) -> RetryingClient:
        settings = self._settings
        return RetryingClient(
            transport, retries=settings.retries, retry_max_s=settings.retry_max_s, quiet_s=settings.quiet_s
        )

    def _transport(self) -> HttpTransport:
        with self._lock:
            if self._http is None:
                self._http = HttpTransport(_timeouts(self._settings), self._context())
            return self._http

    def _context(self) -> ssl.SSLContext:
        return trust(self._settings.ssl_cert_file, self._settings.requests_ca_bundle)


def _checked(name: str, option: str | None) -> str | None:
    """Check an option as the variable of the same meaning is checked."""
    if not option:
        return None
    try:
        return _OPTIONS[name](option)
    except ValueError as error:
        raise ConfigurationError(f"{name} {error}") from None


def _timeouts(settings: Settings) -> Timeouts:
    return Timeouts(
        connect_s=settings.connect_s,
        first_byte_s=settings.first_byte_s,
        idle_s=settings.idle_s,
        quiet_s=settings.quiet_s,
        max_line_bytes=settings.max_line_bytes,
    )

"""Creates providers from the settings, with a shared transport."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

from webapp.catalog.models import ModelTable
from webapp.errors import ConfigurationError
from webapp.providers import mock
from webapp.providers.anthropic import provider as anthropic
from webapp.providers.base import BaseProvider
from webapp.providers.http.client import HttpTransport, Timeouts, create_tls_context
from webapp.providers.listings.fetching import MAX_BYTES
from webapp.providers.listings.model_listing import TOTAL_S, ModelListing
from webapp.providers.missing_models import Available, ModelNamingClient
from webapp.providers.ollama import provider as ollama
from webapp.providers.openai import addresses as openai
from webapp.providers.openai.chat import OpenAIProvider
from webapp.providers.openai.dialects import OpenAIDialects
from webapp.providers.openai.models import needs_responses
from webapp.providers.openai.responses import OpenAIResponsesProvider
from webapp.providers.recorded import RecordedTransport
from webapp.providers.refusals.memory import RefusedParameters
from webapp.providers.retries import RetryingClient
from webapp.seams import Control, Transport
from webapp.settings import PROVIDERS, Settings, parsers

_KEYS = {"openai": "OPENAI_API_KEY", "anthropic": "ANTHROPIC_API_KEY"}
_LISTING_S = 2.0  # the longest wait for the names of models after a call to one that is missing
_MAX_LISTINGS = 100
_OPTIONS: dict[str, Callable[[str], str]] = {"api_key": parsers.api_key, "base_url": parsers.url}


def provider_addresses(settings: Settings) -> dict[str, str]:
    """Return the scheme, host and port at which each configured provider is called, without user and path."""
    addresses = {
        "openai": settings.openai_base_url or openai.BASE_URL,
        "anthropic": settings.anthropic_base_url or anthropic.BASE_URL,
        "ollama": settings.ollama_host or ollama.BASE_URL,
    }
    configured = settings.configured_providers()
    return {name: _origin(url) for name, url in addresses.items() if name in configured}


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


class ProviderFactory:
    """Creates providers that share one transport and TLS context, which are created on first use."""

    def __init__(self, settings: Settings, models: ModelTable) -> None:
        self._settings = settings
        self._models = models
        self._http: HttpTransport | None = None
        self._refused = RefusedParameters()
        self._listing_http: HttpTransport | None = None
        self._tls: ssl.SSLContext | None = None
        self._listings: dict[tuple[str, str | None, str | None], ModelListing] = {}
        self._lock = threading.Lock()
        self._makers: dict[str, Callable[..., BaseProvider]] = {
            "openai": self._openai,
            "anthropic": self._anthropic,
            "ollama": self._ollama,
            "mock": self._mock,
        }

    def make(
        self,
        name: str,
        model_name: str,
        max_tokens: int,
        *,
        may_name: Callable[[str], bool] = lambda _: True,
        **options: Any,
    ) -> BaseProvider:
        """Create a provider. Raises `ConfigurationError` naming the missing key or the unknown option.

        `may_name` is whether an error for a missing model may name another one, which is listed.
        """
        maker = self._makers.get(name)
        if maker is None:
            raise ConfigurationError(f"unknown provider {name!r}: use one of {', '.join(PROVIDERS)}")
        try:
            return maker(
                model_name=model_name,
                max_tokens=max_tokens,
                pricer=self._models.compute_cost,
                available=lambda control: list(filter(may_name, self._available(name, options, control))),
                **options,
            )
        except TypeError as error:
            raise ConfigurationError(f"{name}: {error}") from error

    def listing(
        self, name: str, *, api_key: str | None = None, base_url: str | None = None, **options: Any
    ) -> ModelListing | None:
        """Return the list of a provider's models, which is shared by all callers; None where a recording is played.

        Asks the provider nothing yet. Raises `ConfigurationError` as `make` does.
        """
        del options  # of the mock provider
        if name == "mock" or self._is_recorded(name, api_key, base_url):
            return None
        key = (name, api_key, base_url)
        listing = self._listings.get(key)
        if listing is None:
            chosen: dict[str, Any] = {"api_key": api_key, "base_url": base_url}
            provider = self.make(name, "", 1, **{option: value for option, value in chosen.items() if value})
            listing = ModelListing(
                name,
                lambda control: provider.list_models(self._listing_transport(), control),
                lambda listed: self._models.learn(name, listed),
            )
            if len(self._listings) < _MAX_LISTINGS:
                listing = self._listings.setdefault(key, listing)
        return listing

    def close(self) -> None:
        """Close the idle connections; calls in progress continue."""
        with self._lock:
            for transport in (self._http, self._listing_http):
                if transport is not None:
                    transport.close()

    def _is_recorded(self, name: str, api_key: str | None, base_url: str | None) -> bool:
        settings = self._settings
        has_access = {
            "openai": api_key or base_url or settings.openai_api_key or settings.openai_base_url,
            "anthropic": api_key or settings.anthropic_api_key,
            "ollama": base_url or settings.ollama_host,
        }
        return settings.skip_api_key_check and not has_access[name]

    def _available(self, name: str, options: dict[str, Any], control: Control) -> Sequence[str]:
        """Return the names of the models that a provider lists, those to prefer first."""
        listing = self.listing(name, **options)
        if listing is None:
            return ()
        return self._models.order(name, listing.get(_LISTING_S, control))

    def _openai(
        self,
        *,
        api_key: str | None = None,
        base_url: str | None = None,
        model_name: str,
        available: Available,
        **rest: Any,
    ) -> BaseProvider:
        address = _checked("base_url", base_url) or self._settings.openai_base_url or openai.BASE_URL
        key = _checked("api_key", api_key) or self._settings.openai_api_key
        # Only OpenAI's own server requires a key.
        needed = openai.is_own_server(address)
        client, key = self._client("openai", model_name, key, available, needed=needed)
        row = self._models.find("openai", model_name)
        mode = self._settings.openai_api
        options = rest | {
            "api_key": key,
            "base_url": address,
            "model_name": model_name,
            "max_line_bytes": self._settings.max_line_bytes,
            "reasoning": row is not None and bool(row.reasoning),
            "refused": self._refused,
        }
        chat = OpenAIProvider(client, **options)
        if mode == "chat" or (needed and not key):  # the recording is of Chat Completions
            return chat
        is_needed = needed and needs_responses(model_name)
        return OpenAIDialects(
            chat,
            OpenAIResponsesProvider(client, **options),
            first_responses=mode == "responses" or is_needed,
            refused=self._refused,
        )

    def _anthropic(
        self,
        *,
        api_key: str | None = None,
        base_url: str | None = None,
        model_name: str,
        available: Available,
        **rest: Any,
    ) -> BaseProvider:
        key = _checked("api_key", api_key) or self._settings.anthropic_api_key
        client, key = self._client("anthropic", model_name, key, available, needed=True)
        return anthropic.AnthropicProvider(
            client,
            model_name=model_name,
            api_key=key,
            base_url=_checked("base_url", base_url)
            or self._settings.anthropic_base_url
            or anthropic.BASE_URL,
            refused=self._refused,
            max_line_bytes=self._settings.max_line_bytes,
            **rest,
        )

    def _ollama(
        self, *, base_url: str | None = None, model_name: str, available: Available, **rest: Any
    ) -> BaseProvider:
        address = _checked("base_url", base_url) or self._settings.ollama_host
        is_recorded = self._settings.skip_api_key_check and address is None
        transport: Transport = RecordedTransport("ollama") if is_recorded else self._transport()
        return ollama.OllamaProvider(
            self._retrying(transport, model_name, available),
            model_name=model_name,
            base_url=address or ollama.BASE_URL,
            keep_alive=self._settings.ollama_keep_alive,
            status_transport=None if is_recorded else self._listing_transport,
            refused=self._refused,
            max_line_bytes=self._settings.max_line_bytes,
            **rest,
        )

    @staticmethod
    def _mock(*, available: Available, **rest: Any) -> BaseProvider:
        del available
        return mock.MockProvider(**rest)

    def _client(
        self, name: str, model: str, key: str | None, available: Available, *, needed: bool
    ) -> tuple[RetryingClient, str | None]:
        """Return a client and its key; if a needed key is missing, a client of a recording or `ConfigurationError`."""
        if key or not needed:
            return self._retrying(self._transport(), model, available), key
        if self._settings.skip_api_key_check:
            return self._retrying(RecordedTransport(name), model, available), None
        raise ConfigurationError(
            f"{_KEYS[name]} is not set: set it for {name}, or set SKIP_API_KEY_CHECK=true to play a recording",
            setting=_KEYS[name],
        )

    def _retrying(self, transport: Transport, model: str, available: Available) -> RetryingClient:
        settings = self._settings
        return ModelNamingClient(
            transport,
            model=model,
            available=available,
            retries=settings.retries,
            retry_max_s=settings.retry_max_s,
            quiet_s=settings.quiet_s,
        )

    def _transport(self) -> HttpTransport:
        with self._lock:
            if self._http is None:
                self._http = HttpTransport(_timeouts(self._settings), self._context())
            return self._http

    def _listing_transport(self) -> HttpTransport:
        """Return the transport for listings, whose timeouts and limits are tighter than those of answers."""
        with self._lock:
            if self._listing_http is None:
                wait_s = min(self._settings.connect_s, TOTAL_S)
                timeouts = Timeouts(
                    connect_s=wait_s, first_byte_s=TOTAL_S, idle_s=TOTAL_S, max_body_bytes=MAX_BYTES
                )
                self._listing_http = HttpTransport(timeouts, self._context())
            return self._listing_http

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = self._create_context()
        return self._tls

    def _create_context(self) -> ssl.SSLContext:
        return create_tls_context(self._settings.ssl_cert_file, self._settings.requests_ca_bundle)


def _checked(name: str, option: str | None) -> str | None:
    """Return an option after the checks of the corresponding environment variable. Raises `ConfigurationError`."""
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

"""Settings to providers, models and engine: the one place where things are put together. No Flask."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from webapp import variables
from webapp.access.addresses import Proxies
from webapp.access.allowances import allowances_of
from webapp.access.secret import Secret
from webapp.errors import ConfigurationError
from webapp.framing import Rules
from webapp.models import Models
from webapp.providers import anthropic, mock, ollama, openai
from webapp.providers.base import BaseProvider, Calling
from webapp.providers.paced import Patience
from webapp.providers.recorded import RecordedTransport
from webapp.providers.transport import HttpTransport, trust
from webapp.runs.registry import Limits, Runs
from webapp.seams import Transport
from webapp.settings import PROVIDERS, Settings

if TYPE_CHECKING:
    from webapp.access.limits import Limiter
    from webapp.store.store import Store

DEFAULT_MAX_TOKENS = 300
_DEFAULT_MODELS = {
    "openai": openai.DEFAULT_MODEL,
    "anthropic": anthropic.DEFAULT_MODEL,
    "ollama": ollama.DEFAULT_MODEL,
    "mock": mock.DEFAULT_MODEL,
}
_KEYS = {"openai": "OPENAI_API_KEY", "anthropic": "ANTHROPIC_API_KEY"}


class Workshop:
    """Makes providers for one set of settings; their transport and TLS context are shared and made when needed."""

    def __init__(self, settings: Settings, models: Models) -> None:
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
        """Make a provider; raises `ConfigurationError` that names the missing key or the unknown option."""
        maker = self._makers.get(name)
        if maker is None:
            raise ConfigurationError(f"unknown provider {name!r}: it must be one of {', '.join(PROVIDERS)}")
        try:
            return maker(model_name=model_name, max_tokens=max_tokens, pricer=self._models.cost, **options)
        except TypeError as error:
            raise ConfigurationError(f"{name}: {error}") from error

    def close(self) -> None:
        """Let go of the transport's connections; calls in progress go on."""
        with self._lock:
            if self._http is not None:
                self._http.close()

    def _openai(
        self, *, api_key: str | None = None, base_url: str | None = None, model_name: str, **rest: Any
    ) -> BaseProvider:
        address = _checked("base_url", base_url) or self._settings.openai_base_url or openai.BASE_URL
        key = _checked("api_key", api_key) or self._settings.openai_api_key
        # A server of one's own needs no key; OpenAI's own does.
        calling, key = self._calling("openai", key, needed=address.startswith(openai.BASE_URL))
        row = self._models.find("openai", model_name)
        return openai.OpenAIProvider(
            calling,
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
        calling, key = self._calling("anthropic", own or self._settings.anthropic_api_key, needed=True)
        return anthropic.AnthropicProvider(
            calling,
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
            self._caller(transport),
            base_url=address or ollama.BASE_URL,
            max_line_bytes=self._settings.max_line_bytes,
            **rest,
        )

    @staticmethod
    def _mock(**rest: Any) -> BaseProvider:
        return mock.MockProvider(**rest)

    def _calling(self, name: str, key: str | None, *, needed: bool) -> tuple[Calling, str | None]:
        """Find the way to call: the network with a key, a recording where the key may be missing."""
        if key or not needed:
            return self._caller(self._transport()), key
        if self._settings.skip_api_key_check:
            return self._caller(RecordedTransport(name)), None
        raise ConfigurationError(
            f"{_KEYS[name]} is not set: the {name} provider needs it (SKIP_API_KEY_CHECK=true plays a recording)",
            setting=_KEYS[name],
        )

    def _caller(self, transport: Transport) -> Calling:
        settings = self._settings
        return Calling(
            transport, retries=settings.retries, retry_max_s=settings.retry_max_s, quiet_s=settings.quiet_s
        )

    def _transport(self) -> HttpTransport:
        with self._lock:
            if self._http is None:
                self._http = HttpTransport(_patience(self._settings), self._context())
            return self._http

    def _context(self) -> ssl.SSLContext:
        return trust(self._settings.ssl_cert_file, self._settings.requests_ca_bundle)


def make_runs(settings: Settings, models: Models) -> Runs:
    """Make the engine."""
    limits = Limits(
        max_streams=settings.max_streams,
        max_readers=2 * settings.max_streams,
        run_max_bytes=settings.run_max_bytes,
        log_max_bytes=settings.log_max_bytes,
        total_s=settings.total_s,
        expiry_s=settings.expiry_s,
        heartbeat_s=settings.heartbeat_s,
    )
    rules = Rules(
        window_s=settings.frame_ms / 1000, deltas=settings.frame_deltas, newline=settings.frame_newline
    )
    return Runs(limits, rules, models.cost)


def make_store(settings: Settings) -> Store:
    """Make the store of conversations; nothing is opened yet."""
    from webapp.store.room import Limits  # noqa: PLC0415  (whoever only asks a provider needs no database)
    from webapp.store.store import Store  # noqa: PLC0415

    limits = Limits(owner_bytes=settings.owner_max_bytes, file_bytes=settings.import_max_bytes)
    return Store(settings.database_url, settings.data_dir, limits)


def make_proxies(settings: Settings) -> Proxies:
    """Make the list of proxies whose word counts."""
    return Proxies(settings.trusted_proxies, settings.platform)


def make_secret(settings: Settings, store: Store) -> Secret:
    """Make the server's secret; nothing is read yet."""
    shared = None if settings.database_url is None else store.shared_secret
    return Secret(settings.secret_key, settings.data_dir, shared)


def make_limiter(settings: Settings) -> Limiter:
    """Make the count of what callers use."""
    from webapp.access.limits import Limiter  # noqa: PLC0415  (whoever only asks a provider has no limits)

    return Limiter(
        allowances_of(settings),
        address_share=settings.address_share,
        address_visitors=settings.address_visitors,
    )


def create_provider(
    name: str,
    model_name: str | None = None,
    max_tokens: int = DEFAULT_MAX_TOKENS,
    *,
    settings: Settings | None = None,
    **options: Any,
) -> BaseProvider:
    """Make a provider to call directly, without a server.

    `name` is openai, anthropic, ollama or mock. Keys and addresses come from the environment unless
    `options` hold them: `api_key` and `base_url`; for mock `delay_ms` (50) and `script`. Raises
    `ConfigurationError` that names the variable of a missing key, unless SKIP_API_KEY_CHECK is true: then
    a recording of the provider is played through its real decoder.
    """
    if settings is None:
        settings = read_settings()
    if name not in PROVIDERS:
        raise ConfigurationError(f"unknown provider {name!r}: it must be one of {', '.join(PROVIDERS)}")
    workshop = Workshop(settings, Models.read(settings.models_file))
    return workshop.make(name, model_name or _DEFAULT_MODELS[name], max_tokens, **options)


def read_settings() -> Settings:
    """Read the settings of this process's environment; the roof's one look at it."""
    import os  # noqa: PLC0415  (nothing else in this module may see the environment)

    return Settings.read(os.environ)


_OPTIONS: dict[str, Callable[[str], str]] = {"api_key": variables.key, "base_url": variables.url}


def _checked(name: str, option: str | None) -> str | None:
    """Hold an option of code's to what the variable of the same meaning is held to."""
    if not option:
        return None
    try:
        return _OPTIONS[name](option)
    except ValueError as error:
        raise ConfigurationError(f"{name} {error}") from None


def _patience(settings: Settings) -> Patience:
    return Patience(
        connect_s=settings.connect_s,
        first_byte_s=settings.first_byte_s,
        idle_s=settings.idle_s,
        quiet_s=settings.quiet_s,
        max_line_bytes=settings.max_line_bytes,
    )

"""Settings to providers, models and engine: the one place where things are put together. No Flask."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from webapp import variables
from webapp.chat import ModelRequest
from webapp.errors import ConfigurationError, InvalidRequest
from webapp.framing import Rules
from webapp.models import Models
from webapp.providers import anthropic, mock, ollama, openai
from webapp.providers.base import BaseProvider, Calling
from webapp.providers.paced import Patience
from webapp.providers.recorded import RecordedTransport
from webapp.providers.transport import HttpTransport, trust
from webapp.runs.registry import Limits, Runs
from webapp.seams import Provider, Transport
from webapp.settings import PROVIDERS, UNLOCKS, Settings

if TYPE_CHECKING:
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


class ProviderCatalog:
    """Which provider answers what; see `seams.Catalog`."""

    def __init__(
        self,
        settings: Settings,
        models: Models,
        workshop: Workshop,
        options: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        """Know the providers of `settings`; `options` go to the provider that they are listed for."""
        self._settings = settings
        self._models = models
        self._workshop = workshop
        self._options = dict(options or {})
        self._configured = settings.configured()
        self._made: dict[tuple[str, str], Provider] = {}

    @property
    def default(self) -> Provider:
        """Who answers when a request names nobody."""
        return self.resolve(None, None)[0]

    def resolve(self, provider: str | None, model: str | None) -> Sequence[Provider]:
        """Find the chain for what a request names."""
        first = self._provider(*self._named(provider, model))
        chain = [first]
        for name in self._settings.fallback:
            other, _, other_model = name.partition("/")
            link = self._provider(other, other_model or self._default_model(other))
            if link not in chain:
                chain.append(link)
        return chain

    def check(self, provider: Provider, request: ModelRequest) -> None:
        """Refuse what a model is known to lack."""
        self._models.check(provider.name, provider.model_name, request.messages, request.max_tokens)

    def room(self, provider: Provider, max_tokens: int | None) -> int | None:
        """Tell what is left of a model's window beside an answer; half of it at least."""
        row = self._models.find(provider.name, provider.model_name)
        if row is None or row.window is None:
            return None
        longest = max_tokens or self._models.longest(
            provider.name, provider.model_name, self._settings.max_tokens
        )
        return row.window - min(longest, row.window // 2)

    def sees(self, provider: Provider) -> bool:
        """Tell whether images may be shown to a model."""
        row = self._models.find(provider.name, provider.model_name)
        return row is None or row.images is not False

    def listed(self) -> Sequence[str]:
        """Name the known models of the configured providers."""
        names = [f"{name}/{self._default_model(name)}" for name in self._configured]
        known = [f"{name}/{row.name}" for name in self._configured for row in self._models.of(name)]
        return list(dict.fromkeys([*names, *known]))

    def blind(self) -> Sequence[str]:
        """Name those of the listed models that are known not to see images."""
        found = []
        for name in self.listed():
            provider, _, model = name.partition("/")
            row = self._models.find(provider, model)
            if row is not None and row.images is False:
                found.append(name)
        return found

    def _named(self, provider: str | None, model: str | None) -> tuple[str, str]:
        if provider is not None:
            self._check_configured(provider)
            if model is not None:
                model = model.removeprefix(f"{provider}/")
            return provider, model or self._default_model(provider)
        if model is None:
            name = self._settings.default_provider
            return name, self._default_model(name)
        prefix, slash, rest = model.partition("/")
        if slash and rest and prefix in self._configured:
            return prefix, rest
        owner = self._models.owner(model, self._configured)
        return owner or self._settings.default_provider, model

    def _check_configured(self, provider: str) -> None:
        if provider not in PROVIDERS:
            raise InvalidRequest(
                f"There is no provider of that name; there are {', '.join(self._configured)}.",
                param="provider",
                code="unknown_provider",
            )
        if provider not in self._configured:
            raise InvalidRequest(
                f"{provider} is not configured here: {UNLOCKS[provider]} is not set.",
                param="provider",
                code="provider_not_configured",
            )

    def _default_model(self, name: str) -> str:
        if self._settings.model and name == self._settings.default_provider:
            return self._settings.model.removeprefix(f"{name}/")
        return self._models.default(name)

    def _provider(self, name: str, model: str) -> Provider:
        if name == "mock":
            model = mock.DEFAULT_MODEL  # it takes any name, and says its own
        known = self._made.get((name, model))
        if known is None:
            longest = self._models.longest(name, model, self._settings.max_tokens)
            known = self._workshop.make(name, model, longest, **self._options.get(name, {}))
            if len(self._made) < 1_000:  # models are named by callers
                self._made[name, model] = known
        return known


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

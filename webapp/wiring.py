"""Settings to providers, models and engine: the one place where things are put together. No Flask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from webapp.access.addresses import Proxies
from webapp.access.allowances import allowances_of
from webapp.access.secret import Secret
from webapp.catalog.models import ModelTable
from webapp.errors import ConfigurationError
from webapp.framing import Rules
from webapp.providers import anthropic, mock, ollama, openai
from webapp.providers.base import BaseProvider
from webapp.providers.factory import ProviderFactory
from webapp.runs.registry import RunLimits, Runs
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


def make_runs(settings: Settings, models: ModelTable) -> Runs:
    """Make the engine."""
    limits = RunLimits(
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
    from webapp.store.quota import StorageLimits  # noqa: PLC0415  (whoever only asks a provider needs no database)
    from webapp.store.store import Store  # noqa: PLC0415

    limits = StorageLimits(owner_bytes=settings.owner_max_bytes, file_bytes=settings.import_max_bytes)
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
    workshop = ProviderFactory(settings, ModelTable.read(settings.models_file))
    return workshop.make(name, model_name or _DEFAULT_MODELS[name], max_tokens, **options)


def read_settings() -> Settings:
    """Read the settings of this process's environment; the roof's one look at it."""
    import os  # noqa: PLC0415  (nothing else in this module may see the environment)

    return Settings.read(os.environ)

"""Creates the gate, the store, the limiter, providers and the run engine from the settings. Nothing here knows Flask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from webapp.access.addresses import TrustedProxies
from webapp.access.allowances import allowances_of
from webapp.access.gate import Gate
from webapp.access.secret import Secret
from webapp.catalog.models import ModelTable
from webapp.errors import ConfigurationError
from webapp.framing import FramingRules
from webapp.measurements import Observer
from webapp.providers import mock
from webapp.providers.anthropic import provider as anthropic
from webapp.providers.base import BaseProvider
from webapp.providers.factory import ProviderFactory
from webapp.providers.ollama import provider as ollama
from webapp.providers.openai import chat as openai
from webapp.runs.registry import Runs
from webapp.runs.run_limits import RunLimits
from webapp.seams import Journal, SharedCounters
from webapp.settings import PROVIDERS, Settings

if TYPE_CHECKING:
    from webapp.access.limits import Limiter
    from webapp.metrics import Metrics
    from webapp.store.store import Store

DEFAULT_MAX_TOKENS = 300
_DEFAULT_MODELS = {
    "openai": openai.DEFAULT_MODEL,
    "anthropic": anthropic.DEFAULT_MODEL,
    "ollama": ollama.DEFAULT_MODEL,
    "mock": mock.DEFAULT_MODEL,
}


def make_gate(settings: Settings) -> Gate:
    """Create the gate from the settings."""
    return Gate(
        password=settings.access_password,
        public=settings.public,
        local=settings.local,
        mock_only=settings.is_mock_only,
        origins=settings.allowed_origins,
        operator_key=settings.operator_key,
    )


def make_metrics(models: ModelTable) -> Metrics:
    """Create the metrics."""
    from webapp.metrics import Metrics  # noqa: PLC0415  (create_provider counts nothing)

    return Metrics(models.table_name)


def make_journal(settings: Settings) -> Journal:
    """Create the journal of running answers; it connects to nothing yet. Each kind's driver is imported only where it is used."""
    if settings.journal == "memory":
        from webapp.journal.memory import MemoryJournal  # noqa: PLC0415

        return MemoryJournal()
    if settings.redis_url is not None:
        from webapp.journal.redis import RedisJournal  # noqa: PLC0415

        # Heroku's certificates are self-signed: https://devcenter.heroku.com/articles/connecting-heroku-redis
        return RedisJournal(settings.redis_url, verify=settings.platform != "heroku")
    from webapp.journal.database import DatabaseJournal  # noqa: PLC0415

    return DatabaseJournal(settings.database_url, settings.data_dir)


def make_runs(
    settings: Settings,
    models: ModelTable,
    observer: Observer | None = None,
    journal: Journal | None = None,
) -> Runs:
    """Create the run engine."""
    limits = RunLimits(
        max_streams=settings.max_streams,
        max_readers=2 * settings.max_streams,
        run_max_bytes=settings.run_max_bytes,
        log_max_bytes=settings.log_max_bytes,
        total_s=settings.total_s,
        expiry_s=settings.expiry_s,
        heartbeat_s=settings.heartbeat_s,
        lease_s=settings.lease_s,
    )
    rules = FramingRules(
        window_s=settings.frame_ms / 1000, deltas=settings.frame_deltas, newline=settings.frame_newline
    )
    return Runs(limits, rules, models.compute_cost, observer, journal)


def make_store(settings: Settings) -> Store:
    """Create the conversation store; it connects to no database yet."""
    from webapp.store.quota import StorageLimits  # noqa: PLC0415  (create_provider needs no database)
    from webapp.store.store import Store  # noqa: PLC0415

    limits = StorageLimits(owner_bytes=settings.owner_max_bytes, file_bytes=settings.import_max_bytes)
    return Store(settings.database_url, settings.data_dir, limits, workers=settings.web_concurrency)


def make_proxies(settings: Settings) -> TrustedProxies:
    """Create the list of trusted proxies."""
    return TrustedProxies(settings.trusted_proxies, settings.platform)


def make_secret(settings: Settings, store: Store) -> Secret:
    """Create the holder of the server's secret; it reads no file and no database yet."""
    shared = None if settings.database_url is None else store.shared_secret
    return Secret(settings.secret_key, settings.data_dir, shared)


def make_limiter(settings: Settings, shared: SharedCounters | None) -> Limiter:
    """Create the limiter that counts what callers use, over all workers that have the counters `shared`."""
    from webapp.access.limits import Limiter  # noqa: PLC0415  (create_provider needs no limits)

    return Limiter(
        allowances_of(settings),
        address_share=settings.address_share,
        address_visitors=settings.address_visitors,
        shared=shared,
    )


def create_provider(
    name: str,
    model_name: str | None = None,
    max_tokens: int = DEFAULT_MAX_TOKENS,
    *,
    settings: Settings | None = None,
    **options: Any,
) -> BaseProvider:
    """Create a provider to call directly, without a server.

    `name` is openai, anthropic, ollama or mock. Keys and URLs come from the environment unless
    `options` has them: `api_key` and `base_url`; for mock `delay_ms` (50) and `script`. Raises
    `ConfigurationError` that names the variable of a missing key; if SKIP_API_KEY_CHECK is true, a
    recorded response is decoded by the provider's real decoder instead.
    """
    if settings is None:
        settings = read_settings()
    if name not in PROVIDERS:
        raise ConfigurationError(f"unknown provider {name!r}: use one of {', '.join(PROVIDERS)}")
    factory = ProviderFactory(settings, ModelTable.read(settings.models_file))
    return factory.make(name, model_name or _DEFAULT_MODELS[name], max_tokens, **options)


def read_settings() -> Settings:
    """Read the settings from this process's environment; in this module only this function does."""
    import os  # noqa: PLC0415  (a test allows it in this function only)

    return Settings.read(os.environ)

"""Finds the provider and the model for what a request names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from webapp.catalog.models import ModelTable
from webapp.chat import ModelRequest
from webapp.errors import InvalidRequest
from webapp.providers import mock
from webapp.seams import Provider
from webapp.settings import PROVIDERS, UNLOCKS, Settings


class ProviderSource(Protocol):
    """Creates providers; see `factory.ProviderFactory`."""

    def make(self, name: str, model_name: str, max_tokens: int, **options: Any) -> Provider:
        """Return one; raises `ConfigurationError`."""


class ProviderRegistry:
    """The configured providers; see `seams.Providers`."""

    def __init__(
        self,
        settings: Settings,
        models: ModelTable,
        factory: ProviderSource,
        options: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        """Use the providers of `settings`; `options` go to the provider that they are listed for."""
        self._settings = settings
        self._models = models
        self._factory = factory
        self._options = dict(options or {})
        self._configured = settings.configured()
        self._made: dict[tuple[str, str], Provider] = {}

    @property
    def default(self) -> Provider:
        """The provider that answers when a request names none."""
        return self.resolve(None, None)[0]

    def resolve(self, provider: str | None, model: str | None) -> Sequence[Provider]:
        """Return the provider for what a request names, and its fallbacks."""
        first = self._provider(*self._named(provider, model))
        chain = [first]
        for name in self._settings.fallback:
            other, _, other_model = name.partition("/")
            link = self._provider(other, other_model or self._default_model(other))
            if link not in chain:
                chain.append(link)
        return chain

    def check(self, provider: Provider, request: ModelRequest) -> None:
        """Raise `InvalidRequest` for what a model is known to lack."""
        self._models.check(provider.name, provider.model_name, request.messages, request.max_tokens)

    def is_priced(self, provider: Provider) -> bool:
        """Return whether a model may be used where only priced ones are; see `seams.Providers`."""
        return self._is_priced(provider.name, provider.model_name)

    def longest(self, provider: Provider) -> int:
        """Return the longest answer of a model, as far as the operator allows."""
        return self._models.longest(provider.name, provider.model_name, self._settings.max_tokens)

    def room(self, provider: Provider, max_tokens: int | None) -> int | None:
        """Return what is left of a model's window beside an answer; half of it at least."""
        row = self._models.find(provider.name, provider.model_name)
        if row is None or row.window is None:
            return None
        longest = max_tokens or self._models.longest(
            provider.name, provider.model_name, self._settings.max_tokens
        )
        return row.window - min(longest, row.window // 2)

    def sees(self, provider: Provider) -> bool:
        """Return whether a model takes images."""
        row = self._models.find(provider.name, provider.model_name)
        return row is None or row.images is not False

    def listed(self, *, priced: bool = False) -> Sequence[str]:
        """Return the known models of the configured providers."""
        names = [(name, self._default_model(name)) for name in self._configured]
        known = [(name, row.name) for name in self._configured for row in self._models.of(name)]
        return [
            f"{name}/{model}"
            for name, model in dict.fromkeys([*names, *known])
            if not priced or self._is_priced(name, model)
        ]

    def blind(self) -> Sequence[str]:
        """Return those of the listed models that are known to take no images."""
        found = []
        for name in self.listed():
            provider, _, model = name.partition("/")
            row = self._models.find(provider, model)
            if row is not None and row.images is False:
                found.append(name)
        return found

    def _is_priced(self, provider: str, model: str) -> bool:
        own_server = provider == "openai" and self._settings.openai_base_url is not None
        if provider in ("mock", "ollama") or own_server or f"{provider}/{model}" in self._chosen():
            return True
        return self._models.is_priced(provider, model)

    def _chosen(self) -> set[str]:
        """Return the models that the operator named, each as `provider/model`."""
        first = self._settings.default_provider
        named = {f"{first}/{self._default_model(first)}"} if self._settings.model else set()
        for fallback in self._settings.fallback:
            provider, _, model = fallback.partition("/")
            named.add(f"{provider}/{model or self._default_model(provider)}")
        return named

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
            model = mock.DEFAULT_MODEL  # it takes any name, and reports its own
        known = self._made.get((name, model))
        if known is None:
            longest = self._models.longest(name, model, self._settings.max_tokens)
            known = self._factory.make(name, model, longest, **self._options.get(name, {}))
            if len(self._made) < 1_000:  # models are named by callers
                self._made[name, model] = known
        return known

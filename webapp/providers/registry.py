"""Finds the provider and the model for a request."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple, Protocol

import msgspec

from webapp.catalog.efforts import reasoning_tokens
from webapp.catalog.listing import ListedModel
from webapp.catalog.models import ModelTable
from webapp.catalog.parameters import check_known
from webapp.catalog.rows import Model
from webapp.chat import Effort, ModelRequest
from webapp.errors import InvalidRequest
from webapp.providers import mock
from webapp.providers.anthropic.models import find_claude_model
from webapp.providers.listings.model_listing import ModelListing
from webapp.providers.model_facts import describe
from webapp.seams import ListingState, ModelFacts, ModelGroup, Provider
from webapp.settings import PROVIDERS, REQUIRED_VARIABLES, Settings

_FIRST_WAIT_S = 2.0  # how long a question without a model waits for the provider's first list of models
_MAX_CACHED = 1_000  # callers choose the models' names


class ProviderSource(Protocol):
    """Creates providers; see `factory.ProviderFactory`."""

    def make(self, name: str, model_name: str, max_tokens: int, **options: Any) -> Provider:
        """Create a provider. Raises `ConfigurationError`."""

    def listing(self, name: str, **options: Any) -> ModelListing | None:
        """Return the list of a provider's models, or None if it has none. Raises `ConfigurationError`."""


class _KnownGroup(NamedTuple):
    """A group of models, and what it was built of."""

    listed: Sequence[ListedModel]
    state: ListingState
    default: str
    group: ModelGroup


class ProviderRegistry:
    """The configured providers; see `seams.Providers`."""

    def __init__(
        self,
        settings: Settings,
        models: ModelTable,
        factory: ProviderSource,
        options: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        """Use the configured providers of `settings`; `options` are the factory's options by provider."""
        self._settings = settings
        self._models = models
        self._factory = factory
        self._options = dict(options or {})
        self._configured = settings.configured_providers()
        self._cache: dict[tuple[str, str], Provider] = {}
        self._groups: dict[tuple[str, bool], _KnownGroup] = {}
        self._chosen: dict[str, tuple[Sequence[ListedModel], str]] = {}

    @property
    def default(self) -> Provider:
        """The provider for requests that name none, with its default model as far as is known. Never waits."""
        name = self._settings.default_provider
        return self._provider(name, self._default_model(name))

    def resolve(self, provider: str | None, model: str | None) -> Sequence[Provider]:
        """Return the provider for a request, followed by its fallbacks; see `seams.Providers`."""
        first = self._provider(*self._split_names(provider, model))
        chain = [first]
        for name in self._settings.fallback:
            other, _, other_model = name.partition("/")
            fallback = self._provider(other, other_model or self._default_model(other))
            if fallback not in chain:
                chain.append(fallback)
        return chain

    def check(self, provider: Provider, request: ModelRequest) -> None:
        """Raise `InvalidRequest` if the model is known not to support something in the request."""
        check_known(provider.name, request.parameters)
        self._models.check(provider.name, provider.model_name, request)
        provider.check(request)

    def is_priced(self, provider: Provider) -> bool:
        """Return whether a model may be used where only priced ones are; see `seams.Providers`."""
        return self._is_priced(provider.name, provider.model_name)

    def max_answer_tokens(self, provider: Provider, effort: Effort | None = None) -> int:
        """Return the limit of an answer's tokens, reasoning included, for requests without one; see `seams.Providers`."""
        return self._text_tokens(provider.name, provider.model_name) + self._reasoning_room(
            provider.name, provider.model_name, effort
        )

    def reasoning_tokens(self, provider: Provider, effort: Effort | None) -> int:
        """Return how many tokens an answer may need for its reasoning; see `seams.Providers`."""
        return self._reasoning_tokens(provider.name, provider.model_name, effort)

    def max_input_tokens(
        self, provider: Provider, max_tokens: int | None, effort: Effort | None = None
    ) -> int | None:
        """Return the context window minus the answer's tokens, but at least half of the window.

        In the tokens of our estimates, of which newer Claude models have more for the same text.
        """
        row = self._models.find(provider.name, provider.model_name)
        if row is None or row.context_window is None:
            return None
        answer_tokens = max_tokens or self.max_answer_tokens(provider, effort)
        fitting = row.context_window - min(answer_tokens, row.context_window // 2)
        claude = find_claude_model(provider.model_name) if provider.name == "anthropic" else None
        return fitting if claude is None else int(fitting / claude.token_scale)

    def supports_images(self, provider: Provider) -> bool:
        """Return whether a model accepts images; an unknown model is assumed to."""
        row = self._models.find(provider.name, provider.model_name)
        return row is None or row.supports_images is not False

    def refresh_models(self, wait_s: float = 0.0) -> None:
        """Ask the configured providers for their models in the background; see `seams.Providers`."""
        listings = [listing for name in self._configured if (listing := self._listing(name)) is not None]
        for listing in listings:
            listing.get()
        until = time.monotonic() + wait_s
        for listing in listings:
            listing.get(max(0.0, until - time.monotonic()))

    def list_groups(self, *, priced: bool = False) -> Sequence[ModelGroup]:
        """Return the models of the configured providers; see `seams.Providers`."""
        first = self._settings.default_provider
        groups = [self._group(name, priced=priced) for name in dict.fromkeys([first, *self._configured])]
        return [group for group in groups if group.models]

    def find_model(self, name: str, *, priced: bool = False) -> ModelFacts | None:
        """Return a model by its full name, or by its name alone; see `seams.Providers`."""
        models = [model for group in self.list_groups(priced=priced) for model in group.models]
        found = [model for model in models if model.id == name] or [
            model for model in models if model.name == name
        ]
        return found[0] if found else None

    def list_models(self, *, priced: bool = False) -> Sequence[str]:
        """Return the known models of the configured providers."""
        return [model.id for group in self.list_groups(priced=priced) for model in group.models]

    def list_text_only_models(self) -> Sequence[str]:
        """Return those of `list_models` that are known not to accept images."""
        return [model.id for group in self.list_groups() for model in group.models if model.images is False]

    def _group(self, provider: str, *, priced: bool) -> ModelGroup:
        """Return a provider's models; the group is built anew only after what it depends on has changed."""
        listing = self._listing(provider)
        listed = () if listing is None else listing.get()
        state: ListingState = "unavailable" if listing is None else "listed" if listed else listing.state
        default = self._default_model(provider)
        key = (provider, priced)
        known = self._groups.get(key)
        if known is None or known.listed is not listed or (known.state, known.default) != (state, default):
            group = self._build_group(provider, listed, state, default, priced=priced)
            known = self._groups[key] = _KnownGroup(listed, state, default, group)
        return known.group

    def _build_group(
        self, provider: str, listed: Sequence[ListedModel], state: ListingState, default: str, *, priced: bool
    ) -> ModelGroup:
        created = {model.name: model.created for model in listed}
        if listed:
            names = self._models.order(provider, listed)
        else:
            names = [row.name for row in self._models.list_by_provider(provider)]
        return ModelGroup(
            provider=provider,
            state=state,
            models=tuple(
                describe(
                    provider,
                    name,
                    self._models.find(provider, name),
                    listed=name in created,
                    created=created.get(name, 0),
                )
                for name in dict.fromkeys([default, *self._models.list_own(provider), *names])
                if not priced or self._is_priced(provider, name)
            ),
        )

    def _listing(self, provider: str) -> ModelListing | None:
        return self._factory.listing(provider, **self._options.get(provider, {}))

    def _is_priced(self, provider: str, model: str) -> bool:
        own_server = provider == "openai" and self._settings.openai_base_url is not None
        if provider in ("mock", "ollama") or own_server or f"{provider}/{model}" in self._operator_models():
            return True
        return self._models.is_priced(provider, model)

    def _may_name(self, provider: str, model: str) -> bool:
        """Return whether an error may name a model: every caller reads it, so it must be one that every kind of caller may use."""
        settings = self._settings
        choices = (settings.visitor_models, settings.user_models, settings.key_models)
        return "priced" not in choices or self._is_priced(provider, model)

    def _operator_models(self) -> set[str]:
        """Return the models that the settings name, each as `provider/model`."""
        first = self._settings.default_provider
        named = {f"{first}/{self._default_model(first)}"} if self._settings.model else set()
        for fallback in self._settings.fallback:
            provider, _, model = fallback.partition("/")
            named.add(f"{provider}/{model or self._default_model(provider)}")
        return named

    def _split_names(self, provider: str | None, model: str | None) -> tuple[str, str]:
        """Return the provider's and the model's name for the fields of a request, of which each may be None."""
        if provider is not None:
            self._check_configured(provider)
            if model is not None:
                model = self._without_prefix(provider, model)
            return provider, model or self._awaited_default_model(provider)
        if model is None:
            name = self._settings.default_provider
            return name, self._awaited_default_model(name)
        prefix, slash, rest = model.partition("/")
        if slash and rest and prefix in self._configured:
            return prefix, self._without_prefix(prefix, model)
        found = self._models.find_provider(model, self._configured)
        return found or self._settings.default_provider, model

    def _without_prefix(self, provider: str, model: str) -> str:
        """Return a model's name without `provider/`, unless that is part of the name, as in Groq's `openai/gpt-oss-120b`."""
        name = model.removeprefix(f"{provider}/")
        is_part = self._models.is_listed(provider, model) and not self._models.is_listed(provider, name)
        return model if is_part else name

    def _check_configured(self, provider: str) -> None:
        if provider not in PROVIDERS:
            raise InvalidRequest(
                f"Unknown provider. Use one of {', '.join(self._configured)}.",
                param="provider",
                code="unknown_provider",
            )
        if provider not in self._configured:
            raise InvalidRequest(
                f"{provider} is not configured here: {REQUIRED_VARIABLES[provider]} is not set.",
                param="provider",
                code="provider_not_configured",
            )

    def _awaited_default_model(self, name: str) -> str:
        """Return a provider's default model, and wait for its first list of models where that decides."""
        if not self._is_chosen_by_operator(name):
            listing = self._listing(name)
            if listing is not None:
                listing.get(_FIRST_WAIT_S)
        return self._default_model(name)

    def _default_model(self, name: str) -> str:
        """Return a provider's default model, as far as is known now."""
        if self._settings.model and name == self._settings.default_provider:
            return self._without_prefix(name, self._settings.model)
        listing = self._listing(name)
        listed = () if listing is None else listing.peek()
        chosen = self._chosen.get(name)
        if chosen is None or chosen[0] is not listed:
            chosen = (listed, self._models.default_model(name, [model.name for model in listed]))
            self._chosen[name] = chosen
        return chosen[1]

    def _is_chosen_by_operator(self, name: str) -> bool:
        is_set = self._settings.model is not None and name == self._settings.default_provider
        return is_set or self._models.operator_default(name) is not None

    def _provider(self, name: str, model: str) -> Provider:
        if name == "mock":
            model = mock.DEFAULT_MODEL  # mock accepts any model's name
        provider = self._cache.get((name, model))
        if provider is None:
            provider = self._factory.make(
                name,
                model,
                self._text_tokens(name, model),
                may_name=partial(self._may_name, name),
                reasoning_room=partial(self._reasoning_room, name, model),
                **self._options.get(name, {}),
            )
            if len(self._cache) < _MAX_CACHED:
                self._cache[name, model] = provider
        return provider

    def _text_tokens(self, name: str, model: str) -> int:
        return self._models.cap_answer_tokens(name, model, self._settings.text_tokens)

    def _reasoning_room(self, name: str, model: str, effort: Effort | None) -> int:
        """Return what is added to the limit of an answer's text, within the model's longest answer and FRESHET_MAX_TOKENS."""
        if self._settings.max_tokens is not None:
            return 0
        text = self._text_tokens(name, model)
        needed = self._reasoning_tokens(name, model, effort)
        return self._models.cap_answer_tokens(name, model, text + needed) - text

    def _reasoning_tokens(self, name: str, model: str, effort: Effort | None) -> int:
        row = self._models.find(name, model)
        claude = find_claude_model(model) if name == "anthropic" else None
        if claude is not None:
            if effort is None and not claude.thinks:
                return 0  # it thinks only if it is told to
            efforts = () if claude.off is None else ("none",)
            row = row or Model(provider=name, name=model)
            row = msgspec.structs.replace(row, reasoning=claude.reasons, efforts=(*efforts, *claude.efforts))
        return reasoning_tokens(row, effort)

"""The model table: `models.toml`, what the providers list, and the checks and costs that are computed from both."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from importlib.resources import files
from pathlib import Path

import msgspec

from webapp.catalog.efforts import check_effort
from webapp.catalog.listing import ListedModel
from webapp.catalog.names import choose_listed, find_place, strip_date
from webapp.catalog.rows import Model
from webapp.chat import ImagePart, ModelRequest, Usage
from webapp.errors import ConfigurationError, InvalidRequest


class _Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    model: list[Model]
    dated: datetime.date | None = None  # the former name of `as_of`
    as_of: datetime.date | None = None
    defaults: dict[str, list[str]] = {}


class ModelTable:
    """The known models by provider and name: the table's rows, the operator's, and what the providers list.

    Thread-safe: `learn` replaces what it changes.
    """

    def __init__(
        self,
        rows: Iterable[Model],
        *,
        preferred: Mapping[str, Sequence[str]] | None = None,
        operator_rows: Iterable[Model] = (),
        as_of: datetime.date | None = None,
    ) -> None:
        own = list(operator_rows)
        self.as_of = as_of
        self._rows = {(row.provider, row.name): row for row in (*rows, *own)}
        self._own = {(row.provider, row.name) for row in own}
        self._marked = {row.provider: row.name for row in reversed(own) if row.default}
        self._preferred = {name: tuple(models) for name, models in (preferred or {}).items()}
        self._listed: dict[str, dict[str, ListedModel]] = {}

    @classmethod
    def read(cls, override: str | None = None) -> ModelTable:
        """Read the built-in table and merge the operator's file at the path `override` into it.

        Raises `ConfigurationError` when that file is unreadable or is not a model table.
        """
        document = _parse(files("webapp.catalog").joinpath("models.toml").read_bytes())
        own = _read_operator_rows(override) if override else []
        return cls(document.model, preferred=document.defaults, operator_rows=own, as_of=document.as_of)

    def learn(self, provider: str, listed: Iterable[ListedModel]) -> None:
        """Replace what a provider lists: its models, and what it says of them."""
        self._listed = {**self._listed, provider: {model.name: model for model in listed}}

    def find(self, provider: str, name: str) -> Model | None:
        """Return a model, or None. A dated name such as `gpt-4.1-2025-04-14` matches the row `gpt-4.1`.

        What the provider lists of a model replaces the built-in row's values, but not those of the operator's.
        """
        row = self._find_row(provider, name)
        listed = self._listed.get(provider, {}).get(name)
        if listed is None or (row is not None and (provider, row.name) in self._own):
            return row
        return _merge_listed(row or Model(provider=provider, name=name), listed)

    def table_name(self, provider: str, name: str) -> str | None:
        """Return the name of a model's row in the table, whatever the provider lists; None without one."""
        row = self._find_row(provider, name)
        return None if row is None else row.name

    def is_listed(self, provider: str, name: str) -> bool:
        """Return whether the provider is known to list a model."""
        return name in self._listed.get(provider, ())

    def operator_default(self, provider: str) -> str | None:
        """Return the model that the operator's file marks as a provider's default, or None."""
        return self._marked.get(provider)

    def default_model(self, provider: str, listed: Sequence[str] | None = None) -> str:
        """Return the name of a provider's default model.

        The operator's; else the first of the table's ordered list that is among `listed`, or where none is one of `listed`
        with a middle price, or the first if no price is known; without `listed`, the table's first. Raises `ConfigurationError` when there is none.
        """
        marked = self._marked.get(provider)
        if marked is not None:
            return marked
        preferred = self._preferred.get(provider, ())
        if listed:
            return choose_listed(preferred, listed) or self._mid_priced(provider, listed)
        if not preferred:
            raise ConfigurationError(f"models.toml names no default model for {provider}")
        return preferred[0]

    def order(self, provider: str, listed: Sequence[ListedModel]) -> list[str]:
        """Return the names of listed models: those of the table's ordered list first, then the newest."""
        places = {name: place for place, name in enumerate(self._preferred.get(provider, ()))}

        def key(model: ListedModel) -> tuple[int, int]:
            place = find_place(model.name, places)
            return len(places) if place is None else place, -model.created

        return [model.name for model in sorted(listed, key=key)]

    def list_by_provider(self, provider: str) -> list[Model]:
        """Return the rows of a provider's models: its default, those of the table's ordered list, then the others.

        What the provider lists is not among them.
        """
        first = self.default_model(provider)
        places = {name: place for place, name in enumerate(self._preferred.get(provider, ()))}
        rows = [
            msgspec.structs.replace(row, default=row.name == first)
            for row in self._rows.values()
            if row.provider == provider
        ]
        return sorted(rows, key=lambda row: (not row.default, places.get(row.name, len(places))))

    def list_own(self, provider: str) -> list[str]:
        """Return the names of a provider's models in the operator's file."""
        return [name for owner, name in self._rows if owner == provider and (owner, name) in self._own]

    def find_provider(self, name: str, providers: Sequence[str]) -> str | None:
        """Return the first of `providers` with a model of this name, or None."""
        return next(
            (
                provider
                for provider in providers
                if self._find_row(provider, name) or name in self._listed.get(provider, ())
            ),
            None,
        )

    def compute_cost(self, provider: str, names: Sequence[str], usage: Usage) -> Decimal | None:
        """Return the cost of an answer in US dollars, or None where no price is known.

        `names` are tried in order: usually the name in the response, which may be a dated variant, then the
        requested one.
        """
        for name in names:
            row = self.find(provider, name)
            cost = row.cost_of(usage) if row is not None else None
            if cost is not None:
                return cost
        return None

    def is_priced(self, provider: str, name: str) -> bool:
        """Return whether a model's prices are known."""
        row = self.find(provider, name)
        return row is not None and row.is_priced

    def check(self, provider: str, name: str, request: ModelRequest) -> None:
        """Raise `InvalidRequest` for a request that the model is known not to support."""
        row = self.find(provider, name)
        if row is None:
            return
        limit = row.max_answer_tokens
        if limit is not None and request.max_tokens is not None and request.max_tokens > limit:
            raise InvalidRequest(
                f"{name} answers with at most {limit} tokens.",
                param="max_tokens",
                code="too_many_tokens",
            )
        if request.effort is not None:
            check_effort(row, request.effort)
        if row.supports_images is False:
            for index, message in enumerate(request.messages):
                if any(isinstance(part, ImagePart) for part in message.parts):
                    raise InvalidRequest(
                        f"{name} does not support images.",
                        param=f"messages[{index}].content",
                        code="no_images",
                    )

    def cap_answer_tokens(self, provider: str, name: str, max_tokens: int) -> int:
        """Return `max_tokens`, or the model's own maximum where that is known and lower."""
        row = self.find(provider, name)
        if row is None or row.max_answer_tokens is None:
            return max_tokens
        return min(max_tokens, row.max_answer_tokens)

    def _mid_priced(self, provider: str, listed: Sequence[str]) -> str:
        """Return the first of `listed` that has the median price of an answer: never the dearest, if prices differ."""
        prices = {}
        for name in listed:
            row = self.find(provider, name)
            if row is not None and row.output_price is not None:
                prices[name] = row.output_price
        if not prices:
            return listed[0]
        ordered = sorted(prices.values())
        median = ordered[(len(ordered) - 1) // 2]
        return next(name for name, price in prices.items() if price == median)

    def _find_row(self, provider: str, name: str) -> Model | None:
        row = self._rows.get((provider, name))
        if row is None and provider == "ollama":
            row = self._rows.get((provider, name.partition(":")[0]))  # `llama3:8b` is a tag of `llama3`
        return row or self._rows.get((provider, strip_date(name)))


def _merge_listed(row: Model, listed: ListedModel) -> Model:
    prices = ("input_price", "output_price", "cache_read_price", "cache_write_price")
    names = ("title", "context_window", "max_answer_tokens", "supports_images", "reasoning", "efforts")
    changes = {name: value for name in names if (value := getattr(listed, name)) is not None}
    if listed.input_price is not None and listed.output_price is not None:
        changes |= {name: getattr(listed, name) for name in prices} | {"tiers": ()}
    return msgspec.structs.replace(row, name=listed.name, **changes)


def _read_operator_rows(path: str) -> list[Model]:
    try:
        return _parse(Path(path).read_bytes()).model
    except (OSError, UnicodeDecodeError, msgspec.MsgspecError) as error:
        raise ConfigurationError(
            f"FRESHET_MODELS_FILE: {path}: {error}", setting="FRESHET_MODELS_FILE"
        ) from error


def _parse(raw: bytes) -> _Document:
    return msgspec.toml.decode(raw, type=_Document)

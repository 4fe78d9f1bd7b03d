"""What is known of models: the table in `models.toml` and what follows from it."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from decimal import Decimal
from importlib.resources import files
from pathlib import Path

import msgspec

from webapp.chat import ImagePart, ModelMessage, Usage
from webapp.errors import ConfigurationError, InvalidRequest
from webapp.settings import PROVIDERS

_MILLION = Decimal(1_000_000)


class Model(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One row: sizes in tokens, prices in US dollars a million tokens (None: unknown)."""

    provider: str
    name: str
    window: int | None = None
    longest: int | None = None
    input: Decimal | None = None
    output: Decimal | None = None
    images: bool | None = None
    reasoning: bool = False
    default: bool = False

    def __post_init__(self) -> None:
        """Hold what msgspec cannot say by itself."""
        if self.provider not in PROVIDERS:
            raise ValueError(f"provider must be one of {', '.join(PROVIDERS)}, not {self.provider!r}")
        for price in (self.input, self.output):
            if price is not None and not (price.is_finite() and price >= 0):
                raise ValueError(f"{self.name}: a price must be a number that is not negative")


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    dated: datetime.date
    model: list[Model]


class ModelTable:
    """The models that are known, by provider and name."""

    def __init__(self, rows: Iterable[Model]) -> None:
        self._rows = {(row.provider, row.name): row for row in rows}

    @classmethod
    def read(cls, override: str | None = None) -> ModelTable:
        """Read the built-in table, and the operator's file over it.

        Raises `ConfigurationError` when the file cannot be read as such a table.
        """
        rows = _parse(files("webapp.catalog").joinpath("models.toml").read_bytes()).model
        if override:
            try:
                extra = _parse(Path(override).read_bytes()).model
            except (OSError, UnicodeDecodeError, msgspec.MsgspecError) as error:
                raise ConfigurationError(
                    f"FRESHET_MODELS_FILE: {override}: {error}", setting="FRESHET_MODELS_FILE"
                ) from error
            rows = _over(rows, extra)
        return cls(rows)

    def find(self, provider: str, name: str) -> Model | None:
        """Look a model up; a dated name (`gpt-4.1-2025-04-14`) is found by the name it extends."""
        row = self._rows.get((provider, name))
        if row is not None:
            return row
        stem = name
        while "-" in stem:
            stem, _, tail = stem.rpartition("-")
            if not tail.isdigit():
                return None
            row = self._rows.get((provider, stem))
            if row is not None:
                return row
        return None

    def default(self, provider: str) -> str:
        """Name the model that a provider answers with at the doors."""
        for row in self._rows.values():
            if row.provider == provider and row.default:
                return row.name
        raise ConfigurationError(f"models.toml marks no default model for {provider}")

    def of(self, provider: str) -> list[Model]:
        """List a provider's models, its default first."""
        rows = [row for row in self._rows.values() if row.provider == provider]
        return sorted(rows, key=lambda row: not row.default)

    def owner(self, name: str, providers: Sequence[str]) -> str | None:
        """Name the first of `providers` that is known to have a model."""
        return next((provider for provider in providers if (provider, name) in self._rows), None)

    def cost(self, provider: str, names: Sequence[str], usage: Usage) -> Decimal | None:
        """Return the price of an answer in US dollars, by the first of `names` whose price is known; None for none.

        The names are what the provider calls its model, which may be a variant of what was asked, and what was asked.
        """
        for name in names:
            row = self.find(provider, name)
            if row is not None and row.input is not None and row.output is not None:
                return (
                    (row.input * usage.input_tokens + row.output * usage.output_tokens) / _MILLION
                ).normalize()
        return None

    def is_priced(self, provider: str, name: str) -> bool:
        """Return whether a model's prices are known."""
        row = self.find(provider, name)
        return row is not None and row.input is not None and row.output is not None

    def check(
        self, provider: str, name: str, messages: Sequence[ModelMessage], max_tokens: int | None
    ) -> None:
        """Refuse, by name, what a model is known to lack; raises `InvalidRequest`."""
        row = self.find(provider, name)
        if row is None:
            return
        if row.longest is not None and max_tokens is not None and max_tokens > row.longest:
            raise InvalidRequest(
                f"{name} answers with at most {row.longest} tokens",
                param="max_tokens",
                code="too_many_tokens",
            )
        if row.images is False:
            for index, message in enumerate(messages):
                if any(isinstance(part, ImagePart) for part in message.parts):
                    raise InvalidRequest(
                        f"{name} cannot see images", param=f"messages[{index}].content", code="no_images"
                    )

    def longest(self, provider: str, name: str, wanted: int) -> int:
        """Cut a default length to what a model can do."""
        row = self.find(provider, name)
        return wanted if row is None or row.longest is None else min(wanted, row.longest)


def _over(rows: Iterable[Model], extra: Iterable[Model]) -> list[Model]:
    """Put the operator's rows over ours. Where they mark no default of a provider, ours stays one."""
    both = {(row.provider, row.name): row for row in (*rows, *extra)}
    theirs = {(row.provider, row.name) for row in extra if row.default}
    marked = {provider for provider, _ in theirs}
    ours = {(row.provider, row.name) for row in rows if row.default and row.provider not in marked}
    return [msgspec.structs.replace(row, default=name in theirs | ours) for name, row in both.items()]


def _parse(raw: bytes) -> _Table:
    return msgspec.toml.decode(raw, type=_Table)

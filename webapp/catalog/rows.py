"""The rows of the model table: sizes, abilities, and prices, from which the cost of an answer is computed."""

from __future__ import annotations

import datetime
from decimal import Decimal

import msgspec

from webapp.chat import Effort, Usage
from webapp.settings import PROVIDERS

_MILLION = Decimal(1_000_000)
_PRICE_KEYS = {
    "input_price": "input",
    "output_price": "output",
    "cache_read_price": "cache_read",
    "cache_write_price": "cache_write",
}
_FILE_KEYS = {
    **_PRICE_KEYS,
    "context_window": "window",
    "max_answer_tokens": "longest",
    "supports_images": "images",
}


class PriceTier(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename=_PRICE_KEYS):
    """The prices of a whole request whose prompt has more than `above` tokens; None means the price without tiers."""

    above: int
    input_price: Decimal | None = None
    output_price: Decimal | None = None
    cache_read_price: Decimal | None = None
    cache_write_price: Decimal | None = None

    def __post_init__(self) -> None:
        """Check what msgspec's types cannot express; raises `ValueError`."""
        if self.above < 0:
            raise ValueError("above must be at least 0")
        _check_prices(self, "tiers")


class Model(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename=_FILE_KEYS):
    """A row of the table. Sizes are in tokens, prices in US dollars per million tokens; None means unknown.

    `efforts` are the values of a request's `effort` that the model is known to have, among them `none` where it can answer without
    reasoning; a model with efforts but without `none` always reasons.
    """

    provider: str
    name: str
    title: str | None = None
    context_window: int | None = None
    max_answer_tokens: int | None = None
    input_price: Decimal | None = None
    output_price: Decimal | None = None
    cache_read_price: Decimal | None = None
    cache_write_price: Decimal | None = None
    tiers: tuple[PriceTier, ...] = ()
    supports_images: bool | None = None
    reasoning: bool | None = None
    efforts: tuple[Effort, ...] = ()
    as_of: datetime.date | None = None
    default: bool = False

    def __post_init__(self) -> None:
        """Check what msgspec's types cannot express; raises `ValueError`."""
        if self.provider not in PROVIDERS:
            raise ValueError(f"provider must be one of {', '.join(PROVIDERS)}, not {self.provider!r}")
        _check_prices(self, self.name)

    @property
    def is_priced(self) -> bool:
        """Whether both prices are known."""
        return self.input_price is not None and self.output_price is not None

    def cost_of(self, usage: Usage) -> Decimal | None:
        """Return the cost in US dollars, or None where a price is unknown.

        The prompt's length decides the tier for all tokens. Cached tokens without a price of their own cost what input does.
        """
        row = self.prices_for(usage.input_tokens)
        if row.input_price is None or row.output_price is None:
            return None
        read = min(usage.cache_read_tokens, usage.input_tokens)
        written = min(usage.cache_write_tokens, usage.input_tokens - read)
        cost = (
            row.input_price * (usage.input_tokens - read - written)
            + _first(row.cache_read_price, row.input_price) * read
            + _first(row.cache_write_price, row.input_price) * written
            + row.output_price * usage.output_tokens
        )
        return (cost / _MILLION).normalize()

    def prices_for(self, prompt_tokens: int) -> Model | PriceTier:
        """Return the prices of a request whose prompt has so many tokens."""
        reached = [tier for tier in self.tiers if prompt_tokens > tier.above]
        if not reached:
            return self
        tier = max(reached, key=lambda tier: tier.above)
        return PriceTier(
            above=tier.above,
            input_price=_first_known(tier.input_price, self.input_price),
            output_price=_first_known(tier.output_price, self.output_price),
            cache_read_price=_first_known(tier.cache_read_price, self.cache_read_price),
            cache_write_price=_first_known(tier.cache_write_price, self.cache_write_price),
        )


def _check_prices(prices: Model | PriceTier, name: str) -> None:
    for key in _PRICE_KEYS:
        price = getattr(prices, key)
        if price is not None and not (price.is_finite() and price >= 0):
            raise ValueError(f"{name}: a price must be a number of at least 0")


def _first(price: Decimal | None, otherwise: Decimal) -> Decimal:
    return otherwise if price is None else price


def _first_known(price: Decimal | None, otherwise: Decimal | None) -> Decimal | None:
    return otherwise if price is None else price

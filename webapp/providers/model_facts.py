"""What programs and the page are told of a model."""

from __future__ import annotations

from webapp.catalog.rows import Model, PriceTier
from webapp.seams import ModelFacts, ModelPrices, TierPrices


def describe(provider: str, name: str, row: Model | None, *, listed: bool, created: int = 0) -> ModelFacts:
    """Return the facts of a model; `row` is its row of the table, or None."""
    row = row or Model(provider=provider, name=name)
    return ModelFacts(
        id=f"{provider}/{name}",
        name=name,
        title=row.title,
        listed=listed,
        created=created,
        context_window=row.context_window,
        max_answer_tokens=row.max_answer_tokens,
        prices=_prices(row),
        images=row.supports_images,
        reasoning=bool(row.reasoning),
        efforts=row.efforts,
    )


def _prices(row: Model) -> ModelPrices | None:
    if row.input_price is None or row.output_price is None:
        return None
    return ModelPrices(
        input=row.input_price,
        output=row.output_price,
        cache_read=row.cache_read_price,
        cache_write=row.cache_write_price,
        tiers=tuple(_tier(row, tier) for tier in row.tiers),
    )


def _tier(row: Model, tier: PriceTier) -> TierPrices:
    prices = row.prices_for(tier.above + 1)
    if prices.input_price is None or prices.output_price is None:
        raise ValueError("a model with tiers must have prices without them")  # `_prices` has checked this
    return TierPrices(
        above=tier.above,
        input=prices.input_price,
        output=prices.output_price,
        cache_read=prices.cache_read_price,
        cache_write=prices.cache_write_price,
    )

"""The generator of the model table: prices in force, tiers, rules and corrections; and that the table is a product of it."""

import datetime
from decimal import Decimal

import msgspec
import pytest
from genai_prices.types import (
    ClauseEquals,
    ConditionalPrice,
    ModelInfo,
    ModelPrice,
    StartDateConstraint,
    Tier,
    TieredPrices,
)

from tests.support.model_table import TABLE, build_rows, document, read_corrections
from webapp.catalog.models import ModelTable
from webapp.catalog.rows import Model
from webapp.chat import Usage

TODAY = datetime.date(2026, 11, 18)
RULES = [
    {"provider": "openai", "match": "big-.*", "longest": 100, "images": True, "efforts": ["low", "high"]},
    {"provider": "openai", "match": "big-2|small", "longest": 50, "images": False},
]


def info(name: str, prices: ModelPrice | list[ConditionalPrice], window: int | None = 1_000) -> ModelInfo:
    return ModelInfo(
        id=name, match=ClauseEquals(name), name=name.title(), context_window=window, prices=prices
    )


def tiered(base: str, *tiers: tuple[int, str]) -> TieredPrices:
    return TieredPrices(
        base=Decimal(base), tiers=[Tier(start=start, price=Decimal(price)) for start, price in tiers]
    )


def price(read: str, written: str) -> ModelPrice:
    return ModelPrice(input_mtok=Decimal(read), output_mtok=Decimal(written))


def from_day(day: int, read: str) -> ConditionalPrice:
    constraint = StartDateConstraint(start_date=datetime.date(2026, 11, day))
    return ConditionalPrice(constraint=constraint, prices=price(read, "9"))


def rows(*infos: ModelInfo, corrections: list[dict[str, object]] | None = None) -> dict[str, Model]:
    made = build_rows({"openai": list(infos)}, {"rule": RULES, "model": corrections or []}, TODAY)
    return {row["name"]: msgspec.convert(row, Model, strict=False) for row in made}


def test_a_rule_adds_what_the_source_lacks_and_leaves_out_what_is_for_no_chat() -> None:
    found = rows(
        info("big-1", price("1", "2")),
        info("big-2", price("1", "2")),
        info("small", price("1", "2")),
        info("speech", price("1", "2")),
    )
    assert set(found) == {"big-1", "big-2", "small"}
    assert (found["big-2"].max_answer_tokens, found["big-2"].efforts, found["big-2"].reasoning) == (
        100,
        ("low", "high"),
        True,
    )
    assert (found["small"].max_answer_tokens, found["small"].efforts, found["small"].reasoning) == (
        50,
        (),
        None,
    )
    assert (found["small"].title, found["small"].context_window) == ("Small", 1_000)


def test_the_prices_in_force_are_used() -> None:
    first = ConditionalPrice(constraint=None, prices=price("5", "9"))
    found = rows(info("small", [first, from_day(10, "4"), from_day(18, "3"), from_day(19, "2")]))
    assert found["small"].input_price == 3


def test_tiers_and_cached_tokens_are_taken_over() -> None:
    prices = ModelPrice(
        input_mtok=tiered("1", (100, "1.5"), (200, "2")),
        output_mtok=tiered("4", (200, "6")),
        cache_read_mtok=Decimal("0.10"),
        cache_write_mtok=None,
    )
    model = rows(info("small", prices))["small"]
    assert [
        (tier.above, tier.input_price, tier.output_price, tier.cache_read_price) for tier in model.tiers
    ] == [
        (100, Decimal("1.5"), Decimal(4), Decimal("0.1")),
        (200, Decimal(2), Decimal(6), Decimal("0.1")),
    ]
    assert model.cost_of(Usage(150, 10, cache_read_tokens=50)) == Decimal("0.000195")


def test_models_without_a_window_or_a_price_of_text_are_left_out() -> None:
    assert rows(info("small", price("1", "2"), None), info("big-1", ModelPrice(input_mtok=Decimal(1)))) == {}


def test_a_correction_replaces_single_values_or_adds_a_model() -> None:
    corrections: list[dict[str, object]] = [
        {"provider": "openai", "name": "small", "window": 7},
        {"provider": "openai", "name": "big-9", "input": "3", "output": "4"},
    ]
    found = rows(info("small", price("1", "2")), corrections=corrections)
    assert (found["small"].context_window, found["small"].input_price) == (7, 1)
    assert (found["big-9"].input_price, found["big-9"].max_answer_tokens) == (3, 100)


def test_the_document_is_a_table_that_can_be_read() -> None:
    text = document({"openai": [info("gpt-5", price("1", "2"))]}, read_corrections(), TODAY, "0")
    assert "as_of = 2026-11-18" in text
    assert 'name = "gpt-5"' in text


def test_the_table_holds_every_correction_and_preferred_models_that_are_not_the_dearest() -> None:
    corrections, table = read_corrections(), ModelTable.read()
    assert str(corrections["as_of"]) == str(table.as_of)
    for correction in corrections["model"]:
        row = table.find(correction["provider"], correction["name"])
        assert row is not None, "run make models"
        assert row.context_window == correction.get("window", row.context_window)
        assert row.input_price == Decimal(correction.get("input", row.input_price))
    for provider in ("openai", "anthropic"):
        prices = sorted(row.output_price or 0 for row in table.list_by_provider(provider))
        default = table.find(provider, table.default_model(provider))
        assert default is not None
        assert default.output_price is not None
        assert prices[0] < default.output_price < prices[-1]
    assert TABLE.read_text().startswith("# The known models: written by `make models`")


# The models of the providers' own pages on 2026-11-18, in US dollars per million tokens.
@pytest.mark.parametrize(
    ("name", "read", "written", "cache_read", "window"),
    [
        ("openai/gpt-6.2-astra", "8", "40", None, 1_050_000),
        ("openai/gpt-6.2-sol", "2", "10", "0.10", 1_050_000),
        ("openai/gpt-6.1-terra", "1", "5", "0.05", 1_050_000),
        ("openai/gpt-6-luna", "0.10", "0.50", "0.01", 1_050_000),
        ("openai/gpt-5.6-sol", "4", "20", "0.4", 1_050_000),
        ("openai/gpt-5.6-terra", "2", "12", "0.2", 1_050_000),
        ("openai/gpt-5.6-luna", "0.20", "1.20", "0.02", 1_050_000),
        ("openai/gpt-5.5", "5", "30", "0.5", 1_000_000),
        ("openai/gpt-5.4", "2.50", "15", "0.25", 1_050_000),
        ("openai/gpt-5.4-mini", "0.75", "4.50", "0.075", 400_000),
        ("anthropic/claude-opus-5-5", "4", "20", "0.20", 1_000_000),
        ("anthropic/claude-fable-5-1", "10", "50", "0.25", 1_000_000),
        ("anthropic/claude-sonnet-5-5", "2", "10", "0.10", 1_000_000),
        ("anthropic/claude-haiku-5-5", "0.10", "0.50", "0.01", 1_000_000),
        ("anthropic/claude-opus-5", "5", "25", "0.5", 1_000_000),
        ("anthropic/claude-sonnet-5", "2", "10", "0.2", 1_000_000),
        ("anthropic/claude-haiku-4-5", "1", "5", "0.1", 200_000),
    ],
)
def test_todays_models_are_in_the_table(
    name: str, read: str, written: str, cache_read: str | None, window: int
) -> None:
    provider, _, model = name.partition("/")
    row = ModelTable.read().find(provider, model)
    assert row is not None
    assert (row.input_price, row.output_price, row.context_window) == (
        Decimal(read),
        Decimal(written),
        window,
    )
    assert row.cache_read_price == (None if cache_read is None else Decimal(cache_read))
    assert row.max_answer_tokens == (64_000 if model == "claude-haiku-4-5" else 128_000)


def test_the_dearer_tiers_of_long_prompts_are_in_the_table() -> None:
    table = ModelTable.read()
    short, long = Usage(272_000, 1_000), Usage(272_001, 1_000)
    assert table.compute_cost("openai", ["gpt-6.2-sol"], short) == Decimal("0.554")
    assert table.compute_cost("openai", ["gpt-6.2-sol"], long) == Decimal("1.103004")

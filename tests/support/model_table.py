"""Generate webapp/catalog/models.toml from genai-prices and `model_corrections.toml`: `python -m tests.support.model_table`.

Prices and windows are those of https://github.com/pydantic/genai-prices (MIT), as installed with the development dependencies.
"""

from __future__ import annotations

import datetime
import re
import tomllib
from collections.abc import Iterable
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path
from typing import Any

from genai_prices.types import ConditionalPrice, ModelInfo, ModelPrice, StartDateConstraint, TieredPrices

TABLE = Path(__file__).resolve().parents[2] / "webapp" / "catalog" / "models.toml"
CORRECTIONS = Path(__file__).with_name("model_corrections.toml")
PROVIDERS = ("openai", "anthropic", "ollama", "mock")
_PRICES = {
    "input": "input_mtok",
    "output": "output_mtok",
    "cache_read": "cache_read_mtok",
    "cache_write": "cache_write_mtok",
}
_KEYS = (
    "provider",
    "name",
    "title",
    "window",
    "longest",
    *_PRICES,
    "tiers",
    "images",
    "reasoning",
    "efforts",
    "as_of",
)
_HEAD = """\
# The known models: written by `make models` from genai-prices {version} and tests/support/model_corrections.toml.
#
# window and longest: the context window and the longest answer, in tokens. input, output, cache_read, cache_write: US dollars per
# million tokens, where tiers hold for whole requests whose prompt is longer than `above` tokens. images: accepts images.
# reasoning: reasons before it answers, as much as one of `efforts` says. defaults: the default model is the first of these that
# the provider lists. as_of: when the prices were read.
# The file that FRESHET_MODELS_FILE names has the same form; its rows replace rows of the same provider and name, and a row with
# `default = true` is its provider's default. An unlisted model works too: its cost is unknown, and no request to it is refused
# in advance.
"""

Row = dict[str, Any]


def build_rows(
    source: dict[str, list[ModelInfo]], corrections: dict[str, Any], today: datetime.date
) -> list[Row]:
    """Return the table's rows: the source's with a rule, then the corrections', by provider."""
    rows: dict[tuple[str, str], Row] = {}
    for provider, infos in source.items():
        for info in infos:
            row = _row_of(provider, info, today)
            if row is not None and _rule_for(row, corrections["rule"]) is not None:
                rows[provider, row["name"]] = row
    for correction in corrections["model"]:
        key = (correction["provider"], correction["name"])
        rows[key] = {**rows.get(key, {}), **correction}
    complete = [{**_facts(row, corrections["rule"]), **row} for row in rows.values()]
    return sorted(complete, key=lambda row: PROVIDERS.index(row["provider"]))


def document(
    source: dict[str, list[ModelInfo]], corrections: dict[str, Any], today: datetime.date, release: str
) -> str:
    """Return the text of models.toml."""
    lines = [_HEAD.format(version=release) + f"as_of = {corrections['as_of']}", "", "[defaults]"]
    lines += [f"{name} = {_encode(models)}" for name, models in corrections["defaults"].items()]
    for row in build_rows(source, corrections, today):
        lines += [
            "",
            "[[model]]",
            *(f"{key} = {_encode(row[key])}" for key in _KEYS if row.get(key) is not None),
        ]
    return "\n".join(lines) + "\n"


def read_corrections() -> dict[str, Any]:
    """Return the corrections."""
    return tomllib.loads(CORRECTIONS.read_text(encoding="utf-8"))


def _row_of(provider: str, info: ModelInfo, today: datetime.date) -> Row | None:
    """Return a model's row; None without a window or a price of text."""
    prices = _prices_on(info, today)
    base = {key: _base(getattr(prices, field)) for key, field in _PRICES.items()}
    if info.context_window is None or base["input"] is None or base["output"] is None:
        return None
    tiers = [
        {"above": above}
        | {key: _above(getattr(prices, field), above) for key, field in _PRICES.items() if base[key]}
        for above in _starts(getattr(prices, field) for field in _PRICES.values())
    ]
    row = {"provider": provider, "name": re.sub("-(latest|0)$", "", info.id), "window": info.context_window}
    if info.name and info.name[0].isupper():  # others are the name in another spelling
        row["title"] = info.name
    return row | base | ({"tiers": tiers} if tiers else {})


def _prices_on(info: ModelInfo, today: datetime.date) -> ModelPrice:
    """Return the prices in force: the last of those whose first day has come."""
    if not isinstance(info.prices, list):
        return info.prices
    return [price for price in info.prices if _is_in_force(price, today)][-1].prices


def _is_in_force(price: ConditionalPrice, today: datetime.date) -> bool:
    if price.constraint is None:
        return True
    return isinstance(price.constraint, StartDateConstraint) and price.constraint.start_date <= today


def _starts(prices: Iterable[Any]) -> list[int]:
    return sorted({tier.start for price in prices if isinstance(price, TieredPrices) for tier in price.tiers})


def _base(price: Decimal | TieredPrices | None) -> str | None:
    if price is None:
        return None
    return _plain(price.base if isinstance(price, TieredPrices) else price)


def _above(price: Decimal | TieredPrices, above: int) -> str:
    """Return the price of a prompt with more than `above` tokens."""
    if not isinstance(price, TieredPrices):
        return _plain(price)
    reached = [tier.price for tier in price.tiers if tier.start <= above]
    return _plain(reached[-1] if reached else price.base)


def _plain(price: Decimal) -> str:
    return f"{price.normalize():f}"


def _rule_for(row: Row, rules: list[Row]) -> Row | None:
    return next(
        (
            rule
            for rule in rules
            if rule["provider"] == row["provider"] and re.fullmatch(rule["match"], row["name"])
        ),
        None,
    )


def _facts(row: Row, rules: list[Row]) -> Row:
    """Return what the rule for a model says of it."""
    rule = _rule_for(row, rules) or {}
    facts = {key: rule[key] for key in ("longest", "images", "efforts") if key in rule}
    return facts | ({"reasoning": True} if "efforts" in facts else {})


def _encode(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case int():
            return f"{value:_}"
        case dict():
            return "{ " + ", ".join(f"{key} = {_encode(item)}" for key, item in value.items()) + " }"
        case list():
            return "[" + ", ".join(_encode(item) for item in value) + "]"
        case datetime.date():
            return value.isoformat()
        case _:
            return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'


def main() -> None:
    """Write the table."""
    from genai_prices.data import providers  # noqa: PLC0415  (1.6 MB, which the tests do not need)

    source = {
        provider.id: provider.models for provider in providers if provider.id in ("openai", "anthropic")
    }
    today = datetime.datetime.now(datetime.UTC).date()
    text = document(source, read_corrections(), today, version("genai-prices"))
    TABLE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

"""Which models a registry offers, and which one answers: the operator's, the provider's listing, the table."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from webapp.catalog.listing import ListedModel
from webapp.catalog.models import ModelTable
from webapp.chat import Usage
from webapp.providers.factory import ProviderFactory
from webapp.providers.listings.model_listing import ModelListing
from webapp.providers.registry import ProviderRegistry
from webapp.seams import Control, Provider
from webapp.settings import Settings

WAIT_S = 5.0
Listed = dict[str, list[ListedModel]]


def models(*names: str) -> list[ListedModel]:
    return [ListedModel(name=name) for name in names]


class FixedFactory:
    """Creates real providers, whose listings are given instead of asked for."""

    def __init__(self, settings: Settings, table: ModelTable, listed: Listed) -> None:
        self._factory = ProviderFactory(settings, table)
        self._table = table
        self._listed = listed
        self._listings: dict[str, ModelListing] = {}
        self.asked: list[str] = []

    def make(self, name: str, model_name: str, max_tokens: int, **options: Any) -> Provider:
        return self._factory.make(name, model_name, max_tokens, **options)

    def listing(self, name: str, **options: Any) -> ModelListing | None:
        del options
        if name not in self._listed:
            return None
        if name not in self._listings:
            self._listings[name] = ModelListing(
                name,
                lambda control: self._fetch(name, control),
                lambda listed: self._table.learn(name, listed),
            )
        return self._listings[name]

    def _fetch(self, name: str, control: Control) -> Iterator[list[ListedModel]]:
        del control
        self.asked.append(name)
        yield self._listed[name]


def registry(listed: Listed, **environ: str) -> ProviderRegistry:
    settings = Settings.read({"OPENAI_API_KEY": "k", "ANTHROPIC_API_KEY": "k", "OLLAMA_HOST": "h"} | environ)
    table = ModelTable.read(settings.models_file)
    created = ProviderRegistry(settings, table, FixedFactory(settings, table, listed))
    created.refresh_models(WAIT_S)
    return created


def answers(created: ProviderRegistry, provider: str | None = None, model: str | None = None) -> str:
    found = created.resolve(provider, model)[0]
    return f"{found.name}/{found.model_name}"


@pytest.mark.parametrize(
    ("provider", "listed", "default"),
    [
        ("openai", models("gpt-4o", "gpt-5.4", "gpt-6.1-sol"), "gpt-6.1-sol"),
        ("openai", models("gpt-6.2-astra", "gpt-6-luna"), "gpt-6-luna"),  # not the dearest
        ("openai", models("gpt-5.4-2026-03-05", "gpt-4o"), "gpt-5.4-2026-03-05"),
        ("openai", models("gpt-4o-2024-11-20", "gpt-4o-2024-08-06"), "gpt-4o-2024-11-20"),
        (
            "openai",
            models("Qwen/Qwen3-32B", "meta-llama/Llama-4"),
            "Qwen/Qwen3-32B",
        ),  # a server with models of its own
        ("openai", [], "gpt-6.2-sol"),
        ("anthropic", models("claude-fable-5-1", "claude-opus-5-5", "claude-haiku-5-5"), "claude-opus-5-5"),
        ("anthropic", models("claude-fable-5-1", "claude-opus-4-9", "claude-opus-4-1"), "claude-fable-5-1"),
        ("anthropic", models("claude-opus-4-1", "claude-fable-5-1", "claude-3-haiku"), "claude-fable-5-1"),
        ("anthropic", models("claude-opus-9", "claude-sonnet-9"), "claude-opus-9"),  # newer than the table
        (
            "openai",
            models("anthropic/claude-opus-5.5", "openai/gpt-5.4:free", "openai/gpt-5.4"),
            "openai/gpt-5.4",
        ),
        ("ollama", models("qwen2.5:0.5b", "qwen3:8b"), "qwen3:8b"),
        ("anthropic", [], "claude-sonnet-5-5"),
        ("ollama", models("qwen2.5:0.5b", "llama3:latest"), "llama3:latest"),
        ("ollama", models("qwen2.5:0.5b", "phi4:latest"), "qwen2.5:0.5b"),
        ("ollama", [], "llama3"),
    ],
)
def test_the_default_is_one_that_the_provider_lists(
    provider: str, listed: list[ListedModel], default: str
) -> None:
    assert answers(registry({provider: listed}), provider) == f"{provider}/{default}"


def test_the_operators_choice_is_the_default_whether_listed_or_not(tmp_path: Path) -> None:
    listed = {"openai": models("gpt-6.1-sol")}
    assert answers(registry(listed, FRESHET_MODEL="my-own")) == "openai/my-own"
    path = tmp_path / "models.toml"
    path.write_text('dated = 2026-11-01\n[[model]]\nprovider = "openai"\nname = "mine"\ndefault = true\n')
    created = registry(listed, FRESHET_MODELS_FILE=str(path))
    assert answers(created) == "openai/mine"
    group = created.list_groups()[0]
    assert [(model.name, model.listed) for model in group.models] == [("mine", False), ("gpt-6.1-sol", True)]


def test_a_choice_of_the_operators_waits_for_no_listing() -> None:
    settings = Settings.read({"OPENAI_API_KEY": "k", "FRESHET_MODEL": "my-own"})
    table = ModelTable.read()
    factory = FixedFactory(settings, table, {"openai": models("x")})
    created = ProviderRegistry(settings, table, factory)
    assert answers(created) == "openai/my-own"
    assert created.default.model_name == "my-own"
    assert factory.asked == []


def test_groups_show_what_is_listed_with_what_the_table_adds() -> None:
    listed = {
        "openai": [
            ListedModel(name="brand-new/model:1", created=5, context_window=9_000),
            ListedModel(name="gpt-6.2-sol", created=9),
            ListedModel(name="newer", created=7, input_price=Decimal(1), output_price=Decimal(2)),
        ],
        "anthropic": [],
    }
    created = registry(listed)
    openai, anthropic, ollama, mock = created.list_groups()
    assert [group.state for group in (openai, anthropic, ollama, mock)] == ["listed", *["unavailable"] * 3]
    assert [model.id for model in openai.models] == [
        "openai/gpt-6.2-sol",
        "openai/newer",
        "openai/brand-new/model:1",
    ]
    sol, newer, brand_new = openai.models
    assert (sol.context_window, sol.created, sol.prices and sol.prices.tiers[0].above) == (
        1_050_000,
        9,
        272_000,
    )
    assert newer.prices is not None
    assert newer.prices.output == 2
    assert (brand_new.context_window, brand_new.prices, brand_new.images) == (9_000, None, None)
    assert anthropic.models[0].name == "claude-sonnet-5-5"
    assert created.list_groups()[0] is openai, "built anew for each caller"


def test_callers_who_may_use_priced_models_see_no_others() -> None:
    created = registry({"openai": models("gpt-6.1-sol", "ft:mystery")})
    assert [model.name for model in created.list_groups(priced=True)[0].models] == ["gpt-6.1-sol"]
    assert created.find_model("openai/ft:mystery", priced=True) is None
    assert created.find_model("openai/ft:mystery") is not None
    assert "openai/ft:mystery" not in created.list_models(priced=True)


def test_a_model_is_found_by_its_full_name_or_its_own() -> None:
    created = registry({"openai": models("a/b", "openai/x"), "ollama": models("qwen3:8b")})
    found = {name: model.id if (model := created.find_model(name)) else None for name in ("openai/a/b", "a/b", "qwen3:8b", "b", "", "openai/")}  # fmt: skip
    assert found == {
        "openai/a/b": "openai/a/b", "a/b": "openai/a/b", "qwen3:8b": "ollama/qwen3:8b", "b": None, "": None, "openai/": None,
    }  # fmt: skip
    assert answers(created, None, "qwen3:8b") == "ollama/qwen3:8b", "a listed name finds its provider"


def test_a_providers_name_that_is_part_of_a_models_name_is_kept() -> None:
    created = registry({"openai": models("openai/gpt-oss-120b", "openai/both", "both", "llama")})
    asked = {
        "openai/gpt-oss-120b": "openai/gpt-oss-120b",
        "openai/openai/gpt-oss-120b": "openai/gpt-oss-120b",
        "openai/both": "both",
        "openai/openai/both": "openai/both",
        "openai/llama": "llama",
        "openai/unlisted": "unlisted",
    }
    assert {name: created.resolve(None, name)[0].model_name for name in asked} == asked
    assert {name: created.resolve("openai", name)[0].model_name for name in asked} == asked
    own = registry({"openai": models("openai/gpt-oss-120b")}, FRESHET_MODEL="openai/gpt-oss-120b")
    assert answers(own) == "openai/openai/gpt-oss-120b"


def test_a_list_that_is_renewed_changes_the_default_and_the_groups() -> None:
    listed = {"openai": models("gpt-6.1-sol")}
    settings = Settings.read({"OPENAI_API_KEY": "k"})
    table = ModelTable.read()
    created = ProviderRegistry(settings, table, FixedFactory(settings, table, listed))
    assert created.default.model_name == "gpt-6.2-sol", "known before anything is asked"
    created.refresh_models(WAIT_S)
    assert created.default.model_name == answers(created).partition("/")[2] == "gpt-6.1-sol"
    assert [model.name for model in created.list_groups()[0].models] == ["gpt-6.1-sol"]


def test_what_a_listing_says_replaces_the_tables_values_but_not_the_operators(tmp_path: Path) -> None:
    path = tmp_path / "models.toml"
    path.write_text(
        'dated = 2026-11-01\n[[model]]\nprovider = "openai"\nname = "gpt-5.4"\ninput = "7"\noutput = "8"\n'
    )
    said = {"input_price": Decimal(1), "output_price": Decimal(1), "context_window": 10}
    table = ModelTable.read(str(path))
    table.learn("openai", [ListedModel(name=name, **said) for name in ("gpt-5.4", "gpt-5.5")])
    own, other = table.find("openai", "gpt-5.4"), table.find("openai", "gpt-5.5")
    assert own is not None
    assert (own.input_price, own.context_window) == (7, None)
    assert other is not None
    assert (other.input_price, other.context_window, other.tiers) == (1, 10, ())
    assert table.compute_cost("openai", ["gpt-5.5"], Usage(300_000, 0)) == Decimal("0.3")

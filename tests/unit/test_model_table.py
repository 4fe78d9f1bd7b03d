"""The model table: defaults, prices, dated names, the operator's file, and refused requests."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from webapp.catalog.listing import ListedModel
from webapp.catalog.models import ModelTable
from webapp.chat import ImagePart, ModelMessage, ModelRequest, Usage
from webapp.errors import ConfigurationError, InvalidRequest
from webapp.settings import PROVIDERS

TABLE = ModelTable.read()
USAGE = Usage(1_000, 500)
IMAGE = ModelMessage.user([ImagePart(url="https://example.org/cat.png")])


def override(folder: Path, *rows: str) -> ModelTable:
    path = folder / "models.toml"
    path.write_text("dated = 2026-11-01\n" + "".join(f"[[model]]\n{row}\n" for row in rows))
    return ModelTable.read(str(path))


@pytest.mark.parametrize("provider", PROVIDERS)
def test_each_provider_has_one_default(provider: str) -> None:
    assert [row.name for row in TABLE.list_by_provider(provider) if row.default] == [
        TABLE.default_model(provider)
    ]
    assert TABLE.list_by_provider(provider)[0].default


def test_every_row_is_complete() -> None:
    for provider in PROVIDERS:
        for row in TABLE.list_by_provider(provider):
            assert row.supports_images is not None, row
            assert min(row.context_window or 0, row.max_answer_tokens or 0) > 0, row
            assert row.input_price is not None, row
            assert row.output_price is not None, row
            assert row.output_price >= row.input_price >= 0, row


@pytest.mark.parametrize(
    ("provider", "name", "found"),
    [
        ("openai", "gpt-4.1", "gpt-4.1"),
        ("openai", "gpt-4.1-2025-04-14", "gpt-4.1"),
        ("openai", "gpt-4o-mini-2024-07-18", "gpt-4o-mini"),
        ("openai", "gpt-3.5-turbo-0125", "gpt-3.5-turbo"),
        ("openai", "gpt-5.4-latest", "gpt-5.4"),
        ("anthropic", "claude-3-7-sonnet-20250219", "claude-3-7-sonnet"),
        ("anthropic", "claude-3-5-haiku@20241022", "claude-3-5-haiku"),
        ("anthropic", "claude-opus-4-0", "claude-opus-4"),
        ("anthropic", "claude-opus-4-9", None),  # a version, not a date
        ("ollama", "llama3.2:3b", "llama3.2"),
        ("openai", "gpt-4.1:3b", None),
        ("openai", "gpt-4.1-turbo", None),
        ("openai", "gpt-4.1-", None),
        ("openai", "gpt-4", None),
        ("anthropic", "gpt-4.1", None),
        ("openai", "", None),
        ("openai", "-" * 1000, None),
    ],
)
def test_a_dated_name_finds_the_model_it_extends(provider: str, name: str, found: str | None) -> None:
    row = TABLE.find(provider, name)
    assert (row.name if row else None) == found


def test_an_answer_is_priced_exactly() -> None:
    assert TABLE.compute_cost("openai", ["gpt-4.1"], USAGE) == Decimal("0.006")
    assert TABLE.compute_cost("openai", ["gpt-4.1-2025-04-14"], Usage(1, 1)) == Decimal("0.00001")
    assert TABLE.compute_cost("ollama", ["llama3"], USAGE) == 0
    assert TABLE.compute_cost("openai", ["gpt-4.1"], Usage(0, 0)) == 0


@pytest.mark.parametrize(
    ("usage", "cost"),
    [
        (Usage(100_000, 1_000), "0.0105"),  # a tier begins above its bound
        (Usage(100_001, 1_000), "0.0525005"),
        (Usage(1_000, 0, cache_read_tokens=400, cache_write_tokens=100), "0.0000665"),
        (Usage(200_000, 0, cache_read_tokens=200_000), "0.01"),
        (
            Usage(10, 0, cache_read_tokens=10, cache_write_tokens=10),
            "0.0000001",
        ),  # counted twice by a gateway
    ],
)
def test_tiers_and_cached_tokens_are_priced(usage: Usage, cost: str) -> None:
    assert TABLE.compute_cost("anthropic", ["claude-haiku-5-5-20261007"], usage) == Decimal(cost)


def test_cached_tokens_cost_what_input_does_where_no_price_is_known(tmp_path: Path) -> None:
    row = 'provider = "openai"\nname = "own"\ninput = "1"\noutput = "2"\ntiers = [{above = 10, input = "3"}]'
    table = override(tmp_path, row)
    assert table.compute_cost("openai", ["own"], Usage(10, 5, cache_read_tokens=4)) == Decimal("0.00002")
    assert table.compute_cost("openai", ["own"], Usage(11, 5, cache_read_tokens=4)) == Decimal("0.000043")


def test_the_cost_is_none_where_a_price_is_unknown(tmp_path: Path) -> None:
    assert TABLE.compute_cost("openai", ["mystery"], USAGE) is None
    table = override(tmp_path, 'provider = "openai"\nname = "half"\ninput = "1"')
    assert table.compute_cost("openai", ["half"], USAGE) is None


def test_the_operators_file_replaces_single_models(tmp_path: Path) -> None:
    table = override(tmp_path, 'provider = "openai"\nname = "gpt-4.1"\ninput = "1"\noutput = 2.5')
    assert table.compute_cost("openai", ["gpt-4.1"], USAGE) == Decimal("0.00225")
    assert table.compute_cost("openai", ["gpt-4o"], USAGE) == TABLE.compute_cost("openai", ["gpt-4o"], USAGE)
    assert table.default_model("openai") == TABLE.default_model("openai"), (
        "a new price left the provider without a default"
    )


def test_the_operators_default_replaces_the_built_in_one(tmp_path: Path) -> None:
    table = override(tmp_path, 'provider = "openai"\nname = "local"\ndefault = true')
    assert table.default_model("openai") == "local"
    assert table.default_model("anthropic") == TABLE.default_model("anthropic")
    assert [row.name for row in table.list_by_provider("openai") if row.default] == ["local"]


def test_a_table_of_an_earlier_version_is_read(tmp_path: Path) -> None:
    """It has `dated`, marks its defaults, and knows nothing of tiers, cached tokens and efforts."""
    old = [
        f'provider = "{provider}"\nname = "{name}"\nwindow = 8_192\nlongest = 4_096\ninput = "2.00"\noutput = "8.00"\n'
        f"images = true\nreasoning = true\ndefault = {default}"
        for provider, name, default in (
            ("openai", "gpt-3.5-turbo", "false"),
            ("openai", "gpt-4.1", "true"),
            ("anthropic", "claude-3-7-sonnet-20250219", "true"),
        )
    ]
    table = override(tmp_path, *old)
    assert [table.default_model(name) for name in ("openai", "anthropic", "ollama")] == [
        "gpt-4.1",
        "claude-3-7-sonnet-20250219",
        "llama3",
    ]
    row = table.find("openai", "gpt-4.1")
    assert row is not None
    assert (row.context_window, row.tiers, row.efforts, row.cache_read_price) == (8_192, (), (), None)
    assert table.find("openai", "gpt-6.2-sol") == TABLE.find("openai", "gpt-6.2-sol")


def test_a_provider_without_a_default_is_an_error() -> None:
    with pytest.raises(ConfigurationError, match="openai"):
        ModelTable([]).default_model("openai")
    assert ModelTable([]).default_model("openai", ["a", "b"]) == "a"


@pytest.mark.parametrize(
    "text",
    [
        "not toml at all",
        "dated = 2026-11-01",
        'dated = 2026-11-01\n[[model]]\nprovider = "openai"',
        'dated = 2026-11-01\n[[model]]\nprovider = "openai"\nname = "x"\nwindows = 5',
        'dated = 2026-11-01\n[[model]]\nprovider = "openai"\nname = "x"\ninput = "cheap"',
        'dated = 2026-11-01\n[[model]]\nprovider = "openai"\nname = "x"\ninput = "NaN"',
        'dated = 2026-11-01\n[[model]]\nprovider = "openai"\nname = "x"\noutput = "-1"',
        'dated = 2026-11-01\n[[model]]\nprovider = "opneai"\nname = "x"',
        'dated = "yesterday"\nmodel = []',
        'as_of = 2026-11-01\n[[model]]\nprovider = "openai"\nname = "x"\ncache_read = "-1"',
        'as_of = 2026-11-01\n[[model]]\nprovider = "openai"\nname = "x"\ntiers = [{above = -1}]',
        'as_of = 2026-11-01\n[[model]]\nprovider = "openai"\nname = "x"\ntiers = [{above = 1, input = "-1"}]',
        'as_of = 2026-11-01\n[[model]]\nprovider = "openai"\nname = "x"\nefforts = ["huge"]',
    ],
)
def test_an_invalid_file_raises_an_error_that_names_the_setting(tmp_path: Path, text: str) -> None:
    path = tmp_path / "models.toml"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match="FRESHET_MODELS_FILE") as refused:
        ModelTable.read(str(path))
    assert refused.value.setting == "FRESHET_MODELS_FILE"
    with pytest.raises(ConfigurationError, match="FRESHET_MODELS_FILE"):
        ModelTable.read(str(tmp_path))


def test_invalid_utf8_raises_an_error_that_names_the_setting(tmp_path: Path) -> None:
    path = tmp_path / "models.toml"
    path.write_bytes(b"dated = 2026-11-01\n# \xff\nmodel = []\n")
    with pytest.raises(ConfigurationError, match="FRESHET_MODELS_FILE"):
        ModelTable.read(str(path))


def asking(*messages: ModelMessage, **fields: Any) -> ModelRequest:
    return ModelRequest(messages=messages or (ModelMessage.user("Hi"),), **fields)


def test_an_unsupported_request_is_refused_with_its_field() -> None:
    with pytest.raises(InvalidRequest) as refused:
        TABLE.check("ollama", "llama3", asking(ModelMessage.user("Hi"), IMAGE))
    assert (refused.value.param, refused.value.code) == ("messages[1].content", "no_images")
    with pytest.raises(InvalidRequest) as refused:
        TABLE.check("openai", "gpt-3.5-turbo", asking(max_tokens=4_097))
    assert (refused.value.param, refused.value.code) == ("max_tokens", "too_many_tokens")


def test_an_unknown_model_and_a_supported_request_are_not_refused() -> None:
    TABLE.check("openai", "mystery", asking(IMAGE, max_tokens=1_000_000))
    TABLE.check("openai", "gpt-4.1", asking(IMAGE, max_tokens=32_768))
    TABLE.check("openai", "gpt-3.5-turbo", asking(max_tokens=4_096))


def test_an_effort_that_a_model_does_not_have_is_refused_by_name() -> None:
    with pytest.raises(InvalidRequest) as refused:
        TABLE.check("openai", "gpt-6.2-sol", asking(effort="none"))
    assert (refused.value.param, refused.value.code) == ("effort", "unsupported_effort")
    assert "low, medium, high, xhigh, max" in refused.value.message
    for name, effort in [
        ("gpt-6.2-sol", "low"),
        ("gpt-5", "none"),
        ("gpt-5.1", "max"),
        ("claude-opus-5", "none"),
    ]:
        TABLE.check("anthropic" if "claude" in name else "openai", name, asking(effort=effort))


def test_an_effort_is_refused_for_a_model_that_is_listed_as_one_that_does_not_reason() -> None:
    table = ModelTable.read()
    table.check("ollama", "some-model", asking(effort="high"))
    table.learn("ollama", [ListedModel(name="some-model", reasoning=False)])
    table.check("ollama", "some-model", asking(effort="none"))
    with pytest.raises(InvalidRequest) as refused:
        table.check("ollama", "some-model", asking(effort="high"))
    assert refused.value.param == "effort"


def test_answer_tokens_are_capped_by_the_model() -> None:
    assert TABLE.cap_answer_tokens("openai", "gpt-3.5-turbo", 9_000) == 4_096
    assert TABLE.cap_answer_tokens("openai", "gpt-3.5-turbo", 100) == 100
    assert TABLE.cap_answer_tokens("openai", "mystery", 9_000) == 9_000


def test_find_provider_returns_the_first_provider_with_the_model() -> None:
    assert TABLE.find_provider("gpt-4.1", ["anthropic", "openai"]) == "openai"
    assert TABLE.find_provider("gpt-4.1", ["anthropic", "mock"]) is None

"""What is known of models: the table, prices, dated names, and what is refused by name."""

from decimal import Decimal
from pathlib import Path

import pytest

from webapp.catalog.models import ModelTable
from webapp.chat import ImagePart, ModelMessage, Usage
from webapp.errors import ConfigurationError, InvalidRequest
from webapp.settings import PROVIDERS

KNOWN = ModelTable.read()
USAGE = Usage(1_000, 500)
IMAGE = ModelMessage.user([ImagePart(url="https://example.org/cat.png")])


def override(folder: Path, *rows: str) -> ModelTable:
    path = folder / "models.toml"
    path.write_text("dated = 2026-11-01\n" + "".join(f"[[model]]\n{row}\n" for row in rows))
    return ModelTable.read(str(path))


@pytest.mark.parametrize("provider", PROVIDERS)
def test_each_provider_has_one_default(provider: str) -> None:
    assert [row.name for row in KNOWN.of(provider) if row.default] == [KNOWN.default(provider)]
    assert KNOWN.of(provider)[0].default


def test_every_row_is_complete() -> None:
    for provider in PROVIDERS:
        for row in KNOWN.of(provider):
            assert row.images is not None, row
            assert min(row.window or 0, row.longest or 0) > 0, row
            assert row.input is not None, row
            assert row.output is not None, row
            assert row.output >= row.input >= 0, row


@pytest.mark.parametrize(
    ("provider", "name", "found"),
    [
        ("openai", "gpt-4.1", "gpt-4.1"),
        ("openai", "gpt-4.1-2025-04-14", "gpt-4.1"),
        ("openai", "gpt-4o-mini-2024-07-18", "gpt-4o-mini"),
        ("openai", "gpt-3.5-turbo-0125", "gpt-3.5-turbo"),
        ("anthropic", "claude-3-7-sonnet-20250219", "claude-3-7-sonnet-20250219"),
        ("openai", "gpt-4.1-turbo", None),
        ("openai", "gpt-4.1-", None),
        ("openai", "gpt-4", None),
        ("anthropic", "gpt-4.1", None),
        ("openai", "", None),
        ("openai", "-" * 1000, None),
    ],
)
def test_a_dated_name_is_found_by_the_name_it_extends(provider: str, name: str, found: str | None) -> None:
    row = KNOWN.find(provider, name)
    assert (row.name if row else None) == found


def test_an_answer_is_priced_exactly() -> None:
    assert KNOWN.cost("openai", ["gpt-4.1"], USAGE) == Decimal("0.006")
    assert KNOWN.cost("openai", ["gpt-4.1-2025-04-14"], Usage(1, 1)) == Decimal("0.00001")
    assert KNOWN.cost("ollama", ["llama3"], USAGE) == 0
    assert KNOWN.cost("openai", ["gpt-4.1"], Usage(0, 0)) == 0


def test_an_unknown_price_is_none(tmp_path: Path) -> None:
    assert KNOWN.cost("openai", ["mystery"], USAGE) is None
    models = override(tmp_path, 'provider = "openai"\nname = "half"\ninput = "1"')
    assert models.cost("openai", ["half"], USAGE) is None


def test_the_operator_s_file_overrides_model_by_model(tmp_path: Path) -> None:
    models = override(tmp_path, 'provider = "openai"\nname = "gpt-4.1"\ninput = "1"\noutput = 2.5')
    assert models.cost("openai", ["gpt-4.1"], USAGE) == Decimal("0.00225")
    assert models.cost("openai", ["gpt-4o"], USAGE) == KNOWN.cost("openai", ["gpt-4o"], USAGE)
    assert models.default("openai") == "gpt-4.1", "a new price left the provider without a default"


def test_the_operator_s_default_replaces_ours(tmp_path: Path) -> None:
    models = override(tmp_path, 'provider = "openai"\nname = "local"\ndefault = true')
    assert models.default("openai") == "local"
    assert models.default("anthropic") == KNOWN.default("anthropic")
    assert [row.name for row in models.of("openai") if row.default] == ["local"]


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
    ],
)
def test_a_file_that_is_no_such_table_names_its_setting(tmp_path: Path, text: str) -> None:
    path = tmp_path / "models.toml"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match="FRESHET_MODELS_FILE") as refused:
        ModelTable.read(str(path))
    assert refused.value.setting == "FRESHET_MODELS_FILE"
    with pytest.raises(ConfigurationError, match="FRESHET_MODELS_FILE"):
        ModelTable.read(str(tmp_path))


def test_bytes_that_are_no_utf8_name_the_setting(tmp_path: Path) -> None:
    path = tmp_path / "models.toml"
    path.write_bytes(b"dated = 2026-11-01\n# \xff\nmodel = []\n")
    with pytest.raises(ConfigurationError, match="FRESHET_MODELS_FILE"):
        ModelTable.read(str(path))


def test_what_a_model_lacks_is_refused_by_name() -> None:
    with pytest.raises(InvalidRequest) as refused:
        KNOWN.check("ollama", "llama3", [ModelMessage.user("Hi"), IMAGE], None)
    assert (refused.value.param, refused.value.code) == ("messages[1].content", "no_images")
    with pytest.raises(InvalidRequest) as refused:
        KNOWN.check("openai", "gpt-3.5-turbo", [], 4_097)
    assert (refused.value.param, refused.value.code) == ("max_tokens", "too_many_tokens")


def test_what_is_not_known_is_not_refused() -> None:
    KNOWN.check("openai", "mystery", [IMAGE], 1_000_000)
    KNOWN.check("openai", "gpt-4.1", [IMAGE], 32_768)
    KNOWN.check("openai", "gpt-3.5-turbo", [ModelMessage.user("Hi")], 4_096)


def test_a_default_length_is_cut_to_what_the_model_can_do() -> None:
    assert KNOWN.longest("openai", "gpt-3.5-turbo", 9_000) == 4_096
    assert KNOWN.longest("openai", "gpt-3.5-turbo", 100) == 100
    assert KNOWN.longest("openai", "mystery", 9_000) == 9_000


def test_the_owner_of_a_name() -> None:
    assert KNOWN.owner("gpt-4.1", ["anthropic", "openai"]) == "openai"
    assert KNOWN.owner("gpt-4.1", ["anthropic", "mock"]) is None

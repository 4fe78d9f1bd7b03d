"""Estimates of tokens beside the real counts of a tokenizer."""

import json
from pathlib import Path
from typing import Any

import pytest

from webapp.chat import TokenEstimator, estimate_tokens

# Each text with the number of tokens that OpenAI's `o200k_base` makes of it.
SAMPLES: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "browser/modules/token-samples.json").read_text("utf-8")
)["samples"]


@pytest.mark.parametrize("sample", SAMPLES, ids=[sample["name"] for sample in SAMPLES])
def test_n30_an_estimate_is_within_a_quarter_of_the_real_count(sample: dict[str, Any]) -> None:
    """Four characters were taken for a token in every script but the East Asian: half of the real count, or less."""
    assert estimate_tokens(sample["text"]) == pytest.approx(sample["tokens"], rel=0.25)


def test_a_text_of_one_character_has_a_token() -> None:
    for char in ("a", " ", "\r", "\0", "é", "ب", "你", "😀", "\ud83d"):
        assert estimate_tokens(char) >= 1
    assert TokenEstimator().add("") == 0

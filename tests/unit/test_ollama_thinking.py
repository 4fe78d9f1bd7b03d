"""How much an Ollama model is asked to think, by the values that it says it takes."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from tests.unit.transports import FakeTransport
from webapp.chat import Effort
from webapp.errors import UpstreamError
from webapp.providers.ollama.status import read_thinking
from webapp.providers.ollama.thinking import Think, ThinkingValues, choose_think


@pytest.mark.parametrize(
    ("values", "effort", "expected"),
    [
        ((True, False), "none", (False, True)),
        ((True, False), "low", (True, True)),
        ((True,), "none", (None, False)),
        ((False,), "none", (False, True)),
        ((False,), "high", (None, False)),
        (("low", "medium", "high"), "none", ("low", False)),
        (("low", "medium", "high"), "medium", ("medium", True)),
        (("low", "medium", "high"), "max", ("high", True)),
        ((False, "high", "max"), "none", (False, True)),
        ((False, "high", "max"), "low", ("high", True)),
        ((False, "high", "max"), "xhigh", ("high", True)),
        ((True, False, "low", "high"), "medium", ("low", True)),
        ((), "none", (False, True)),
        (("glow",), "high", (None, False)),
    ],
)
def test_the_nearest_value_is_chosen(
    values: Sequence[Think], effort: Effort, expected: tuple[Think | None, bool]
) -> None:
    value, is_honoured = choose_think(effort, values)
    assert (repr(value), is_honoured) == (repr(expected[0]), expected[1])


def test_the_values_are_asked_for_every_ten_minutes_and_sooner_where_they_are_not_told() -> None:
    now, asked = [0.0], [0]

    def ask() -> Sequence[Think] | None:
        asked[0] += 1
        return None if asked[0] == 1 else ("low", "high")

    thinking = ThinkingValues("qwen3", ask, lambda: now[0])
    assert asked == [0]
    assert [thinking.choose("high"), thinking.choose("low")] == [(True, True), (True, True)]
    now[0] = 61.0
    assert [thinking.choose("high"), thinking.choose("low")] == [("high", True), ("low", True)]
    now[0] = 600.0
    thinking.choose("high")
    assert asked == [2]
    now[0] = 662.0
    thinking.choose("high")
    assert asked == [3]


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        ({"thinking": {"values": ["low", "high"], "default": "low"}}, ("low", "high")),
        ({"thinking": {"values": [True, False, 3, None]}}, (True, False)),
        ({"thinking": {"values": "all"}, "capabilities": ["completion", "thinking"]}, None),
        ({"capabilities": ["completion"]}, (False,)),
        ({"capabilities": ["completion", "thinking"]}, None),
        ({}, None),
        ([], None),
    ],
)
def test_what_a_server_says_of_a_model_is_read(shown: Any, expected: Any) -> None:
    transport = FakeTransport([json.dumps(shown).encode()])
    assert read_thinking(transport, "http://h", "qwen3") == expected
    assert transport.calls[0].url == "http://h/api/show"
    assert transport.bodies == [{"model": "qwen3"}]


def test_a_server_that_fails_says_nothing() -> None:
    assert read_thinking(FakeTransport(UpstreamError("upstream_unreachable")), "http://h", "m") is None
    assert read_thinking(FakeTransport([b"<html>"]), "http://h", "m") is None

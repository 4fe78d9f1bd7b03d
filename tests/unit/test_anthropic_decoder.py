"""Decoding recorded responses of Anthropic, split anywhere."""

import json
import logging
from collections.abc import Sequence
from decimal import Decimal

import anthropic.types.beta
import pydantic
import pytest

from tests.unit.recorded import Decoded, decode_recording, detail_of, recording, recording_names
from tests.unit.transports import FakeTransport
from webapp.chat import ModelMessage, ModelRequest, Usage
from webapp.events import CallUsage, Source, UsageReport
from webapp.providers.anthropic.decoder import AnthropicDecoder
from webapp.providers.anthropic.provider import AnthropicProvider
from webapp.providers.retries import RetryingClient
from webapp.usage import UsageMeter

CLAUDE = "claude-3-7-sonnet-20250219"

EXPECTED = {
    "plain": Decoded(text="Hello", usage=(None, 4), reason="stop", model=CLAUDE),
    "thinking": Decoded(
        text="Hello", reasoning="They greet me.", usage=(None, 4), reason="stop", model=CLAUDE
    ),
    "redacted": Decoded(text="Hello", usage=(None, 4), reason="stop", model=CLAUDE),
    "refusal": Decoded(text="I can", usage=(None, 4), reason="content_filter", model=CLAUDE),
    "overloaded": Decoded(text="Hel", usage=(12, 1), failure="upstream_overloaded", retryable=True),
    "billing": Decoded(text="Hel", usage=(12, 1), failure="upstream_quota", retryable=False),
    "max_tokens": Decoded(text="Hel", usage=(None, 4), reason="length", model=CLAUDE),
    "window": Decoded(text="Hel", usage=(None, 4), reason="length", model=CLAUDE),
    "tool_use": Decoded(text="Let me look.", usage=(None, 4), reason="tool_calls", model=CLAUDE),
    "cache": Decoded(text="Hello", usage=(None, 7), reason="stop", model=CLAUDE),
    "citations": Decoded(
        text="Grass is green.",
        usage=(None, 6),
        reason="stop",
        model="claude-sonnet-5-5",
        sources=(
            Source(n=1, title="Grass", source="https://grass.example/", snippet="Grass is green"),
            Source(n=2, title="Colours", snippet="Green."),
        ),
    ),
    "late_input": Decoded(text="Hello", usage=(20, 4), reason="stop", model=CLAUDE),
    "unknown_events": Decoded(text="Hello", usage=(None, 4), reason="stop", model=CLAUDE),
    "text_in_start": Decoded(text="Hello", usage=(None, 4), reason="stop", model="local"),
    "no_end": Decoded(text="Hel", usage=(12, 1), failure="interrupted", retryable=True),
    "one_damaged": Decoded(text="Hello", usage=(None, 4), reason="stop", model=CLAUDE, damaged=2),
    "many_damaged": Decoded(usage=(12, 1), failure="upstream_protocol", retryable=True),
    "omitted": Decoded(text="Hello", usage=(None, 4), reason="stop", model="claude-opus-5-5"),
    "summarized": Decoded(
        text="Hello",
        reasoning="They greet me. In English.",
        usage=(None, 4),
        reason="stop",
        model="claude-opus-5-5",
    ),
    "pause_turn": Decoded(text="Let me look.", usage=(None, 4), reason="stop", model="claude-opus-5-5"),
    "refusal_details": Decoded(usage=(12, 1), reason="content_filter", model="claude-fable-5-1"),
    "fallback": Decoded(text="I can", usage=(41, 8), reason="stop", model="claude-opus-5-5"),
    "compaction": Decoded(text="Hello", usage=(1000, 54), reason="stop", model="claude-sonnet-5-5"),
    "compaction_stop": Decoded(text="Hel", usage=(None, 4), reason="length", model="claude-sonnet-5-5"),
    "cumulative": Decoded(text="Hello", usage=(123, 4), reason="stop", model="claude-haiku-5-5"),
    "zero_input": Decoded(text="Hello", usage=(42, 4), reason="stop", model="claude-sonnet-5"),
    "future": Decoded(text="Hello", usage=(None, 4), reason="stop", model="claude-opus-6"),
    "whole_think_block": Decoded(
        text="Hello", reasoning="They greet me.", usage=(None, 4), reason="stop", model="local"
    ),
    "think_tags": Decoded(
        text="Hello", reasoning="They greet me.", usage=(None, 4), reason="stop", model="local"
    ),
    "capital_reason": Decoded(text="Hel", usage=(None, 4), reason="length", model="local"),
    "failed_reason": Decoded(text="Hel", usage=(None, 4), failure="upstream_overloaded", retryable=True),
    "whole_message": Decoded(
        text="Hello", reasoning="They greet me.", usage=(15, 4), reason="stop", model="local"
    ),
    "invalid_utf8": Decoded(text="a\ufffd\ud83d", usage=(None, 4), reason="stop", model="m"),
}


def test_every_recording_has_an_expectation() -> None:
    assert recording_names("anthropic") == sorted(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_recording(name: str) -> None:
    assert decode_recording(AnthropicDecoder, recording("anthropic", name)) == EXPECTED[name]


def test_cached_tokens_count_as_input() -> None:
    decoder = AnthropicDecoder(10_000)
    events = decoder.decode(recording("anthropic", "cache"))
    assert [(one.input_tokens, one.output_tokens) for one in events if hasattr(one, "input_tokens")] == [
        (123, 1),
        (None, 7),
    ]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("cumulative", (123, 4, 11, 100)),
        ("zero_input", (42, 4, 30, 0)),
        ("fallback", (41, 8, 10, 5)),
        ("compaction", (1000, 54, 0, 0)),
    ],
)
def test_the_usage_counts_the_cache_apart_and_every_iteration(
    name: str, expected: tuple[int, int, int, int]
) -> None:
    decoder = AnthropicDecoder(10_000)
    reports = [one for one in decoder.decode(recording("anthropic", name)) if isinstance(one, UsageReport)]
    last = reports[-1]
    assert (
        last.input_tokens,
        last.output_tokens,
        last.cache_read_tokens,
        last.cache_write_tokens,
    ) == expected


def test_a_refusal_s_category_is_logged_but_not_its_text(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="freshet.providers")
    AnthropicDecoder(10_000).decode(recording("anthropic", "refusal_details"))
    assert "cyber" in caplog.text
    assert "could enable" not in caplog.text


@pytest.mark.parametrize("name", ["summarized", "omitted", "fallback", "compaction", "redacted"])
def test_what_only_the_provider_can_read_is_in_no_event(name: str) -> None:
    events = repr(AnthropicDecoder(10_000).decode(recording("anthropic", name)))
    assert not [secret for secret in ("EqQB", "EmwK", "They talked", "Zm9v", "trigger") if secret in events]


def test_redacted_thinking_is_skipped() -> None:
    decoder = AnthropicDecoder(10_000)
    assert "EmwK" not in repr(decoder.decode(recording("anthropic", "redacted")))


def test_an_error_has_the_provider_s_text_in_its_detail() -> None:
    assert detail_of(AnthropicDecoder, recording("anthropic", "overloaded")) == "overloaded_error: Overloaded"


def test_deeply_nested_json_is_one_damaged_event() -> None:
    decoder = AnthropicDecoder(1 << 20)
    decoder.decode(b'data: {"type":"error","error":' + b"[" * 50_000 + b"\n\n")
    events = decoder.decode(b'data: {"type":"message_stop"}\n\n')
    assert events[-1].damaged == 1


@pytest.mark.parametrize(
    "name",
    [
        "omitted",
        "summarized",
        "pause_turn",
        "refusal_details",
        "fallback",
        "compaction",
        "compaction_stop",
        "cumulative",
    ],
)
def test_recordings_of_today_are_what_anthropic_s_package_reads(name: str) -> None:
    adapter: pydantic.TypeAdapter[object] = pydantic.TypeAdapter(
        anthropic.types.beta.BetaRawMessageStreamEvent
    )
    lines = recording("anthropic", name).decode().splitlines()
    events = [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")]
    assert len(events) > 2
    for event in events:
        adapter.validate_python(event)


def test_each_iteration_has_the_price_of_its_own_model() -> None:
    """The recording's refused call is of claude-fable-5-1, at 10 and 50 dollars a million; claude-opus-5-5 has answered, at 4 and 20."""
    prices = {"claude-fable-5-1": (10, 50), "claude-opus-5-5": (4, 20)}

    def price(_: str, names: Sequence[str], usage: Usage) -> Decimal | None:
        known = prices.get(names[0])
        return known and Decimal(known[0] * usage.input_tokens + known[1] * usage.output_tokens)

    provider = AnthropicProvider(
        RetryingClient(FakeTransport([recording("anthropic", "fallback")])),
        model_name="claude-fable-5-1",
        max_tokens=300,
        pricer=price,
        api_key="k",
    )
    response = provider.complete(ModelRequest(messages=[ModelMessage.user("Hi")]))
    assert (response.model, response.usage.input_tokens) == ("claude-opus-5-5", 41)
    assert response.cost == (10 * 17 + 50 * 2) + (4 * 24 + 20 * 6)


@pytest.mark.parametrize(
    ("models", "expected"),
    [
        (["a", "b"], 3),
        ([None, "b"], 3),  # one that names no model is of the one that was asked for
        (["a", "unpriced"], None),
    ],
)
def test_the_cost_of_several_calls_is_known_if_each_is(
    models: list[str | None], expected: int | None
) -> None:
    meter = UsageMeter(ModelRequest(messages=[ModelMessage.user("Hi")]))
    meter.report(UsageReport(2, 2, calls=tuple(CallUsage(model, Usage(1, 1)) for model in models)))
    usage = meter.usage(0, is_complete=True)
    costs = {"a": Decimal(1), "b": Decimal(2)}
    assert (
        meter.cost(lambda _provider, names, _usage: costs.get(names[0]), "anthropic", ("b", "a"), usage)
        == expected
    )
    meter.switch()
    meter.report(UsageReport(2, 2))
    assert (
        meter.cost(lambda _provider, names, _usage: costs.get(names[0]), "anthropic", ("b", "a"), usage) == 2
    )

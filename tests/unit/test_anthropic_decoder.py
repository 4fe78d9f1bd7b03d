"""Anthropic's dialect, from recordings, cut anywhere."""

import pytest

from tests.unit.recorded import Heard, detail_of, hear, names, recording
from webapp.providers.anthropic import AnthropicDecoder

CLAUDE = "claude-3-7-sonnet-20250219"

EXPECTED = {
    "plain": Heard(text="Hello", usage=(None, 4), reason="stop", model=CLAUDE),
    "thinking": Heard(text="Hello", reasoning="They greet me.", usage=(None, 4), reason="stop", model=CLAUDE),
    "redacted": Heard(text="Hello", usage=(None, 4), reason="stop", model=CLAUDE),
    "refusal": Heard(text="I can", usage=(None, 4), reason="content_filter", model=CLAUDE),
    "overloaded": Heard(text="Hel", usage=(12, 1), failure="upstream_overloaded", retryable=True),
    "billing": Heard(text="Hel", usage=(12, 1), failure="upstream_quota", retryable=False),
    "max_tokens": Heard(text="Hel", usage=(None, 4), reason="length", model=CLAUDE),
    "window": Heard(text="Hel", usage=(None, 4), reason="length", model=CLAUDE),
    "tool_use": Heard(text="Let me look.", usage=(None, 4), reason="tool_calls", model=CLAUDE),
    "cache": Heard(text="Hello", usage=(None, 7), reason="stop", model=CLAUDE),
    "late_input": Heard(text="Hello", usage=(20, 4), reason="stop", model=CLAUDE),
    "unknown_events": Heard(text="Hello", usage=(None, 4), reason="stop", model=CLAUDE),
    "text_in_start": Heard(text="Hello", usage=(None, 4), reason="stop", model="local"),
    "no_end": Heard(text="Hel", usage=(12, 1), failure="interrupted", retryable=True),
    "one_damaged": Heard(text="Hello", usage=(None, 4), reason="stop", model=CLAUDE, damaged=2),
    "many_damaged": Heard(usage=(12, 1), failure="upstream_protocol", retryable=True),
    "invalid_utf8": Heard(text="a\ufffd\ud83d", usage=(None, 4), reason="stop", model="m"),
}


def test_every_recording_is_expected() -> None:
    assert names("anthropic") == sorted(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_recording(name: str) -> None:
    assert hear(AnthropicDecoder, recording("anthropic", name)) == EXPECTED[name]


def test_the_cache_counts_as_input() -> None:
    decoder = AnthropicDecoder(10_000)
    events = decoder.decode(recording("anthropic", "cache"))
    assert [(one.input_tokens, one.output_tokens) for one in events if hasattr(one, "input_tokens")] == [
        (123, 1),
        (None, 7),
    ]


def test_redacted_thinking_is_nowhere() -> None:
    decoder = AnthropicDecoder(10_000)
    assert "EmwK" not in repr(decoder.decode(recording("anthropic", "redacted")))


def test_an_error_keeps_the_provider_s_words_for_the_operator() -> None:
    assert detail_of(AnthropicDecoder, recording("anthropic", "overloaded")) == "overloaded_error: Overloaded"


def test_json_nested_without_end_is_one_damaged_event() -> None:
    decoder = AnthropicDecoder(1 << 20)
    decoder.decode(b'data: {"type":"error","error":' + b"[" * 50_000 + b"\n\n")
    events = decoder.decode(b'data: {"type":"message_stop"}\n\n')
    assert events[-1].damaged == 1

"""Decoding recorded responses of Ollama, split anywhere."""

import pytest

from tests.unit.recorded import Decoded, decode_recording, detail_of, recording, recording_names
from webapp.providers.ollama.decoder import OllamaDecoder

DONE = {"usage": (26, 2), "reason": "stop", "model": "llama3"}

EXPECTED = {
    "plain": Decoded(text="Hello", **DONE),
    "thinking": Decoded(text="Hello", reasoning="They greet me.", **DONE),
    "length": Decoded(text="Hello", **DONE | {"reason": "length"}),
    "load": Decoded(usage=(None, None), reason="stop", model="llama3"),
    "old": Decoded(text="Hello", usage=(None, 2), reason="stop", model="llama3"),
    "error": Decoded(text="Hel", failure="upstream_overloaded", retryable=True),
    "no_done": Decoded(text="Hel", failure="interrupted", retryable=True),
    "tool_calls": Decoded(**DONE | {"reason": "tool_calls"}),
    "loose": Decoded(text="Hello", **DONE),
    "one_damaged": Decoded(text="Hello", damaged=1, **DONE),
    "many_damaged": Decoded(failure="upstream_protocol", retryable=True),
    "reasoning_field": Decoded(text="Hello", reasoning="They greet me.", **DONE),
    "reasoning_twice": Decoded(text="Hello", reasoning="They greet me.", **DONE),
    "think_tags": Decoded(text="Hello", reasoning="They greet me.", **DONE),
    "think_off": Decoded(text="Hello", reasoning="They greet me.", **DONE),
    "think_unclosed": Decoded(reasoning="They greet me.", **DONE | {"reason": "length"}),
    "think_in_code": Decoded(text="Write:\n\n```\n<think>x</think>\n```\n", **DONE),
    "unload": Decoded(**DONE),
    "levels": Decoded(text="Hello", reasoning="They greet me.", **DONE),
    "web_page": Decoded(failure="upstream_bad_request", retryable=False),
    "capital_reason": Decoded(text="Hel", **DONE | {"reason": "length"}),
    "failed_reason": Decoded(text="Hel", usage=(26, 2), failure="upstream_overloaded", retryable=True),
    "unknown_reason": Decoded(text="Hello", **DONE),
    "invalid_utf8": Decoded(text="a\ufffd\ud83d", **DONE),
    "unicode": Decoded(text="a\u2028b👩‍🚀", **DONE),
}


def test_every_recording_has_an_expectation() -> None:
    assert recording_names("ollama") == sorted(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_recording(name: str) -> None:
    assert decode_recording(OllamaDecoder, recording("ollama", name)) == EXPECTED[name]


def test_an_error_has_the_provider_s_text_in_its_detail() -> None:
    assert "unexpected EOF" in detail_of(OllamaDecoder, recording("ollama", "error"))


def test_text_in_an_unterminated_last_line_is_kept() -> None:
    """A body truncated after a complete object keeps the object's text."""
    decoder = OllamaDecoder(1000)
    decoder.decode(b'{"message":{"content":"Hel"},"done":false}\n{"message":{"content":"lo"},"done":false}')
    assert [event.text for event in decoder.flush()] == ["lo"]
    assert "cut off" in str(decoder.error)

"""Ollama's dialect, from recordings, cut anywhere."""

import pytest

from tests.unit.recorded import Heard, detail_of, hear, names, recording
from webapp.providers.ollama import OllamaDecoder

DONE = {"usage": (26, 2), "reason": "stop", "model": "llama3"}

EXPECTED = {
    "plain": Heard(text="Hello", **DONE),
    "thinking": Heard(text="Hello", reasoning="They greet me.", **DONE),
    "length": Heard(text="Hello", **DONE | {"reason": "length"}),
    "load": Heard(usage=(None, None), reason="stop", model="llama3"),
    "old": Heard(text="Hello", usage=(None, 2), reason="stop", model="llama3"),
    "error": Heard(text="Hel", failure="upstream_overloaded", retryable=True),
    "no_done": Heard(text="Hel", failure="interrupted", retryable=True),
    "tool_calls": Heard(**DONE | {"reason": "tool_calls"}),
    "loose": Heard(text="Hello", **DONE),
    "one_damaged": Heard(text="Hello", damaged=1, **DONE),
    "many_damaged": Heard(failure="upstream_protocol", retryable=True),
    "invalid_utf8": Heard(text="a\ufffd\ud83d", **DONE),
    "unicode": Heard(text="a\u2028b👩‍🚀", **DONE),
}


def test_every_recording_is_expected() -> None:
    assert names("ollama") == sorted(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_recording(name: str) -> None:
    assert hear(OllamaDecoder, recording("ollama", name)) == EXPECTED[name]


def test_an_error_keeps_the_provider_s_words_for_the_operator() -> None:
    assert "unexpected EOF" in detail_of(OllamaDecoder, recording("ollama", "error"))


def test_text_in_a_last_line_without_its_end_is_kept() -> None:
    """The body is cut behind a whole object: what it says was said."""
    decoder = OllamaDecoder(1000)
    decoder.decode(b'{"message":{"content":"Hel"},"done":false}\n{"message":{"content":"lo"},"done":false}')
    assert [event.text for event in decoder.flush()] == ["lo"]
    assert "cut off" in str(decoder.error)

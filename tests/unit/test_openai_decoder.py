"""OpenAI's dialect and those who speak it, from recordings, cut anywhere."""

import pytest

from tests.unit.recorded import Heard, detail_of, hear, names, recording
from webapp.providers.openai import OpenAIDecoder

GPT = "gpt-4.1-2025-04-14"
LLAMA = "llama-3.3-70b-versatile"
PROTOCOL = {"failure": "upstream_protocol", "retryable": True}
OVERLOADED = {"failure": "upstream_overloaded", "retryable": True}

EXPECTED = {
    "openai": Heard(text="Hello", usage=(9, 2), reason="stop", model=GPT),
    "azure": Heard(text="Hello", reason="stop", model="gpt-4o-2024-11-20"),
    "azure_filtered": Heard(text="How to", reason="content_filter", model=GPT),
    "openrouter": Heard(
        text="Hello", usage=(14, 2), reason="stop", model="meta-llama/llama-3.3-70b-instruct"
    ),
    "openrouter_error": Heard(text="Hel", **OVERLOADED),
    "openrouter_rate": Heard(failure="upstream_rate_limited", retryable=True),
    "groq": Heard(text="Hello", usage=(36, 2), reason="stop", model=LLAMA),
    "groq_error": Heard(text="Hel", **OVERLOADED),
    "deepseek": Heard(
        text="Hello", reasoning="They greet me.", usage=(10, 5), reason="stop", model="deepseek-reasoner"
    ),
    "vllm": Heard(text="Hello", usage=(5, 3), reason="stop", model="qwen"),
    "vllm_reasoning": Heard(text="Hi", reasoning="Let me see.", reason="stop", model="qwq"),
    "vllm_error": Heard(text="Hel", failure="upstream_bad_request", retryable=False),
    "llamacpp": Heard(text="Hello", reason="stop", model="gpt-3.5-turbo"),
    "text_choices": Heard(text="Hello", usage=(3, 2), reason="length", model="lm"),
    "lmstudio_error": Heard(text="Hel", **OVERLOADED),
    "named_error": Heard(text="Hel", failure="upstream_timeout", retryable=True),
    "plain_error": Heard(text="Hel", **OVERLOADED),
    "mistral": Heard(text="Hello", reasoning="Hmm", usage=(4, 3), reason="stop", model="magistral-medium"),
    "refusal": Heard(text="I'm sorry, I can't.", usage=(8, 6), reason="content_filter", model=GPT),
    "length": Heard(text="Hel", reason="length", model=GPT),
    "tool_calls": Heard(reason="tool_calls", model=GPT),
    "unknown_reason": Heard(text="Hello", reason="stop", model=GPT),
    "surrogate_halves": Heard(text="a\ud83d\ude00b\udc80", reason="stop"),
    "invalid_utf8": Heard(text="a\ufffdb\ufffdok", reason="stop"),
    "one_damaged": Heard(text="Hello", reason="stop", model=GPT, damaged=1),
    "many_damaged": Heard(text="Hel", **PROTOCOL),
    "empty_things": Heard(text="Hello", reason="stop", model=GPT),
    "odd_types": Heard(text="Hello", usage=(3, None), reason="stop"),
    "done_alone": Heard(text="Hello", reason="stop", model=GPT),
    "no_end": Heard(text="Hel", failure="interrupted", retryable=True),
    "wild_lines": Heard(text="a\u2028bc", reason="stop"),
    "after_done": Heard(text="Hello", reason="stop", model=GPT),
}


def test_every_recording_is_expected() -> None:
    assert names("openai") == sorted(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_recording(name: str) -> None:
    assert hear(OpenAIDecoder, recording("openai", name)) == EXPECTED[name]


def test_an_error_keeps_the_provider_s_words_for_the_operator() -> None:
    assert "Provider disconnected" in detail_of(OpenAIDecoder, recording("openai", "openrouter_error"))
    assert "over_capacity" in detail_of(OpenAIDecoder, recording("openai", "groq_error"))
    assert "rate limit reached" in detail_of(OpenAIDecoder, recording("openai", "plain_error"))


def test_a_conversation_that_is_too_long_is_told_apart() -> None:
    body = b'data: {"error":{"code":"context_length_exceeded","message":"maximum context length is 9"}}\n\n'
    decoder = OpenAIDecoder(1000)
    assert decoder.decode(body) == []
    assert "too long for this model" in str(decoder.error)


@pytest.mark.parametrize(
    "chunk",
    [
        b'{"choices":' + b"[" * 50_000,
        b'{"novelty":' + b"[" * 50_000 + b"]" * 50_000 + b"}",
        b'{"choices":[{"delta":{"content":' + b"[" * 50_000 + b"]" * 50_000 + b"}}]}",
    ],
    ids=["unfinished", "in what is skipped", "in the text"],
)
def test_json_nested_without_end_is_one_damaged_event(chunk: bytes) -> None:
    body = b"data: " + chunk + b'\n\ndata: {"choices":[{"delta":{"content":"Hello"}}]}\n\ndata: [DONE]\n\n'
    decoder = OpenAIDecoder(1 << 20)
    events = decoder.decode(body)
    assert decoder.finished
    assert events[-1].damaged == 1


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "true", '"7"', "[]"])
def test_usage_that_is_no_number_is_not_told(number: str) -> None:
    usage = f'{{"prompt_tokens":{number},"completion_tokens":2}}'
    body = f'data: {{"choices":[{{"delta":{{"content":"x"}}}}],"usage":{usage}}}\n\ndata: [DONE]\n\n'
    assert hear(OpenAIDecoder, body.encode()) == Heard(text="x", usage=(None, 2), reason="stop")


def test_a_line_without_end_is_refused() -> None:
    decoder = OpenAIDecoder(1000)
    decoder.decode(b'data: {"choices":[{"delta":{"content":"x"}}]}\n\n')
    assert decoder.decode(b"data: " + b"x" * 1000) == []
    assert "could not be read" in str(decoder.error)


def test_a_role_alone_says_nothing() -> None:
    decoder = OpenAIDecoder(1000)
    assert decoder.decode(b'data: {"choices":[{"delta":{"role":"assistant","content":""}}]}\n\n') == []

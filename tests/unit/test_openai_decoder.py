"""Decoding recorded responses of OpenAI and compatible servers, split anywhere."""

import pytest

from tests.unit.recorded import Decoded, decode_recording, detail_of, recording, recording_names
from webapp.events import Source
from webapp.providers.openai.chat_decoder import OpenAIDecoder

GPT = "gpt-4.1-2025-04-14"
LLAMA = "llama-3.3-70b-versatile"
PROTOCOL = {"failure": "upstream_protocol", "retryable": True}
OVERLOADED = {"failure": "upstream_overloaded", "retryable": True}
WRONG_ADDRESS = Decoded(failure="upstream_bad_request", retryable=False)

EXPECTED = {
    "openai": Decoded(text="Hello", usage=(9, 2), reason="stop", model=GPT),
    "azure": Decoded(text="Hello", reason="stop", model="gpt-4o-2024-11-20"),
    "azure_filtered": Decoded(text="How to", reason="content_filter", model=GPT),
    "openrouter": Decoded(
        text="Hello", usage=(14, 2), reason="stop", model="meta-llama/llama-3.3-70b-instruct"
    ),
    "openrouter_error": Decoded(text="Hel", **OVERLOADED),
    "openrouter_rate": Decoded(failure="upstream_rate_limited", retryable=True),
    "groq": Decoded(text="Hello", usage=(36, 2), reason="stop", model=LLAMA),
    "groq_error": Decoded(text="Hel", **OVERLOADED),
    "deepseek": Decoded(
        text="Hello", reasoning="They greet me.", usage=(10, 5), reason="stop", model="deepseek-reasoner"
    ),
    "perplexity": Decoded(
        text="Tides follow the moon [2]. See [1].",
        usage=(9, 8),
        reason="stop",
        model="sonar-pro",
        sources=(
            Source(n=1, title="Tides", source="https://one.example/tides"),
            Source(n=2, title="The moon", source="https://two.example/moon?x=1&y=2", snippet="It pulls."),
        ),
    ),
    "openrouter_annotations": Decoded(
        text="It rained.",
        reason="stop",
        model="openai/gpt-4.1:online",
        sources=(
            Source(
                n=1,
                title="Today's weather",
                source="https://weather.example/today",
                snippet="Rain all day.",
            ),
        ),
    ),
    "azure_own_data": Decoded(
        text="The moon [doc1].",
        reason="stop",
        sources=(
            Source(n=1, title="Tides", source="https://tides.example/", snippet="It pulls."),
            Source(n=2, title="moon.pdf", snippet="x"),
        ),
    ),
    "litellm_citations": Decoded(
        text="Green.",
        reason="stop",
        sources=(Source(n=1, title="Grass", source="https://grass.example/", snippet="Grass is green"),),
    ),
    "choice_citations": Decoded(
        text="Blue [1].",
        reason="stop",
        sources=(
            Source(n=1, source="https://c.example/1"),
            Source(n=2, source="https://c.example/2"),
        ),
    ),
    "whole_cited": Decoded(
        text="Blue [1].",
        reason="stop",
        model="m",
        sources=(
            Source(n=1, source="https://a.example/"),
            Source(n=2, title="B", source="https://b.example/"),
        ),
    ),
    "citation_objects": Decoded(
        text="Blue [1], green [3].",
        reason="stop",
        model="m",
        sources=(Source(n=1, title="A", source="http://a.example/"), Source(n=3, title="A book")),
    ),
    "vllm": Decoded(text="Hello", usage=(5, 3), reason="stop", model="qwen"),
    "vllm_reasoning": Decoded(text="Hi", reasoning="Let me see.", reason="stop", model="qwq"),
    "vllm_error": Decoded(text="Hel", failure="upstream_bad_request", retryable=False),
    "llamacpp": Decoded(text="Hello", reason="stop", model="gpt-3.5-turbo"),
    "text_choices": Decoded(text="Hello", usage=(3, 2), reason="length", model="lm"),
    "lmstudio_error": Decoded(text="Hel", **OVERLOADED),
    "named_error": Decoded(text="Hel", failure="upstream_timeout", retryable=True),
    "plain_error": Decoded(text="Hel", **OVERLOADED),
    "mistral": Decoded(text="Hello", reasoning="Hmm", usage=(4, 3), reason="stop", model="magistral-medium"),
    "refusal": Decoded(text="I'm sorry, I can't.", usage=(8, 6), reason="content_filter", model=GPT),
    "length": Decoded(text="Hel", reason="length", model=GPT),
    "tool_calls": Decoded(reason="tool_calls", model=GPT),
    "unknown_reason": Decoded(text="Hello", reason="stop", model=GPT),
    "surrogate_halves": Decoded(text="a\ud83d\ude00b\udc80", reason="stop"),
    "invalid_utf8": Decoded(text="a\ufffdb\ufffdok", reason="stop"),
    "one_damaged": Decoded(text="Hello", reason="stop", model=GPT, damaged=1),
    "many_damaged": Decoded(text="Hel", **PROTOCOL),
    "empty_things": Decoded(text="Hello", reason="stop", model=GPT),
    "odd_types": Decoded(text="Hello", usage=(3, None), reason="stop"),
    "done_alone": Decoded(text="Hello", reason="stop", model=GPT),
    "no_end": Decoded(text="Hel", failure="interrupted", retryable=True),
    "wild_lines": Decoded(text="a\u2028bc", reason="stop"),
    "after_done": Decoded(text="Hello", reason="stop", model=GPT),
    "reasoning_other_names": Decoded(text="Hello", reasoning="They greet me.", reason="stop", model="m"),
    "thinking_blocks": Decoded(text="Hello", reasoning="They greet me.", reason="stop", model="m"),
    "thinking_object": Decoded(text="Hello", reasoning="They greet me.", reason="stop", model="m"),
    "think_tags": Decoded(text="Hello", reasoning="Let me see", reason="stop", model="m"),
    "thinking_cut": Decoded(
        text="So:\n\n```\n<think>a</think>\n```\n",
        reasoning="They ask for `</thinking>`.",
        reason="stop",
        model="m",
    ),
    "think_unclosed": Decoded(reasoning="Let me see", reason="length", model="m"),
    "think_beside_field": Decoded(text="The tag </think> ends it.", reasoning="Hm", reason="stop", model="m"),
    "reasoning_details": Decoded(text="Hello", reasoning="Hm", reason="stop", model="m"),
    "reasoning_details_alone": Decoded(text="Hello", reasoning="Hm", reason="stop", model="m"),
    "choice_error": Decoded(text="Hello wor", **OVERLOADED),
    "finish_error": Decoded(text="Hel", **OVERLOADED),
    "insufficient_resource": Decoded(text="Hel", **OVERLOADED),
    "error_line": Decoded(text="Hel", **OVERLOADED),
    "error_line_text": Decoded(text="Hello", **OVERLOADED),
    "finish_max_tokens": Decoded(text="Hello cut", reason="length", model="m"),
    "finish_safety": Decoded(text="Hello cut", reason="content_filter", model="m"),
    "finish_camel": Decoded(text="Hello cut", reason="length", model="m"),
    "bare_error": Decoded(text="Hel", **OVERLOADED),
    "finish_null": Decoded(text="Hello", failure="interrupted", retryable=True),
    "finish_every_chunk": Decoded(text="Hello", reason="stop", model="m"),
    "whole_answer": Decoded(text="Hello whole", usage=(1, 2), reason="stop"),
    "whole_reasoning": Decoded(
        text="Hello", reasoning="Let me see", usage=(1, 2), reason="length", model="r1"
    ),
    "whole_error": Decoded(failure="upstream_rate_limited", retryable=True),
    "whole_error_flat": Decoded(failure="upstream_quota", retryable=False),
    "whole_cut": Decoded(failure="interrupted", retryable=True),
    "wrong_path": WRONG_ADDRESS,
    "wrong_path_detail": WRONG_ADDRESS,
    "another_api": WRONG_ADDRESS,
    "web_page": WRONG_ADDRESS,
    "plain_text": WRONG_ADDRESS,
}


def test_every_recording_has_an_expectation() -> None:
    assert recording_names("openai") == sorted(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_recording(name: str) -> None:
    assert decode_recording(OpenAIDecoder, recording("openai", name)) == EXPECTED[name]


def test_an_error_has_the_provider_s_text_in_its_detail() -> None:
    assert "Provider disconnected" in detail_of(OpenAIDecoder, recording("openai", "openrouter_error"))
    assert "over_capacity" in detail_of(OpenAIDecoder, recording("openai", "groq_error"))
    assert "rate limit reached" in detail_of(OpenAIDecoder, recording("openai", "plain_error"))


def test_a_context_length_error_has_its_own_message() -> None:
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
def test_deeply_nested_json_is_one_damaged_event(chunk: bytes) -> None:
    body = b"data: " + chunk + b'\n\ndata: {"choices":[{"delta":{"content":"Hello"}}]}\n\ndata: [DONE]\n\n'
    decoder = OpenAIDecoder(1 << 20)
    events = decoder.decode(body)
    assert decoder.finished
    assert events[-1].damaged == 1


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "true", '"7"', "[]"])
def test_invalid_usage_is_ignored(number: str) -> None:
    usage = f'{{"prompt_tokens":{number},"completion_tokens":2}}'
    body = f'data: {{"choices":[{{"delta":{{"content":"x"}}}}],"usage":{usage}}}\n\ndata: [DONE]\n\n'
    assert decode_recording(OpenAIDecoder, body.encode()) == Decoded(text="x", usage=(None, 2), reason="stop")


def test_an_endless_line_is_refused() -> None:
    decoder = OpenAIDecoder(1000)
    decoder.decode(b'data: {"choices":[{"delta":{"content":"x"}}]}\n\n')
    assert decoder.decode(b"data: " + b"x" * 1000) == []
    assert "could not be read" in str(decoder.error)


def test_a_chunk_with_only_a_role_has_no_event() -> None:
    decoder = OpenAIDecoder(1000)
    assert decoder.decode(b'data: {"choices":[{"delta":{"role":"assistant","content":""}}]}\n\n') == []


@pytest.mark.parametrize("name", ["wrong_path", "another_api", "web_page", "plain_text"])
def test_n13_a_wrong_address_is_named_with_its_setting(name: str) -> None:
    decoder = OpenAIDecoder(1000)
    decoder.decode(recording("openai", name))
    decoder.flush()
    assert "OPENAI_BASE_URL" in str(decoder.error)
    assert "/v1" in str(decoder.error)


def test_n13_a_whole_answer_has_a_bound() -> None:
    decoder = OpenAIDecoder(1000)
    decoder.decode(b'{"choices":[' + b" " * 500)
    decoder.decode(b" " * 500)
    assert "could not be read" in str(decoder.error)


ENDING = [
    (b'data: {"choices":[{"delta":{"content":"x"},"finish_reason":"stop"}]}\n\n', True),
    (b'data: {"choices":[{"delta":{"content":"x"},"finish_reason":"stop"}]}', True),
    (b'data: {"choices":[{"delta":{"content":"x"},"finish_reason":"stop"}]}\n', True),
    (b'data: {"choices":[{"delta":{"content":"x"}}]}\n\ndata: [DONE]', True),
    (b'{"choices":[{"message":{"content":"x"},"finish_reason":"stop"}]}', True),
    (b'{"error":"no"}', True),
    (b'data: {"choices":[{"delta":{"content":"x"}}]}', False),
    (b'data: {"choices":[{"delta":{"content":"}', False),
    (b'{"choices":[{"message":{"content":"x"}', False),
    (
        b'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\ndata: {"choices":[{"delta":{"content":"x"}}]}\n\n',
        False,
    ),
    (b"", False),
    (b": ping\n\n", False),
]


@pytest.mark.parametrize(("body", "ending"), ENDING, ids=range(len(ENDING)))
def test_n11_an_answer_that_is_complete_but_for_its_end_is_detected(body: bytes, ending: bool) -> None:
    decoder = OpenAIDecoder(1000)
    decoder.decode(body)
    assert decoder.is_ending() == ending
    assert not decoder.finished

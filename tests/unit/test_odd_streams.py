"""Streams in other forms than their dialect's, as servers and gateways send them (N11, N13, N15, N17, U18, U31)."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from webapp.errors import AnswerError
from webapp.events import Event, Finished, ReasoningDelta, TextDelta, TextWasReasoning
from webapp.providers.anthropic.decoder import AnthropicDecoder
from webapp.providers.decoder import ProviderDecoder
from webapp.providers.ollama.decoder import OllamaDecoder
from webapp.providers.openai.chat_decoder import OpenAIDecoder
from webapp.providers.openai.responses_decoder import ResponsesDecoder

DECODERS: dict[str, Callable[[int], ProviderDecoder[Any]]] = {
    "openai": OpenAIDecoder,
    "responses": ResponsesDecoder,
    "anthropic": AnthropicDecoder,
    "ollama": OllamaDecoder,
}


def sse(*objects: object) -> bytes:
    return b"".join(b"data: " + json.dumps(each).encode() + b"\n\n" for each in objects)


def lines(*objects: object) -> bytes:
    return b"".join(json.dumps(each).encode() + b"\n" for each in objects)


def delta(content: str | None, finish: str | None = None, **fields: object) -> dict[str, Any]:
    return {"choices": [{"delta": {"content": content, **fields}, "finish_reason": finish}]}


def block(text: str) -> dict[str, Any]:
    return {"type": "content_block_delta", "delta": {"type": "text_delta", "text": text}}


def decode(dialect: str, *pieces: bytes) -> tuple[str, str, str]:
    """Return the text, the reasoning, and the finish reason or the error's code."""
    decoder = DECODERS[dialect](1 << 20)
    events: list[Event] = []
    for piece in pieces:
        if decoder.error is None:
            events += decoder.decode(piece)
    if not decoder.finished and decoder.error is None:
        events += decoder.flush()
    assert not any(isinstance(event, TextWasReasoning) for event in events)
    text = "".join(event.text for event in events if isinstance(event, TextDelta))
    reasoning = "".join(event.text for event in events if isinstance(event, ReasoningDelta))
    ends = [event.finish_reason for event in events if isinstance(event, Finished)]
    if isinstance(decoder.error, AnswerError):
        assert not ends
        return text, reasoning, str(decoder.error.code)
    return text, reasoning, *ends  # type: ignore[return-value]


WHOLE = {"choices": [{"message": {"content": "Hello"}, "finish_reason": "stop"}]}
MESSAGE = {"type": "message", "content": [{"type": "text", "text": "Hello"}], "stop_reason": "max_tokens"}
START = {"type": "message_start", "message": {"model": "m"}}
TEXT = {"type": "response.output_text.delta", "delta": "Hello"}
DONE = b"data: [DONE]\n\n"
REPEATED = {"reasoning_content": "Hm", "reasoning": "Hm", "reasoning_text": "Hm", "thinking": "Hm"}
FAILED = "upstream_overloaded"

CASES: dict[str, tuple[str, bytes, tuple[str, str, str]]] = {
    # N13: one object, or lines, instead of a stream.
    "a whole answer as an event": ("openai", sse(WHOLE) + DONE, ("Hello", "", "stop")),
    "with an empty delta": ("openai", sse({"choices": [{**WHOLE["choices"][0], "delta": None}]}), ("Hello", "", "stop")),
    "chunks as lines": ("openai", lines(delta("Hel"), delta("lo"), delta("", "length")), ("Hello", "", "length")),
    "chunks as a list": ("openai", json.dumps([delta("Hel"), delta("lo", "stop")]).encode(), ("Hello", "", "stop")),
    "one object on one line": ("openai", lines(WHOLE), ("Hello", "", "stop")),
    "an indented object": ("openai", json.dumps(WHOLE, indent=1).encode(), ("Hello", "", "stop")),
    "parts of text": (
        "openai",
        json.dumps({"choices": [{"message": {"content": [{"type": "text", "text": "Hello"}]}}]}).encode(),
        ("Hello", "", "stop"),
    ),
    "a whole message as an event": ("anthropic", b"event: message\n" + sse(MESSAGE), ("Hello", "", "length")),
    "a message with one text": ("anthropic", json.dumps({**MESSAGE, "content": "Hello"}).encode(), ("Hello", "", "length")),
    "events as lines": (
        "anthropic",
        lines(START, block("Hello"), {"type": "message_delta", "delta": {"stop_reason": "end_turn"}}),
        ("Hello", "", "stop"),
    ),
    "Responses as lines": ("responses", lines(TEXT, {"type": "response.completed"}), ("Hello", "", "stop")),
    "/api/generate": ("ollama", lines({"response": "Hello", "done": True}), ("Hello", "", "stop")),
    "no last line end": ("ollama", lines({"message": {"content": "Hello"}, "done": True})[:-1], ("Hello", "", "stop")),
    # U18: other ends.
    "done in other letters": ("openai", sse(delta("Hello")) + b"data: [done]\n\n", ("Hello", "", "stop")),
    "done in quotes": ("openai", sse(delta("Hello")) + b'data: "[DONE]"\n\n', ("Hello", "", "stop")),
    "done at the end of Anthropic's": ("anthropic", sse(START, block("Hello")) + DONE, ("Hello", "", "stop")),
    "OpenAI's at Anthropic's address": ("anthropic", sse(delta("Hello")) + DONE, ("", "", "interrupted")),
    "one event for every end": (
        "responses",
        sse(TEXT, {"type": "response.done", "response": {"status": "completed"}}),
        ("Hello", "", "stop"),
    ),
    "incomplete in completed": (
        "responses",
        sse(TEXT, {"type": "response.completed", "response": {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}}),
        ("Hello", "", "length"),
    ),
    # N15, U31: errors.
    "failed in completed": (
        "responses",
        sse(TEXT, {"type": "response.completed", "response": {"status": "failed", "error": {"message": "x"}}}),
        ("Hello", "", FAILED),
    ),
    "response.error": ("responses", sse(TEXT, {"type": "response.error", "error": {"message": "x"}}), ("Hello", "", FAILED)),
    "a detail in Responses": ("responses", sse(TEXT, {"detail": "x"}), ("Hello", "", FAILED)),
    "a list of errors": ("openai", sse(delta("Hello"), [{"error": {"code": 503}}]) + DONE, ("Hello", "", FAILED)),
    "errors": ("openai", sse(delta("Hello"), {"errors": [{"message": "x"}]}) + DONE, ("Hello", "", FAILED)),
    "error_msg": ("openai", sse(delta("Hello"), {"error_code": 17, "error_msg": "x"}) + DONE, ("Hello", "", FAILED)),
    "base_resp": (
        "openai",
        sse(delta("Hello"), {"base_resp": {"status_code": 1002, "status_msg": "rate limit", "type": "rate_limit"}}) + DONE,
        ("Hello", "", "upstream_rate_limited"),
    ),
    "a text": ("openai", sse(delta("Hello")) + b"data: Internal Server Error\n\n" + DONE, ("Hello", "", FAILED)),
    "an empty error": ("openai", sse({**delta("Hello", "stop"), "error": {}}), ("Hello", "", "stop")),
    "an empty text as error": ("openai", sse({**delta("Hello", "stop"), "error": ""}), ("Hello", "", "stop")),
    "no error": ("openai", sse({**delta("Hello", "stop"), "base_resp": {"status_code": 0}}), ("Hello", "", "stop")),
    "an error without a type": ("anthropic", sse(START, block("Hello"), {"error": {"message": "x"}}), ("Hello", "", FAILED)),
    "an error's message": ("anthropic", sse(block("Hello")) + b'event: error\ndata: {"message":"x"}\n\n', ("Hello", "", FAILED)),
    "an error's text": ("anthropic", sse(block("Hello")) + b"event: error\ndata: x\n\n", ("Hello", "", FAILED)),
    # N17: reasoning in several places is returned once.
    "reasoning in every field": (
        "openai",
        sse(delta("Hello", "stop", **REPEATED, reasoning_details=[{"text": "Hm"}])),
        ("Hello", "Hm", "stop"),
    ),
    "reasoning in a field, then in tags": (
        "openai",
        sse(delta(None, reasoning_content="Hm"), delta("<think>Hm</think>Hello", "stop")),
        ("Hello", "Hm", "stop"),
    ),
    "reasoning in tags, then in a field": (
        "openai",
        sse(delta("<think>Hm</think>Hello"), delta("", "stop", reasoning="Hm")),
        ("Hello", "Hm", "stop"),
    ),
    "reasoning as an object": ("openai", sse(delta("Hello", "stop", reasoning={"content": "Hm"})), ("Hello", "Hm", "stop")),
    "reasoning as parts": ("openai", sse(delta("Hello", "stop", reasoning_content=[{"text": "Hm"}])), ("Hello", "Hm", "stop")),
    "Ollama's in a field and tags": (
        "ollama",
        lines({"message": {"thinking": "Hm", "content": "<think>Hm</think>Hello"}, "done": True}),
        ("Hello", "Hm", "stop"),
    ),
    "a finish reason in camel case": ("openai", sse({"choices": [{"delta": {"content": "Hello"}, "finishReason": "MAX_TOKENS"}]}), ("Hello", "", "length")),
    "a whole answer with one in camel case": ("openai", json.dumps({"choices": [{"message": {"content": "Hello"}, "finishReason": "SAFETY"}]}, indent=2).encode(), ("Hello", "", "content_filter")),
    "Claude's in camel case": ("anthropic", sse(block("Hello"), {"type": "message_delta", "delta": {"stopReason": "max_tokens"}}), ("Hello", "", "length")),
    "Ollama's in camel case": ("ollama", lines({"message": {"content": "Hello"}, "done": True, "doneReason": "length"}), ("Hello", "", "length")),
    "a named end without data": ("openai", sse(delta("Hello")) + b"event: done\n\n", ("Hello", "", "stop")),
    "a named end with an empty object": ("openai", sse(delta("Hello")) + b"event: end\ndata: {}\n\n", ("Hello", "", "stop")),
    "a named end without its blank line": ("openai", sse(delta("Hello")) + b"event: complete\r\n", ("Hello", "", "stop")),
    "a name without data that is no end": ("openai", b"event: ping\n\n" + sse(delta("Hello", "stop")), ("Hello", "", "stop")),
    "the end of Claude without data": ("anthropic", sse({"type": "message_start", "message": {"model": "m"}}, block("Hello")) + b"event: message_stop\n\n", ("Hello", "", "stop")),
    "Ollama's answer with indentation": ("ollama", json.dumps({"message": {"content": "He}{llo"}, "a": [{"b": [{}]}], "done": True}, indent=2).encode(), ("He}{llo", "", "stop")),
    "Ollama's stream with indentation": ("ollama", b"\r\n".join(json.dumps({"message": {"content": text}, "done": text == "lo"}, indent="\t").encode() for text in ("Hel", "lo")), ("Hello", "", "stop")),
    "Ollama's list with indentation": ("ollama", json.dumps([{"message": {"content": "Hel"}}, {"message": {"content": "lo"}, "done": True}], indent=1).encode(), ("Hello", "", "stop")),
    "Ollama's list on one line": ("ollama", json.dumps([{"message": {"content": "Hel"}}, {"message": {"content": "lo"}, "done": True}]).encode(), ("Hello", "", "stop")),
    "Ollama's as events": ("ollama", b": hi\n\nevent: message\n" + sse({"message": {"content": "Hel"}}, {"message": {"content": "lo"}, "done": True}) + b"data: [DONE]\n\n", ("Hello", "", "stop")),
    "Ollama's events cut off": ("ollama", sse({"message": {"content": "Hel"}}), ("Hel", "", "interrupted")),
    "Ollama's indented answer cut off": ("ollama", b'{\n  "message": {\n    "content": "Hel"\n  },\n  "do', ("", "", "interrupted")),
    "Ollama's error with indentation": ("ollama", json.dumps({"error": "model 'x' not found"}, indent=2).encode(), ("", "", "upstream_overloaded")),
    **{f"the mark {mark}": ("openai", sse(delta("Hello."), delta(mark, "stop")), ("Hello.", "", "stop")) for mark in ("<|end_of_solution|>", "<|im_end|>", "<end_of_turn>", "<｜end▁of▁sentence｜>", "<|EOT_ID|> <|endoftext|>\n", "</s>", "</s></s>\n", "[/INST]", "[/INST]</s>")},
    "a mark after reasoning": ("anthropic", sse(block("<think>Hm</think>Hello<|im_end|>"), {"type": "message_delta", "delta": {"stop_reason": "end_turn"}}), ("Hello", "Hm", "stop")),
    "a mark that is the whole answer": ("openai", sse(delta("<|im_end|>", "stop")), ("<|im_end|>", "", "stop")),
    "a mark that a sentence speaks of": ("openai", sse(delta("It is <|im_end|>", "stop")), ("It is <|im_end|>", "", "stop")),
    "a mark in a span": ("openai", sse(delta("It is `<|im_end|>`", "stop")), ("It is `<|im_end|>`", "", "stop")),
    "a mark in a block of code": ("openai", sse(delta("```\na<|im_end|>", "stop")), ("```\na<|im_end|>", "", "stop")),
    "a mark after a block of code": ("openai", sse(delta("```\na\n```<|im_end|>", "stop")), ("```\na\n```", "", "stop")),
    "a mark on the line after a block of code": ("openai", sse(delta("```\na\n```\n"), delta("</s>", "stop")), ("```\na\n```\n", "", "stop")),
    "a mark after the opening of a block": ("openai", sse(delta("a\n```<|im_end|>", "stop")), ("a\n```<|im_end|>", "", "stop")),
    "a mark after a fence with a language": ("openai", sse(delta("```\na\n```py<|im_end|>", "stop")), ("```\na\n```py<|im_end|>", "", "stop")),
    "the end of struck text": ("openai", sse(delta("It is <s>red</s>", "stop")), ("It is <s>red</s>", "", "stop")),
    "the end of struck text with a class": ("ollama", json.dumps({"message": {"content": "<S class=a>red</S>"}, "done": True}).encode(), ("<S class=a>red</S>", "", "stop")),
    "the mark of Mistral after Ollama's text": ("ollama", json.dumps({"message": {"content": "Hello</s>"}, "done": True}).encode(), ("Hello", "", "stop")),
    "the mark of Mistral after reasoning": ("openai", sse(delta("<think>Hm</think>Hello</s>", "stop")), ("Hello", "Hm", "stop")),
    "the mark of Mistral that a sentence speaks of": ("openai", sse(delta("It ends with </s>", "stop")), ("It ends with </s>", "", "stop")),
    "the mark of Mistral in a span": ("openai", sse(delta("It ends with `</s>`", "stop")), ("It ends with `</s>`", "", "stop")),
    "the mark of Mistral within": ("openai", sse(delta("a</s>b[/INST] c", "stop")), ("a</s>b[/INST] c", "", "stop")),
    "brackets": ("openai", sse(delta("a[1] [b](c) [/INS"), delta("] x[", "stop")), ("a[1] [b](c) [/INS] x[", "", "stop")),
    "a mark within": ("openai", sse(delta("a<|im_end|>"), delta("\nb <|x|>", "stop")), ("a<|im_end|>\nb <|x|>", "", "stop")),
    "the beginning of a mark": ("openai", sse(delta("a <|im_e", "stop")), ("a <|im_e", "", "stop")),
    "the closing tag that a sentence speaks of": ("openai", sse(delta("Use </think> to end it.", "stop")), ("Use </think> to end it.", "", "stop")),
    "the closing tag in quotes": ("openai", sse(delta('Write "</think>" there.', "stop")), ('Write "</think>" there.', "", "stop")),
    "the closing tag at the end": ("openai", sse(delta("It ends with </think>", "stop")), ("It ends with </think>", "", "stop")),
    "text in a block that is sealed": ("anthropic", sse(
        {"type": "content_block_start", "index": 0, "content_block": {"type": "redacted_thinking", "data": "EmwK", "text": "EmwK"}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "EmwK"}},
        {"type": "content_block_delta", "index": 0, "delta": {"thinking": "EmwK"}},
        {"type": "content_block_stop", "index": 0},
        {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "Hello"}},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}},
    ), ("Hello", "", "stop")),
    "sealed reasoning with a text": ("openai", sse(delta("", reasoning_details=[{"type": "reasoning.encrypted", "data": "EmwK", "text": "EmwK"}]), delta("Hello", "stop")), ("Hello", "", "stop")),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_an_odd_stream_is_read_at_every_cut(name: str) -> None:
    dialect, body, expected = CASES[name]
    assert decode(dialect, body) == expected
    for at in range(1, len(body)):
        assert decode(dialect, body[:at], body[at:]) == expected, at

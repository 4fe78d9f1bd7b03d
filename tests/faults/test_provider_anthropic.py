"""Errors, odd events and finish reasons of Anthropic (docs/faults.md, U31 to U33)."""

import pytest

from tests.faults.answers import BODY, ask
from tests.support.dialects import (
    anthropic,
    anthropic_begin,
    anthropic_delta,
    anthropic_event,
    anthropic_finish,
    sse,
)
from tests.support.fake_provider import FakeProvider
from tests.support.script import STALL, Answer, refusal
from tests.support.server import Server

TEXT = (anthropic_delta("a"), anthropic_delta("b"))


@pytest.mark.parametrize(
    ("kind", "code", "retryable"),
    [
        ("overloaded_error", "upstream_overloaded", True),
        ("api_error", "upstream_overloaded", True),
        ("rate_limit_error", "upstream_rate_limited", True),
        ("authentication_error", "upstream_auth", False),
        ("invalid_request_error", "upstream_bad_request", False),
    ],
)
def test_u31_an_error_after_text(
    server: Server, provider: FakeProvider, kind: str, code: str, retryable: bool
) -> None:
    error = anthropic_event("error", error={"type": kind, "message": f"{BODY}"})
    provider.play(Answer(steps=(*anthropic_begin(), *TEXT, error, STALL)))
    answer = ask(server, provider="anthropic")
    assert (answer.code, answer.text, answer.terminal["retryable"]) == (code, "ab", retryable)
    assert answer.terminal["partial"]
    assert len(provider.calls) == 1


def test_u9_overloaded_is_retried_before_the_first_delta(server: Server, provider: FakeProvider) -> None:
    body = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    provider.play([refusal(529, body), Answer(steps=anthropic(["a", "b"]))])
    answer = ask(server, provider="anthropic")
    assert (answer.code, answer.text, len(provider.calls)) == (None, "ab", 2)


@pytest.mark.parametrize(
    ("stop", "reason"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("tool_use", "tool_calls"),
        ("refusal", "content_filter"),
        ("pause_turn", "stop"),
        ("model_context_window_exceeded", "length"),
        ("something_new", "stop"),
    ],
)
def test_u33_finish_reasons(server: Server, provider: FakeProvider, stop: str, reason: str) -> None:
    provider.play(Answer(steps=anthropic(["a", "b"], stop=stop, usage=(7, 9))))
    answer = ask(server, provider="anthropic")
    assert (answer.code, answer.text, answer.terminal["finish_reason"]) == (None, "ab", reason)
    assert answer.counted == (7, 9, False)


def test_u33_thinking_and_redacted_thinking_are_not_text(server: Server, provider: FakeProvider) -> None:
    def thought(**delta: str) -> bytes:
        return anthropic_event("content_block_delta", index=0, delta=delta)

    blocks = [
        anthropic_event("content_block_start", index=0, content_block={"type": "thinking", "thinking": ""}),
        thought(type="thinking_delta", thinking="hm "),
        thought(type="thinking_delta", thinking="so"),
        thought(type="signature_delta", signature=BODY),
        anthropic_event("content_block_stop", index=0),
        anthropic_event(
            "content_block_start", index=1, content_block={"type": "redacted_thinking", "data": BODY}
        ),
        anthropic_event("content_block_stop", index=1),
        anthropic_event("content_block_start", index=2, content_block={"type": "text", "text": ""}),
        anthropic_delta("ab", index=2),
        anthropic_event("content_block_stop", index=2),
        anthropic_event(
            "content_block_start", index=3, content_block={"type": "tool_use", "name": "look", "input": {}}
        ),
        anthropic_event(
            "content_block_delta", index=3, delta={"type": "input_json_delta", "partial_json": BODY}
        ),
    ]
    provider.play(Answer(steps=(anthropic_begin()[0], *blocks, *anthropic_finish())))
    answer = ask(server, provider="anthropic")
    assert (answer.code, answer.text, answer.reasoning) == (None, "ab", "hm so")


def test_u32_unknown_events_and_pings(server: Server, provider: FakeProvider) -> None:
    odd = [
        anthropic_event("ping"),
        anthropic_event("novel", payload=[1]),
        sse({"type": "ping"}),
        sse({}, "vendor"),
    ]
    provider.play(Answer(steps=(*anthropic_begin(), TEXT[0], *odd, TEXT[1], *anthropic_finish())))
    answer = ask(server, provider="anthropic")
    assert (answer.code, answer.text) == (None, "ab")


def test_u17_an_end_without_a_finish_reason_is_done(server: Server, provider: FakeProvider) -> None:
    provider.play(Answer(steps=(*anthropic_begin(), *TEXT, anthropic_event("message_stop"))))
    answer = ask(server, provider="anthropic")
    assert (answer.code, answer.text, answer.terminal["finish_reason"]) == (None, "ab", "stop")

"""Errors within an answer, odd chunks and every finish reason (docs/faults.md, U31 to U33)."""

import json

import pytest

from tests.faults.answers import BODY, ask
from tests.support.dialects import (
    DONE,
    ndjson,
    ollama,
    ollama_delta,
    openai,
    openai_delta,
    openai_finish,
    openai_text,
    openai_usage,
    sse,
)
from tests.support.fake_provider import FakeProvider
from tests.support.script import STALL, Answer
from tests.support.server import Server

A, B = openai_delta("a"), openai_delta("b")


@pytest.fixture(scope="module")
def companion_provider() -> str:
    return "anthropic"


@pytest.fixture(scope="module")
def settings() -> dict[str, str]:
    return {"FRESHET_IDLE_S": "3"}


def said(kind: str, message: str = f"{BODY} upstream says no") -> dict[str, object]:
    return {"error": {"message": message, "type": kind, "code": kind}}


OPENAI_ERRORS = [
    (sse(said("server_error")), "upstream_overloaded", True),
    (sse(said("server_error"), "error"), "upstream_overloaded", True),
    (sse({"error": f"{BODY}"}), None, None),
    (
        sse({"error": {"message": BODY, "code": 502}, "choices": [{"delta": {}, "finish_reason": "error"}]}),
        None,
        None,
    ),
    (sse({"x_groq": {"error": f"over capacity {BODY}"}, "choices": [{"delta": {}}]}), None, None),
    (sse(said("rate_limit_exceeded")), "upstream_rate_limited", True),
    (sse(said("insufficient_quota")), "upstream_quota", False),
    (sse(said("invalid_api_key")), "upstream_auth", False),
    (sse({"type": "error", "message": BODY}, "error"), None, None),
]


@pytest.mark.parametrize(("event", "code", "retryable"), OPENAI_ERRORS, ids=range(len(OPENAI_ERRORS)))
@pytest.mark.parametrize("tail", [(), (DONE,), (STALL,)], ids=["end", "done", "silence"])
def test_u31_an_error_after_text(
    server: Server,
    provider: FakeProvider,
    event: bytes,
    code: str | None,
    retryable: bool | None,
    tail: tuple,
) -> None:
    provider.play(Answer(steps=(A, B, event, *tail)))
    answer = ask(server)
    assert answer.code is not None
    assert (answer.text, answer.terminal["partial"], len(provider.calls)) == ("ab", True, 1)
    assert answer.code.startswith("upstream_")
    if code is not None:
        assert (answer.code, answer.terminal["retryable"]) == (code, retryable)
    assert answer.busy_s < 2


def test_u31_an_error_line_of_ollama(server: Server, provider: FakeProvider) -> None:
    provider.play(Answer(steps=(ollama_delta("ab"), ndjson({"error": f"llama runner: {BODY}"}))))
    answer = ask(server, provider="ollama", model="llama3")
    assert (answer.text, answer.terminal["partial"], len(provider.calls)) == ("ab", True, 1)
    assert answer.code == "upstream_overloaded"


def test_u31_an_error_before_any_text_is_an_error_frame(server: Server, provider: FakeProvider) -> None:
    provider.play(Answer(steps=(sse(said("invalid_request_error")), DONE)))
    answer = ask(server)
    assert answer.code == "upstream_bad_request"
    assert (answer.text, answer.terminal["partial"], answer.terminal["retryable"]) == ("", False, False)


USAGE = openai_usage(7, 9)
ODD = {
    "empty choices": ([sse({"choices": []}), A, B], None),
    "no delta": ([sse({"choices": [{"index": 0}]}), A, sse({"choices": [{"delta": None}]}), B], None),
    "null content": ([openai_delta(None), sse({"choices": [{"delta": {"content": None}}]}), A, B], None),
    "no choices": ([sse({"object": "chat.completion.chunk"}), A, B], None),
    "null choices": ([sse({"choices": None, "prompt_filter_results": []}), A, B], None),
    "unknown events": (
        [sse({"object": "something.new", "payload": [1]}), A, sse({"x": 1}, "novel"), B],
        None,
    ),
    "pings": ([sse({}, "ping"), A, sse({"type": "ping"}), B], None),
    "content in parts": (
        [sse({"choices": [{"delta": {"content": [{"type": "text", "text": "a"}]}}]}), B],
        None,
    ),
    "usage on every chunk": (
        [
            sse({"choices": [{"delta": {"content": letter}}], "usage": openai_usage(7, n)})
            for n, letter in ((8, "a"), (9, "b"))
        ],
        (7, 9),
    ),
    "null usage": ([sse({"choices": [{"delta": {"content": "ab"}}], "usage": None})], None),
    "usage of another shape": (
        [sse({"choices": [{"delta": {"content": "ab"}}], "usage": {"total": 3}})],
        None,
    ),
    "usage in x_groq": ([A, B, sse({"choices": [], "x_groq": {"usage": USAGE}})], (7, 9)),
    "usage at the end": ([A, B, sse({"choices": [], "usage": USAGE})], (7, 9)),
}


@pytest.mark.parametrize("name", ODD)
def test_u32_odd_chunks_and_usage(server: Server, provider: FakeProvider, name: str) -> None:
    events, usage = ODD[name]
    finish = openai_finish(usage=None)
    provider.play(
        Answer(steps=(*events[:-1], *finish, events[-1], DONE) if "end" in name else (*events, *finish, DONE))
    )
    answer = ask(server)
    assert (answer.code, answer.text) == (None, "ab"), name
    assert "damaged" not in answer.terminal
    if usage is None:
        assert answer.counted[2]
        assert answer.counted[1] > 0
    else:
        assert answer.counted == (*usage, False)


def test_u32_the_older_format_of_chunks(server: Server, provider: FakeProvider) -> None:
    provider.play(Answer(steps=openai_text(["a", "b"])))
    answer = ask(server)
    assert (answer.code, answer.text) == (None, "ab")


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("stop", "stop"),
        ("length", "length"),
        ("content_filter", "content_filter"),
        ("tool_calls", "tool_calls"),
        ("function_call", "tool_calls"),
        ("eos", "stop"),
        ("something_new", "stop"),
    ],
)
def test_u33_finish_reasons_of_openai(server: Server, provider: FakeProvider, word: str, reason: str) -> None:
    provider.play(Answer(steps=openai(["a", "b"], finish=word)))
    answer = ask(server)
    assert (answer.code, answer.text, answer.terminal["finish_reason"]) == (None, "ab", reason)


def test_u33_a_refusal_is_shown_as_text(server: Server, provider: FakeProvider) -> None:
    provider.play(Answer(steps=(openai_delta(None, refusal="I can't help."), *openai_finish(), DONE)))
    answer = ask(server)
    assert answer.code is None
    assert answer.terminal["finish_reason"] in ("stop", "content_filter")
    assert answer.text == "I can't help."


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_u33_thinking_is_not_text(server: Server, provider: FakeProvider, field: str) -> None:
    thoughts = [openai_delta(None, **{field: "hm "}), openai_delta("", **{field: "so"})]
    provider.play(Answer(steps=(*thoughts, A, B, *openai_finish(), DONE)))
    answer = ask(server)
    assert (answer.code, answer.text, answer.reasoning) == (None, "ab", "hm so")


def test_u33_a_tool_call_is_not_text(server: Server, provider: FakeProvider) -> None:
    call = {"index": 0, "id": "t", "function": {"name": "look", "arguments": json.dumps({"secret": BODY})}}
    provider.play(Answer(steps=(openai_delta(None, tool_calls=[call]), *openai_finish("tool_calls"), DONE)))
    answer = ask(server)
    assert (answer.code, answer.text, answer.terminal["finish_reason"]) == (None, "", "tool_calls")


@pytest.mark.parametrize(("word", "reason"), [("stop", "stop"), ("length", "length"), ("load", "stop")])
def test_u33_finish_reasons_of_ollama(server: Server, provider: FakeProvider, word: str, reason: str) -> None:
    thinking = ndjson({"message": {"role": "assistant", "content": "", "thinking": "hm"}, "done": False})
    provider.play(
        Answer(steps=(thinking, *ollama(["a", "b"], reason=word)), content_type="application/x-ndjson")
    )
    answer = ask(server, provider="ollama", model="llama3")
    assert (answer.text, answer.reasoning, answer.terminal["finish_reason"]) == ("ab", "hm", reason)
    assert answer.counted == (3, 5, False)

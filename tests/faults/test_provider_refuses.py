"""Providers that respond with an error status or a redirect (docs/faults.md, U5 to U10, U34)."""

import email.utils
import time
from collections.abc import Iterator

import pytest

from tests.faults.answers import BODY, KEY, ask
from tests.support.dialects import openai
from tests.support.fake_provider import FakeProvider
from tests.support.script import Answer, Step, refusal
from tests.support.server import Server

GOOD = Answer(steps=openai(["Hel", "lo"]))


def openai_error(message: str, code: str | None = None, kind: str = "invalid_request_error") -> object:
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


@pytest.fixture(scope="module")
def settings() -> dict[str, str]:
    return {"FRESHET_FIRST_BYTE_S": "3", "FRESHET_IDLE_S": "2"}


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("name", ["openai", "anthropic"])
def test_u5_a_refused_key_is_not_retried(
    server: Server, provider: FakeProvider, status: int, name: str
) -> None:
    animal = {"openai401": "quokka", "openai403": "numbat", "anthropic401": "bilby"}.get(
        f"{name}{status}", "wombat"
    )
    message = f"Incorrect API key provided: {KEY}. Ask for the {animal}."
    provider.play(refusal(status, openai_error(message, "invalid_api_key")))
    answer = ask(server, provider=name)
    assert (answer.code, answer.text, len(provider.calls)) == ("upstream_auth", "", 1)
    assert not answer.terminal["retryable"]
    assert not answer.terminal["partial"]
    assert animal not in str(answer.received)
    server.wait_log(animal)


def test_u6_an_unknown_model_and_a_long_question_have_different_messages(
    server: Server, provider: FakeProvider
) -> None:
    provider.play(refusal(404, openai_error("The model `quokka` does not exist", "model_not_found")))
    unknown = ask(server, model="quokka")
    assert (unknown.code, len(provider.calls)) == ("upstream_bad_request", 1)
    assert "model" in unknown.terminal["error"].lower()
    assert "FRESHET_MODEL" in unknown.terminal["error"] + server.log
    too_long = "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000."
    provider.play(refusal(400, openai_error(too_long, "context_length_exceeded")))
    long = ask(server)
    assert (long.code, len(provider.calls)) == ("upstream_bad_request", 1)
    assert "long" in long.terminal["error"].lower()
    assert long.terminal["error"] != unknown.terminal["error"]
    assert not long.terminal["retryable"]


@pytest.mark.parametrize("status", [400, 404, 405, 422])
def test_u6_other_client_errors_are_not_retried(server: Server, provider: FakeProvider, status: int) -> None:
    provider.play(refusal(status, openai_error("no such thing")))
    assert ask(server).code == "upstream_bad_request"
    assert len(provider.calls) == 1


def soon(seconds: float) -> str:
    return email.utils.formatdate(time.time() + seconds, usegmt=True)


@pytest.mark.parametrize(
    ("hint", "min_s", "max_s"),
    [
        ({"retry_after": "2"}, 1.9, 4.0),
        ({"retry_after": "date"}, 0.9, 5.0),
        ({"retry_after_ms": "700"}, 0.65, 2.0),
        ({"retry_after_ms": "600", "retry_after": "9"}, 0.55, 2.0),
        ({"retry_after": "soon, perhaps"}, 0.0, 4.0),
        ({"retry_after": "-5"}, 0.0, 4.0),
        ({}, 0.0, 4.0),
    ],
)
def test_u7_a_valid_retry_after_is_obeyed(
    server: Server, provider: FakeProvider, hint: dict[str, str], min_s: float, max_s: float
) -> None:
    headers = {name: soon(3) if value == "date" else value for name, value in hint.items()}
    provider.play([refusal(429, openai_error("slow down", "rate_limit_exceeded"), **headers), GOOD])
    answer = ask(server)
    assert (answer.code, answer.text) == (None, "Hello")
    first, second = provider.calls
    assert first.ended_at is not None
    assert min_s <= second.at - first.ended_at <= max_s


@pytest.mark.parametrize("hint", ["3600", "date"])
def test_u7_a_long_retry_after_fails_at_once_and_is_passed_on(
    server: Server, provider: FakeProvider, hint: str
) -> None:
    value = soon(3600) if hint == "date" else hint
    provider.play(refusal(429, openai_error("slow down", "rate_limit_exceeded"), retry_after=value))
    answer = ask(server)
    assert (answer.code, len(provider.calls)) == ("upstream_rate_limited", 1)
    assert answer.busy_s < 1.5
    assert answer.terminal["retryable"]
    assert 3500 <= answer.terminal["retry_after"] <= 3600


def test_u7_retries_end_when_the_limit_stays(server: Server, provider: FakeProvider) -> None:
    provider.play(refusal(429, openai_error("slow down"), retry_after_ms="50"))
    answer = ask(server)
    assert (answer.code, len(provider.calls)) == ("upstream_rate_limited", 3)


def test_u8_an_exhausted_quota_is_not_retried(server: Server, provider: FakeProvider) -> None:
    provider.play(
        refusal(429, openai_error("You exceeded your quota", "insufficient_quota", "insufficient_quota"))
    )
    answer = ask(server)
    assert (answer.code, len(provider.calls)) == ("upstream_quota", 1)
    assert not answer.terminal["retryable"]


@pytest.mark.parametrize("status", [500, 502, 503, 529])
def test_u9_a_failing_provider_is_called_three_times(
    server: Server, provider: FakeProvider, status: int
) -> None:
    page = f"<html><body><h1>{status}</h1><p>{BODY} nginx/1.2</p></body></html>".encode()
    provider.play(refusal(status, page, content_type="text/html", retry_after_ms="20"))
    answer = ask(server)
    assert (answer.code, len(provider.calls)) == ("upstream_overloaded", 3)
    assert "<" not in answer.terminal["error"]
    assert answer.terminal["retryable"]


def test_u9_the_second_try_may_succeed(server: Server, provider: FakeProvider) -> None:
    provider.play([refusal(503), GOOD])
    answer = ask(server)
    assert (answer.code, answer.text, len(provider.calls)) == (None, "Hello", 2)


def drip() -> Iterator[Step]:
    while True:
        yield b"x"
        yield 0.1


def flood() -> Iterator[Step]:
    for _ in range(100 * 16):
        yield BODY.encode() * (65536 // len(BODY))


@pytest.mark.parametrize("status", [400, 401, 500])
def test_u10_little_is_read_of_an_endless_error(
    companion_server: Server, small: FakeProvider, status: int
) -> None:
    for steps in (flood, drip):
        small.play(Answer(status=status, steps=steps, headers={"retry-after-ms": "20"}))
        answer = ask(companion_server)
        assert answer.code in ("upstream_bad_request", "upstream_auth", "upstream_overloaded")
        assert answer.busy_s < 12
        small.wait_closed()
        assert max(call.sent_bytes for call in small.calls) < 2 * 2**20


@pytest.fixture(scope="module")
def small() -> Iterator[FakeProvider]:
    """A provider with a small socket buffer, so that the bytes sent are about the bytes read."""
    with FakeProvider(send_buffer=32768) as fake:
        yield fake


@pytest.fixture(scope="module")
def companion_server(small: FakeProvider, settings: dict[str, str]) -> Iterator[Server]:
    env = {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": f"{small.url}/v1"} | settings
    with Server(env, secrets=(KEY, BODY)) as running:
        yield running


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_u34_a_redirect_is_refused_and_the_key_goes_nowhere(
    server: Server, provider: FakeProvider, status: int
) -> None:
    with FakeProvider(GOOD) as elsewhere:
        target = f"{elsewhere.url}/v1/chat/completions"
        provider.play(Answer(status=status, headers={"location": target}, framing="length"))
        answer = ask(server)
        assert (answer.code, len(provider.calls)) == ("upstream_redirect", 1)
        assert not answer.terminal["retryable"]
        assert not elsewhere.calls
        assert elsewhere.url not in answer.terminal["error"]

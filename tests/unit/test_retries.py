"""From a call to events: retries and their waits, what may be left out, and how a call ends."""

from contextlib import closing

import pytest

from tests.unit.transports import HELLO, FakeControl, FakeTransport, Outcome, chunk
from webapp.chat import ModelMessage, ModelRequest
from webapp.errors import AnswerError, Interrupted, Stopped, UpstreamError
from webapp.events import Event, Finished, TextDelta
from webapp.providers.errors import refusal
from webapp.providers.openai import OpenAIDecoder, OpenAIProvider
from webapp.providers.retries import RetryingClient
from webapp.seams import Call

CALL = Call(url="http://provider.example/v1", headers={}, body=b"{}")
QUESTION = ModelRequest(messages=(ModelMessage.user("Hi"),), temperature=0.5)


class Caller:
    """One call with a fake transport and a fake control; `heard` is what came of it, up to a failure."""

    def __init__(self, *outcomes: Outcome, stopped_at_wait: int | None = None, **calling: float) -> None:
        self.transport = FakeTransport(*outcomes)
        self.control = FakeControl(stopped_at_wait=stopped_at_wait)
        self.heard: list[Event] = []
        self._client = RetryingClient(self.transport, **calling)  # type: ignore[arg-type]

    def run(self) -> "Caller":
        stream = self._client.open(
            lambda error: None if error else CALL, OpenAIDecoder(100_000), self.control
        )
        with closing(stream):
            while not (self.heard and isinstance(self.heard[-1], Finished)):
                self.heard += stream.read()
        assert self.transport.open == 0
        return self

    def fail(self) -> AnswerError:
        with pytest.raises(AnswerError) as failure:
            self.run()
        assert self.transport.open == 0
        return failure.value

    @property
    def text(self) -> str:
        return "".join(event.text for event in self.heard if isinstance(event, TextDelta))


def overloaded() -> UpstreamError:
    return UpstreamError("upstream_overloaded")


def limited(after_s: float | None) -> UpstreamError:
    return UpstreamError("upstream_rate_limited", retry_after_s=after_s)


def test_a_call_is_made_once_and_left() -> None:
    call = Caller(HELLO).run()
    assert (call.text, len(call.transport.calls), call.control.waits) == ("Hello", 1, [])


def test_a_failed_call_is_repeated_twice_after_growing_waits() -> None:
    call = Caller(overloaded(), overloaded(), HELLO).run()
    first, second = call.control.waits
    assert 0.375 <= first <= 0.625
    assert 0.75 <= second <= 1.25
    assert call.text == "Hello"


def test_the_third_failure_is_told() -> None:
    call = Caller(overloaded(), overloaded(), overloaded(), HELLO)
    assert call.fail().code == "upstream_overloaded"
    assert len(call.transport.calls) == 3


def test_no_call_is_repeated_where_that_is_switched_off() -> None:
    call = Caller(overloaded(), HELLO, retries=0)
    assert call.fail().code == "upstream_overloaded"
    assert call.control.waits == []


@pytest.mark.parametrize("seconds", [0.0, 0.25, 2.0, 20.0])
def test_what_the_provider_asks_to_wait_is_waited(seconds: float) -> None:
    call = Caller(limited(seconds), HELLO).run()
    assert (call.control.waits, call.text) == ([seconds], "Hello")


@pytest.mark.parametrize("seconds", [20.1, 3600.0, 1e300])
def test_a_wait_that_is_too_long_fails_fast_with_the_hint(seconds: float) -> None:
    call = Caller(limited(seconds), HELLO)
    assert call.fail().retry_after_s == seconds
    assert (len(call.transport.calls), call.control.waits) == (1, [])


@pytest.mark.parametrize(
    "code", ["upstream_auth", "upstream_bad_request", "upstream_quota", "upstream_tls", "upstream_redirect"]
)
def test_what_will_not_help_is_not_repeated(code: str) -> None:
    call = Caller(UpstreamError(code), HELLO)  # type: ignore[arg-type]
    assert call.fail().code == code
    assert (len(call.transport.calls), call.control.waits) == (1, [])


def test_a_call_that_timed_out_may_be_paid_for_and_is_not_repeated() -> None:
    call = Caller(UpstreamError("upstream_timeout"), HELLO)
    assert call.fail().retryable
    assert len(call.transport.calls) == 1


def test_a_stop_ends_the_wait_for_another_try() -> None:
    call = Caller(overloaded(), HELLO, stopped_at_wait=1)
    with pytest.raises(Stopped):
        call.run()
    assert len(call.transport.calls) == 1


@pytest.mark.parametrize("error", [Interrupted("reset"), UpstreamError("upstream_stalled"), overloaded()])
def test_an_answer_that_has_begun_is_never_asked_for_again(error: AnswerError) -> None:
    call = Caller([chunk("Hel"), error], HELLO)
    assert call.fail() is error
    assert (call.text, len(call.transport.calls), call.control.waits) == ("Hel", 1, [])


@pytest.mark.parametrize("error", [Interrupted("reset"), UpstreamError("upstream_stalled")])
def test_after_the_finish_reason_nothing_but_closing_words_is_missing(error: AnswerError) -> None:
    call = Caller([chunk("Hello"), chunk(None, "length"), error]).run()
    assert call.heard[-1] == Finished("length")


def test_nothing_is_read_behind_the_end() -> None:
    assert Caller([*HELLO, Interrupted("nobody should see this")]).run().text == "Hello"


def test_an_end_without_a_finish_is_interrupted_and_keeps_its_last_words() -> None:
    call = Caller([chunk("Hel"), chunk("lo").rstrip()])
    assert call.fail().code == "interrupted"
    assert call.text == "Hello"


def test_a_body_that_breaks_off_keeps_its_last_words() -> None:
    call = Caller([chunk("Hel"), chunk("lo").rstrip(), Interrupted("reset")])
    assert call.fail().code == "interrupted"
    assert call.text == "Hello"


def test_words_in_the_same_read_as_an_error_are_kept() -> None:
    call = Caller([chunk("Hel") + b'data: {"error":{"type":"overloaded_error"}}\n\n'])
    assert call.fail().code == "upstream_overloaded"
    assert call.text == "Hel"


def test_a_line_that_is_too_long_gives_nothing_twice() -> None:
    call = Caller([chunk("Hel"), b"data: " + b"x" * 100_000])
    assert call.fail().code == "upstream_protocol"
    assert call.text == "Hel"


def test_comments_alone_are_silence_after_a_while() -> None:
    comments = [chunk("Hel"), *[b": PROCESSING\n\n"] * 3]
    assert Caller([*comments, *HELLO], quiet_s=3600).run().text == "HelHello"
    call = Caller([*comments, *HELLO], quiet_s=-1)
    assert call.fail().code == "upstream_stalled"
    assert call.text == "Hel"


def test_who_stops_listening_closes_the_connection() -> None:
    transport = FakeTransport(HELLO)
    stream = RetryingClient(transport).open(
        lambda error: None if error else CALL, OpenAIDecoder(1000), FakeControl()
    )
    stream.read()
    assert transport.open == 1
    stream.close()
    assert (transport.open, transport.reused) == (0, 0)


def test_the_connection_of_a_complete_answer_may_be_used_again() -> None:
    assert Caller(HELLO).run().transport.reused == 1


def test_a_call_that_the_provider_may_be_working_on_is_not_repeated() -> None:
    call = Caller(UpstreamError("upstream_unreachable", taken=True), HELLO)
    assert call.fail().retryable
    assert len(call.transport.calls) == 1


# What a compatible server does not know is left out.


def provider(transport: FakeTransport, *, reasoning: bool = False) -> OpenAIProvider:
    return OpenAIProvider(
        RetryingClient(transport, retries=0),
        model_name="gpt-4.1",
        max_tokens=300,
        pricer=lambda *_: None,
        api_key=None,
        base_url="http://localhost:1234/v1",
        reasoning=reasoning,
    )


REFUSALS = {
    "stream_options": [
        b'{"error":{"message":"Unrecognized request argument supplied: stream_options",'
        b'"type":"invalid_request_error","param":null,"code":null}}',
        b'{"detail":[{"type":"extra_forbidden","loc":["body","stream_options"],"msg":"Extra inputs"}]}',
        b'{"object":"error","message":"[{\'loc\': (\'body\', \'stream_options\')}]","code":400}',
    ],
    "max_tokens": [
        b'{"error":{"message":"Unsupported parameter: \'max_tokens\' is not supported with this model. Use '
        b'\'max_completion_tokens\' instead.","type":"invalid_request_error","code":"unsupported_parameter"}}'
    ],
    "temperature": [
        b'{"error":{"message":"Unsupported value: \'temperature\' does not support 0.5 with this model.",'
        b'"type":"invalid_request_error","param":"temperature","code":"unsupported_value"}}'
    ],
}


@pytest.mark.parametrize(
    ("field", "body"), [(field, body) for field, some in REFUSALS.items() for body in some]
)
@pytest.mark.parametrize("status", [400, 422])
def test_a_field_that_is_refused_by_name_is_left_out(field: str, body: bytes, status: int) -> None:
    transport = FakeTransport(refusal(status, {}, body), HELLO)
    assert provider(transport).complete(QUESTION).content == "Hello"
    first, second = transport.bodies
    assert field in first
    assert field not in second
    left = first.keys() - second.keys()
    assert left == {field}
    assert second.get("max_completion_tokens") == (300 if field == "max_tokens" else None)


def test_each_field_is_left_out_once() -> None:
    bodies = [some[0] for some in REFUSALS.values()]
    refused = [refusal(400, {}, body) for body in [*bodies, bodies[0]]]
    transport = FakeTransport(*refused, HELLO)
    with pytest.raises(UpstreamError) as failure:
        provider(transport).complete(QUESTION)
    assert failure.value.code == "upstream_bad_request"
    assert len(transport.calls) == 4


def test_another_refusal_leaves_nothing_out() -> None:
    transport = FakeTransport(refusal(400, {}, b'{"error":{"message":"no such model"}}'), HELLO)
    with pytest.raises(UpstreamError):
        provider(transport).complete(QUESTION)
    transport = FakeTransport(refusal(401, {}, REFUSALS["stream_options"][0]), HELLO)
    with pytest.raises(UpstreamError):
        provider(transport).complete(QUESTION)
    assert len(transport.calls) == 1

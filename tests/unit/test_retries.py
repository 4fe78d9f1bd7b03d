"""Calls to providers: retries, fields that a server refuses, and the end of a call."""

from contextlib import closing

import pytest

from tests.unit.transports import HELLO, FakeControl, FakeTransport, Outcome, chunk
from webapp.chat import ModelMessage, ModelRequest
from webapp.errors import AnswerError, Interrupted, Stopped, UpstreamError
from webapp.events import Event, Finished, TextDelta
from webapp.providers.errors import error_from_response
from webapp.providers.openai.chat import OpenAIProvider
from webapp.providers.openai.chat_decoder import OpenAIDecoder
from webapp.providers.retries import RetryingClient
from webapp.seams import Call

CALL = Call(url="http://provider.example/v1", headers={}, body=b"{}")
QUESTION = ModelRequest(messages=(ModelMessage.user("Hi"),), temperature=0.5)


class FakeCall:
    """A call with a fake transport and control; `events` are its events up to a failure."""

    def __init__(self, *outcomes: Outcome, stopped_at_wait: int | None = None, **calling: float) -> None:
        self.transport = FakeTransport(*outcomes)
        self.control = FakeControl(stopped_at_wait=stopped_at_wait)
        self.events: list[Event] = []
        self._client = RetryingClient(self.transport, **calling)  # type: ignore[arg-type]

    def run(self) -> "FakeCall":
        stream = self._client.open(
            lambda error: None if error else CALL, OpenAIDecoder(100_000), self.control
        )
        with closing(stream):
            while not (self.events and isinstance(self.events[-1], Finished)):
                self.events += stream.read()
        assert self.transport.open == 0
        return self

    def fail(self) -> AnswerError:
        with pytest.raises(AnswerError) as failure:
            self.run()
        assert self.transport.open == 0
        return failure.value

    @property
    def text(self) -> str:
        return "".join(event.text for event in self.events if isinstance(event, TextDelta))


def overloaded() -> UpstreamError:
    return UpstreamError("upstream_overloaded")


def rate_limited(after_s: float | None) -> UpstreamError:
    return UpstreamError("upstream_rate_limited", retry_after_s=after_s)


def test_a_successful_call_is_made_once() -> None:
    call = FakeCall(HELLO).run()
    assert (call.text, len(call.transport.calls), call.control.waits) == ("Hello", 1, [])


def test_a_failed_call_is_repeated_twice_with_backoff() -> None:
    call = FakeCall(overloaded(), overloaded(), HELLO).run()
    first, second = call.control.waits
    assert 0.375 <= first <= 0.625
    assert 0.75 <= second <= 1.25
    assert call.text == "Hello"


def test_the_third_failure_is_raised() -> None:
    call = FakeCall(overloaded(), overloaded(), overloaded(), HELLO)
    assert call.fail().code == "upstream_overloaded"
    assert len(call.transport.calls) == 3


def test_retries_can_be_disabled() -> None:
    call = FakeCall(overloaded(), HELLO, retries=0)
    assert call.fail().code == "upstream_overloaded"
    assert call.control.waits == []


@pytest.mark.parametrize("seconds", [0.0, 0.25, 2.0, 20.0])
def test_the_provider_s_retry_after_is_waited_for(seconds: float) -> None:
    call = FakeCall(rate_limited(seconds), HELLO).run()
    assert (call.control.waits, call.text) == ([seconds], "Hello")


@pytest.mark.parametrize("seconds", [20.1, 3600.0, 1e300])
def test_a_long_retry_after_fails_at_once_with_the_hint(seconds: float) -> None:
    call = FakeCall(rate_limited(seconds), HELLO)
    assert call.fail().retry_after_s == seconds
    assert (len(call.transport.calls), call.control.waits) == (1, [])


@pytest.mark.parametrize(
    "code", ["upstream_auth", "upstream_bad_request", "upstream_quota", "upstream_tls", "upstream_redirect"]
)
def test_permanent_errors_are_not_retried(code: str) -> None:
    call = FakeCall(UpstreamError(code), HELLO)  # type: ignore[arg-type]
    assert call.fail().code == code
    assert (len(call.transport.calls), call.control.waits) == (1, [])


def test_a_timed_out_call_is_not_retried() -> None:
    call = FakeCall(UpstreamError("upstream_timeout"), HELLO)
    assert call.fail().retryable
    assert len(call.transport.calls) == 1


def test_a_stop_ends_the_backoff() -> None:
    call = FakeCall(overloaded(), HELLO, stopped_at_wait=1)
    with pytest.raises(Stopped):
        call.run()
    assert len(call.transport.calls) == 1


@pytest.mark.parametrize("error", [Interrupted("reset"), UpstreamError("upstream_stalled"), overloaded()])
def test_an_answer_is_not_retried_after_its_first_delta(error: AnswerError) -> None:
    call = FakeCall([chunk("Hel"), error], HELLO)
    assert call.fail() is error
    assert (call.text, len(call.transport.calls), call.control.waits) == ("Hel", 1, [])


@pytest.mark.parametrize("error", [Interrupted("reset"), UpstreamError("upstream_stalled")])
def test_an_answer_with_a_finish_reason_is_complete(error: AnswerError) -> None:
    call = FakeCall([chunk("Hello"), chunk(None, "length"), error]).run()
    assert call.events[-1] == Finished("length")


def test_nothing_is_read_after_the_end() -> None:
    assert FakeCall([*HELLO, Interrupted("nobody should see this")]).run().text == "Hello"


def test_an_answer_without_a_finish_is_interrupted_and_keeps_its_text() -> None:
    call = FakeCall([chunk("Hel"), chunk("lo").rstrip()])
    assert call.fail().code == "interrupted"
    assert call.text == "Hello"


def test_a_truncated_body_keeps_its_text() -> None:
    call = FakeCall([chunk("Hel"), chunk("lo").rstrip(), Interrupted("reset")])
    assert call.fail().code == "interrupted"
    assert call.text == "Hello"


def test_events_in_the_same_read_as_an_error_are_returned() -> None:
    call = FakeCall([chunk("Hel") + b'data: {"error":{"type":"overloaded_error"}}\n\n'])
    assert call.fail().code == "upstream_overloaded"
    assert call.text == "Hel"


def test_a_line_that_is_too_long_returns_no_event_twice() -> None:
    call = FakeCall([chunk("Hel"), b"data: " + b"x" * 100_000])
    assert call.fail().code == "upstream_protocol"
    assert call.text == "Hel"


def test_an_answer_with_only_comments_stalls() -> None:
    comments = [chunk("Hel"), *[b": PROCESSING\n\n"] * 3]
    assert FakeCall([*comments, *HELLO], quiet_s=3600).run().text == "HelHello"
    call = FakeCall([*comments, *HELLO], quiet_s=-1)
    assert call.fail().code == "upstream_stalled"
    assert call.text == "Hel"


def test_closing_the_stream_closes_the_connection() -> None:
    transport = FakeTransport(HELLO)
    stream = RetryingClient(transport).open(
        lambda error: None if error else CALL, OpenAIDecoder(1000), FakeControl()
    )
    stream.read()
    assert transport.open == 1
    stream.close()
    assert (transport.open, transport.reused) == (0, 0)


def test_the_connection_of_a_complete_answer_is_reused() -> None:
    assert FakeCall(HELLO).run().transport.reused == 1


def test_a_delivered_call_is_not_retried() -> None:
    call = FakeCall(UpstreamError("upstream_unreachable", delivered=True), HELLO)
    assert call.fail().retryable
    assert len(call.transport.calls) == 1


# Fields that a compatible server refuses.


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
def test_a_field_refused_by_name_is_removed(field: str, body: bytes, status: int) -> None:
    transport = FakeTransport(error_from_response(status, {}, body), HELLO)
    assert provider(transport).complete(QUESTION).content == "Hello"
    first, second = transport.bodies
    assert field in first
    assert field not in second
    left = first.keys() - second.keys()
    assert left == {field}
    assert second.get("max_completion_tokens") == (300 if field == "max_tokens" else None)


def test_each_field_is_removed_once() -> None:
    bodies = [some[0] for some in REFUSALS.values()]
    refused = [error_from_response(400, {}, body) for body in [*bodies, bodies[0]]]
    transport = FakeTransport(*refused, HELLO)
    with pytest.raises(UpstreamError) as failure:
        provider(transport).complete(QUESTION)
    assert failure.value.code == "upstream_bad_request"
    assert len(transport.calls) == 4


def test_other_errors_remove_no_field() -> None:
    transport = FakeTransport(error_from_response(400, {}, b'{"error":{"message":"no such model"}}'), HELLO)
    with pytest.raises(UpstreamError):
        provider(transport).complete(QUESTION)
    transport = FakeTransport(error_from_response(401, {}, REFUSALS["stream_options"][0]), HELLO)
    with pytest.raises(UpstreamError):
        provider(transport).complete(QUESTION)
    assert len(transport.calls) == 1


def test_n11_an_answer_that_is_whole_but_for_its_end_may_last_little_longer() -> None:
    transport = FakeTransport([chunk("Hello"), chunk(None, "stop"), b": ping\n\n", b"data: [DONE]\n\n"])
    events = RetryingClient(transport).open(
        lambda _: Call(url="", headers={}, body=b""), OpenAIDecoder(1000), FakeControl()
    )
    while not isinstance(events.read()[-1], Finished):
        pass
    assert transport.ends == [1.5]  # not put off by the ping

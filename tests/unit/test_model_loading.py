"""A server that loads its model: what is read while a call has no response."""

import threading
import time
from collections.abc import Callable

import pytest

from tests.unit.transports import FakeControl
from webapp.errors import Stopped, UpstreamError
from webapp.events import Event, Finished, ModelLoading, TextDelta
from webapp.providers.ollama.loading import LoadingEvents
from webapp.seams import Control, EventStream

LIMIT_S = 5.0
ANSWER: list[Event] = [TextDelta("Hello"), Finished("stop")]


class Events:
    """The events of a call; `closed` is set when they are closed."""

    has_more = False

    def __init__(self) -> None:
        self.closed = threading.Event()

    def read(self, *, wait: bool = True) -> list[Event]:
        del wait
        return ANSWER

    @property
    def rest(self) -> EventStream:
        return self

    def close(self) -> None:
        self.closed.set()


def loading(
    make: Callable[[Control], Events], after_s: float = 0.01, *, is_loading: bool = True
) -> LoadingEvents:
    return LoadingEvents(make, FakeControl(), lambda: is_loading, after_s)


def test_an_answer_without_delay_has_no_notice() -> None:
    stream = loading(lambda _: Events(), after_s=LIMIT_S)
    assert list(stream.read()) == ANSWER


def test_a_call_without_a_response_is_told_once() -> None:
    may_respond = threading.Event()

    def respond(_: Control) -> Events:
        assert may_respond.wait(LIMIT_S)
        return Events()

    stream = loading(respond)
    assert list(stream.read(wait=False)) == []
    assert list(stream.read()) == [ModelLoading()]
    assert list(stream.read(wait=False)) == []
    may_respond.set()
    assert list(stream.read()) == ANSWER


def test_a_response_whose_events_are_late_is_told_too() -> None:
    """A proxy may send the head of the response at once."""
    may_respond = threading.Event()

    class LateEvents(Events):
        def read(self, *, wait: bool = True) -> list[Event]:
            assert may_respond.wait(LIMIT_S)
            return super().read(wait=wait)

    stream = loading(lambda _: LateEvents())
    assert list(stream.read()) == [ModelLoading()]
    may_respond.set()
    assert list(stream.read()) == ANSWER
    stream.close()


def test_an_error_after_the_first_events_follows_them() -> None:
    class FailingEvents(Events):
        def __init__(self) -> None:
            super().__init__()
            self.reads = 0

        def read(self, *, wait: bool = True) -> list[Event]:
            self.reads += 1
            if self.reads > 1:
                raise UpstreamError("upstream_stalled")
            return super().read(wait=wait)

    stream = loading(lambda _: FailingEvents())
    assert list(stream.read()) == ANSWER
    with pytest.raises(UpstreamError):
        stream.read()


def test_a_slow_prompt_of_a_loaded_model_is_not_told() -> None:
    may_respond = threading.Event()
    threading.Timer(0.2, may_respond.set).start()

    def respond(_: Control) -> Events:
        assert may_respond.wait(LIMIT_S)
        return Events()

    stream = loading(respond, is_loading=False)
    assert list(stream.read()) == ANSWER


@pytest.mark.parametrize("error", [UpstreamError("upstream_unreachable"), Stopped(), ValueError("a bug")])
def test_the_call_s_failure_is_raised_where_the_events_are_read(error: Exception) -> None:
    def fail(_: Control) -> Events:
        raise error

    stream = loading(fail, after_s=LIMIT_S)
    with pytest.raises(type(error)):
        stream.read()
    with pytest.raises(type(error)):
        stream.read(wait=False)


def test_a_bug_keeps_its_traceback() -> None:
    def make_wrongly(_control: Control) -> Events:
        raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug") as raised:
        loading(make_wrongly).read()
    assert "make_wrongly" in [entry.name for entry in raised.traceback]


def test_closing_ends_a_call_without_a_response() -> None:
    started, aborted, ended = threading.Event(), threading.Event(), threading.Event()

    def hang(control: Control) -> Events:
        control.register_abort(aborted.set)
        started.set()
        try:
            assert aborted.wait(LIMIT_S)
            control.wait(0)  # raises `Stopped`, as after a stop
        finally:
            ended.set()
        return Events()

    stream = loading(hang)
    assert started.wait(LIMIT_S)
    stream.close()
    assert ended.wait(LIMIT_S)
    with pytest.raises(Stopped):
        stream.read()


def test_events_that_come_after_closing_are_closed() -> None:
    may_respond, events = threading.Event(), Events()

    def respond(_: Control) -> Events:
        assert may_respond.wait(LIMIT_S)
        return events

    stream = loading(respond)
    stream.close()
    may_respond.set()
    assert events.closed.wait(LIMIT_S)


def test_a_stop_reaches_the_call() -> None:
    control = FakeControl(stopped_at_wait=1)

    def wait(own: Control) -> Events:
        own.wait(LIMIT_S)
        return Events()

    began = time.monotonic()
    with pytest.raises(Stopped):
        LoadingEvents(wait, control, lambda: True, LIMIT_S).read()
    assert time.monotonic() - began < LIMIT_S

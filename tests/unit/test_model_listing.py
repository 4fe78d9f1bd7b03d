"""A provider's list of models is kept, renewed in the background, and waited for only at first."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence

import pytest

from webapp.catalog.listing import ListedModel
from webapp.errors import Stopped, UpstreamError
from webapp.providers.base import CallControl
from webapp.providers.listings import model_listing
from webapp.providers.listings.model_listing import ModelListing
from webapp.seams import Control

A, B = [ListedModel(name="a")], [ListedModel(name="a"), ListedModel(name="b")]
WAIT_S = 20.0
AT_ONCE_S = 10.0  # a call that waits for the provider takes `WAIT_S`


class Source:
    """Plays one outcome a call: models to yield, or an error to raise. With `gate`, each call waits for it first."""

    def __init__(self, *outcomes: list[ListedModel] | Exception, gate: threading.Event | None = None) -> None:
        self._outcomes = list(outcomes)
        self._gate = gate
        self.calls = 0
        self.changes: list[Sequence[ListedModel]] = []

    def fetch(self, control: Control) -> Iterator[list[ListedModel]]:
        del control
        self.calls += 1
        outcome = self._outcomes[min(self.calls, len(self._outcomes)) - 1]
        if self._gate is not None:
            self._gate.wait(WAIT_S)
        if isinstance(outcome, Exception):
            raise outcome
        yield outcome

    def listing(self) -> ModelListing:
        return ModelListing("openai", self.fetch, self.changes.append)


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock whose single number is added to the time."""
    offset, now = [0.0], time.monotonic
    monkeypatch.setattr(model_listing.time, "monotonic", lambda: now() + offset[0])
    return offset


def test_nothing_is_asked_before_the_first_use() -> None:
    source = Source(A)
    listing = source.listing()
    assert (listing.peek(), listing.state, source.calls) == ((), "unavailable", 0)
    assert listing.get(WAIT_S) == tuple(A)
    assert (listing.state, source.changes) == ("listed", [tuple(A)])


def test_a_page_does_not_wait_and_many_callers_ask_once() -> None:
    gate = threading.Event()
    source = Source(A, gate=gate)
    listing = source.listing()
    began = time.monotonic()
    assert [listing.get() for _ in range(50)] == [()] * 50
    assert listing.state == "pending"
    assert listing.get(0.05) == ()
    assert time.monotonic() - began < AT_ONCE_S
    gate.set()
    until(lambda: listing.peek() == tuple(A))
    assert source.calls == 1


def test_a_list_is_renewed_after_ten_minutes_while_the_old_one_is_used(clock: list[float]) -> None:
    gate = threading.Event()
    gate.set()
    source = Source(A, B, gate=gate)
    listing = source.listing()
    listing.get(WAIT_S)
    clock[0] += 599
    assert (listing.get(), source.calls) == (tuple(A), 1)
    gate.clear()
    clock[0] += 2
    began = time.monotonic()
    assert listing.get(WAIT_S) == tuple(A)
    assert time.monotonic() - began < AT_ONCE_S, "it has waited for the renewal"
    assert listing.state == "listed"
    gate.set()
    until(lambda: listing.peek() == tuple(B))
    assert source.calls == 2


def test_after_a_failure_it_is_asked_again_a_minute_later_and_not_waited_for(clock: list[float]) -> None:
    gate = threading.Event()
    gate.set()
    source = Source(UpstreamError("upstream_unreachable"), A, gate=gate)
    listing = source.listing()
    assert (listing.get(WAIT_S), listing.state) == ((), "unavailable")
    clock[0] += 58
    assert (listing.get(WAIT_S), source.calls) == ((), 1)
    gate.clear()
    clock[0] += 3
    began = time.monotonic()
    assert listing.get(WAIT_S) == ()
    assert time.monotonic() - began < AT_ONCE_S
    gate.set()
    until(lambda: listing.peek() == tuple(A))


@pytest.mark.parametrize(("later_s", "kept"), [(700, True), (4_000, False)])
def test_a_provider_that_is_away_keeps_its_list_for_an_hour(
    clock: list[float], later_s: float, kept: bool
) -> None:
    source = Source(A, UpstreamError("upstream_unreachable"))
    listing = source.listing()
    listing.get(WAIT_S)
    clock[0] += later_s
    listing.get()
    until(lambda: source.calls == 2)
    until(lambda: bool(listing.peek()) is kept)


def test_an_empty_list_replaces_the_old_one(clock: list[float]) -> None:
    source = Source(A, [])
    listing = source.listing()
    listing.get(WAIT_S)
    clock[0] += 601
    listing.get()
    until(lambda: listing.peek() == ())
    assert source.changes == [tuple(A), ()]


def test_an_unexpected_failure_is_logged_and_is_no_end(caplog: pytest.LogCaptureFixture) -> None:
    listing = Source(RuntimeError("a bug")).listing()
    assert (listing.get(WAIT_S), listing.state) == ((), "unavailable")
    assert "could not be read" in caplog.text


def test_a_fetch_is_stopped_when_its_time_is_over() -> None:
    def fetch(control: Control) -> Iterator[list[ListedModel]]:
        yield A
        control.wait(WAIT_S)

    listing = ModelListing("openai", fetch, lambda _: None, total_s=0.05)
    began = time.monotonic()
    assert listing.get(WAIT_S) == tuple(A), "what had come is used"
    assert time.monotonic() - began < AT_ONCE_S


def test_a_stop_ends_the_wait() -> None:
    gate, control = threading.Event(), CallControl()
    listing = Source(A, gate=gate).listing()
    threading.Timer(0.05, control.stop).start()
    with pytest.raises(Stopped):
        listing.get(WAIT_S, control)
    gate.set()

"""The limit on wrong passwords."""

import pytest

from webapp.access import throttle as module
from webapp.access.throttle import Throttle


def failed(count: int, source: str = "a", *, at: float = 0.0, into: Throttle | None = None) -> Throttle:
    """Return a throttle with `count` wrong passwords."""
    throttle = into or Throttle()
    for _ in range(count):
        throttle.record_failure(source, at)
    return throttle


def test_seven_failures_are_allowed() -> None:
    assert Throttle().wait_s("a", 0.0) == 0
    assert failed(7).wait_s("a", 0.0) == 0


def test_the_eighth_failure_in_a_minute_must_wait() -> None:
    assert failed(8).wait_s("a", 0.0) == 61
    assert failed(8).wait_s("a", 59.5) == 1


def test_the_next_try_is_allowed_after_a_minute() -> None:
    assert failed(8).wait_s("a", 60.0) == 0


def test_the_window_slides() -> None:
    throttle = failed(4, at=0.0)
    failed(4, at=50.0, into=throttle)
    assert throttle.wait_s("a", 55.0) == 6
    assert throttle.wait_s("a", 60.0) == 0
    failed(4, at=61.0, into=throttle)
    assert throttle.wait_s("a", 62.0) == 49


def test_sources_are_independent() -> None:
    assert failed(50, "a").wait_s("b", 0.0) == 0


def test_many_failing_sources_do_not_block_a_new_one() -> None:
    """A distributed attack must not lock out users who know the password."""
    throttle = Throttle()
    for number in range(1_000):
        throttle.record_failure(f"10.0.{number}.1", 0.0)
    assert throttle.wait_s("new", 0.0) == 0


def test_the_number_of_sources_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MAX_SOURCES", 10)
    throttle = Throttle()
    for number in range(1_000):
        throttle.record_failure(f"address {number}", 0.0)
    assert len(throttle._by_source) <= 10
    failed(8, "a", at=100.0, into=throttle)
    assert throttle.wait_s("a", 100.0) == 61
    throttle.record_failure("b", 100.0)
    assert set(throttle._by_source) == {"a", "b"}


def test_the_same_wrong_password_counts_once() -> None:
    throttle = Throttle()
    for second in range(100):
        throttle.record_failure("a", float(second) / 10, "yesterday's password")
    assert throttle.wait_s("a", 10.0) == 0
    for number in range(7):
        throttle.record_failure("a", 10.0, f"guess {number}")
    assert throttle.wait_s("a", 10.0) > 0

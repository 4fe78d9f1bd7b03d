"""The brake on wrong passwords; time is an argument."""

import pytest

from webapp.access import throttle
from webapp.access.throttle import Throttle


def tried(count: int, address: str = "a", *, at: float = 0.0, into: Throttle | None = None) -> Throttle:
    brake = into or Throttle()
    for _ in range(count):
        brake.failed(address, at)
    return brake


def test_a_few_wrong_tries_are_free() -> None:
    assert Throttle().wait_s("a", 0.0) == 0
    assert tried(7).wait_s("a", 0.0) == 0


def test_the_eighth_wrong_try_in_a_minute_has_to_wait() -> None:
    assert tried(8).wait_s("a", 0.0) == 61
    assert tried(8).wait_s("a", 59.5) == 1


def test_after_a_minute_the_next_try_is_free() -> None:
    assert tried(8).wait_s("a", 60.0) == 0


def test_the_window_slides() -> None:
    brake = tried(4, at=0.0)
    tried(4, at=50.0, into=brake)
    assert brake.wait_s("a", 55.0) == 6
    assert brake.wait_s("a", 60.0) == 0
    tried(4, at=61.0, into=brake)
    assert brake.wait_s("a", 62.0) == 49


def test_one_address_does_not_brake_another() -> None:
    assert tried(50, "a").wait_s("b", 0.0) == 0


def test_many_addresses_do_not_brake_another() -> None:
    """Whoever guesses from everywhere must not lock out those who know the password."""
    brake = Throttle()
    for number in range(1_000):
        brake.failed(f"10.0.{number}.1", 0.0)
    assert brake.wait_s("new", 0.0) == 0


def test_addresses_are_bounded_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "_MOST_SOURCES", 10)
    brake = Throttle()
    for number in range(1_000):
        brake.failed(f"address {number}", 0.0)
    assert len(brake._by_source) <= 10
    tried(8, "a", at=100.0, into=brake)
    assert brake.wait_s("a", 100.0) == 61
    brake.failed("b", 100.0)
    assert set(brake._by_source) == {"a", "b"}


def test_the_same_word_again_is_one_try() -> None:
    throttle = Throttle()
    for second in range(100):
        throttle.failed("a", float(second) / 10, "a key of yesterday")
    assert throttle.wait_s("a", 10.0) == 0
    for number in range(7):
        throttle.failed("a", 10.0, f"guess {number}")
    assert throttle.wait_s("a", 10.0) > 0

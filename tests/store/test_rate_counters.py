"""Counters that workers share: exact, whoever hits them, and no obstacle where the database is away."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from sqlalchemy import func, select

from webapp.access import limits, throttle
from webapp.access.principals import Principal
from webapp.access.throttle import Throttle
from webapp.errors import TooManyRequests, Unavailable
from webapp.seams import RateLimit
from webapp.settings import Settings
from webapp.store import rate_counters as module
from webapp.store.rate_counters import RateCounters
from webapp.store.schema import rate_counters
from webapp.store.store import Store
from webapp.wiring import make_limiter

TIMEOUT_S = 10.0
NOON = 60.0 * 1_000_000


class Clock:
    now = NOON

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def workers(
    store: Store, migrated_location: tuple[str | None, str], clock: Clock
) -> Iterator[tuple[RateCounters, RateCounters]]:
    """The counters of two workers of one store."""
    store.write(lambda c: c.execute(rate_counters.delete()))
    other = Store(*migrated_location)
    other.database.open()
    yield RateCounters(store.database, clock), RateCounters(other.database, clock)
    other.close(5.0)


def limit(name: str = "a", most: int = 3, window_s: int = 60) -> RateLimit:
    return RateLimit(name=name, most=most, window_s=window_s)


def count_hits(counters: RateCounters, one: RateLimit, attempts: int = 20) -> int:
    return sum(counters.hit([one], TIMEOUT_S) is None for _ in range(attempts))


def test_two_workers_count_together(workers: tuple[RateCounters, RateCounters], clock: Clock) -> None:
    first, second = workers
    assert [
        first.hit([limit()], TIMEOUT_S),
        second.hit([limit()], TIMEOUT_S),
        first.hit([limit()], TIMEOUT_S),
    ] == [None] * 3
    assert first.hit([limit()], TIMEOUT_S) == second.hit([limit()], TIMEOUT_S) == limit()
    assert (first.is_reached(limit(), TIMEOUT_S), second.is_reached(limit(), TIMEOUT_S)) == (True, True)
    assert not first.is_reached(limit("another"), TIMEOUT_S)
    clock.now += 60
    assert not second.is_reached(limit(), TIMEOUT_S)
    assert count_hits(second, limit()) == 3


def test_many_hits_at_once_are_counted_exactly(workers: tuple[RateCounters, RateCounters]) -> None:
    with ThreadPoolExecutor(8) as pool:
        hits = pool.map(lambda number: workers[number % 2].hit([limit(most=10)], TIMEOUT_S), range(40))
        assert sum(hit is None for hit in hits) == 10


def test_a_limit_that_is_reached_counts_nothing_of_the_others(
    workers: tuple[RateCounters, RateCounters],
) -> None:
    counters, _ = workers
    full, free = limit("full", 1), limit("free", 5)
    assert counters.hit([full, free], TIMEOUT_S) is None
    for _ in range(3):
        assert counters.hit([free, full], TIMEOUT_S) == full
    assert count_hits(counters, free) == 4


def test_a_worker_whose_clock_is_behind_begins_no_new_count(
    workers: tuple[RateCounters, RateCounters], clock: Clock
) -> None:
    assert count_hits(workers[0], limit()) == 3
    clock.now -= 60
    assert count_hits(workers[1], limit()) == 0


def test_old_counters_are_removed_and_names_are_not_readable(
    store: Store,
    workers: tuple[RateCounters, RateCounters],
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_PURGE_EVERY", 10)
    for number in range(9):
        workers[0].hit([limit(f"starts at 203.0.113.{number}")], TIMEOUT_S)
    names = store.read(lambda c: list(c.execute(select(rate_counters.c.name)).scalars()))
    assert len(names) == 9
    assert not any("203" in name and "." in name for name in names)
    clock.now += 61
    workers[0].hit([limit()], TIMEOUT_S)
    assert store.read(lambda c: c.execute(select(func.count()).select_from(rate_counters)).scalar()) == 1


def test_while_the_database_is_away_nothing_is_counted_or_asked_for_a_moment(
    workers: tuple[RateCounters, RateCounters], monkeypatch: pytest.MonkeyPatch
) -> None:
    counters, calls = workers[0], []

    def away(*_: Any) -> Any:
        calls.append(1)
        raise Unavailable("away")

    assert count_hits(counters, limit()) == 3
    monkeypatch.setattr(counters._database, "write", away)
    monkeypatch.setattr(counters._database, "read", away)
    assert counters.hit([limit()], TIMEOUT_S) is None
    assert not counters.is_reached(limit(), TIMEOUT_S)
    assert calls == [1]


def test_a_request_does_not_wait_for_a_busy_database(store: Store, clock: Clock) -> None:
    entered, leave = threading.Event(), threading.Event()

    def occupy(_: object) -> None:
        entered.set()
        assert leave.wait(TIMEOUT_S)

    workers = 1 if store.database.kind == "sqlite" else 4
    with ThreadPoolExecutor(workers) as pool:
        busy = [pool.submit(store.write, occupy, TIMEOUT_S) for _ in range(workers)]
        assert entered.wait(TIMEOUT_S)
        counters = RateCounters(store.database, clock)
        for _ in range(20):  # the last one occupied may be a moment late
            if counters.hit([limit(most=1)], 0.05) is None and counters._retry_at:
                break
        assert counters._retry_at > 0
        leave.set()
        for one in busy:
            one.result(TIMEOUT_S)


# What counts by them.


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait longer than a request does: a busy machine must not look like a database that is away."""
    for user in (limits, throttle):
        monkeypatch.setattr(user, "_SHARED_S", TIMEOUT_S)


def refused(call: Callable[[], object]) -> TooManyRequests:
    with pytest.raises(TooManyRequests) as error:
        call()
    return error.value


def test_starts_imports_and_visitors_count_over_all_workers(
    workers: tuple[RateCounters, RateCounters],
) -> None:
    environ = {"FRESHET_VISITOR_STARTS": "4", "FRESHET_ADDRESS_SHARE": "2", "FRESHET_ADDRESS_VISITORS": "3"}
    limiters = [make_limiter(Settings.read(environ), counters) for counters in workers]
    anna, bert, carl, nobody = (
        Principal(kind="visitor", name=name, address="203.0.113.5") for name in ("a", "b", "c", None)
    )
    for number in range(4):
        limiters[number % 2].count_start(anna)
    error = refused(lambda: limiters[0].count_start(anna))
    assert (error.code, error.limit, 0 < (error.retry_after_s or 0) <= 61) == ("too_many_starts", 4, True)
    for number in range(4):
        limiters[number % 2].count_start(bert if number else carl)
    assert refused(lambda: limiters[1].count_start(nobody)).limit == 8, "the address has its share"
    for number in range(4):
        limiters[number % 2].count_import(anna)
    assert refused(lambda: limiters[1].count_import(anna)).code == "too_many_imports"
    for number in range(3):
        limiters[number % 2].count_visitor("203.0.113.5")
    assert refused(lambda: limiters[1].count_visitor("203.0.113.5")).code == "too_many_visitors"
    limiters[1].count_visitor("203.0.113.6")


def test_wrong_passwords_count_over_all_workers(workers: tuple[RateCounters, RateCounters]) -> None:
    throttles = [Throttle(counters) for counters in workers]
    for number in range(8):
        assert not throttles[number % 2].verify("a", f"guess {number}", lambda _: False, 0.0)
    assert refused(lambda: throttles[0].verify("a", "one too many", lambda _: False, 0.0)).retry_after_s
    for one in throttles:
        verify = partial(one.verify, "a", "right", lambda _: True, 0.0)
        assert refused(verify).retry_after_s
    assert throttles[0].verify("b", "right", lambda _: True, 0.0)


def test_a_worker_that_has_seen_no_wrong_password_asks_before_it_accepts_one(
    workers: tuple[RateCounters, RateCounters],
) -> None:
    first, second = (Throttle(counters) for counters in workers)
    for number in range(8):
        first.verify("a", f"guess {number}", lambda _: False, 0.0)
    assert refused(lambda: second.verify("a", "right", lambda _: True, 0.0)).code == "throttled"


def test_without_the_database_each_worker_counts(
    workers: tuple[RateCounters, RateCounters], monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any) -> Any:
        raise Unavailable("away")

    counters = workers[0]
    for name in ("read", "write"):
        monkeypatch.setattr(counters._database, name, away)
    own = Throttle(counters)
    for number in range(8):
        assert not own.verify("a", f"guess {number}", lambda _: False, 0.0)
    assert refused(lambda: own.verify("a", "right", lambda _: True, 0.0)).code == "throttled"
    limiter = make_limiter(Settings.read({"FRESHET_VISITOR_STARTS": "2"}), counters)
    anna = Principal(kind="visitor", name="a", address="203.0.113.5")
    for _ in range(2):
        limiter.count_start(anna)
        limiter.acquire(anna)()
    assert refused(lambda: limiter.count_start(anna)).code == "too_many_starts"

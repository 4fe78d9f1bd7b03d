"""The limits of callers and their counters."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from webapp.access import limits
from webapp.access.allowances import KINDS, Allowance, allowances_of
from webapp.access.limits import Limiter
from webapp.access.principals import Kind, Principal
from webapp.errors import TooLarge, TooManyRequests
from webapp.settings import Settings

if TYPE_CHECKING:
    from _collections_abc import dict_items, dict_keys, dict_values

ADDRESS = "203.0.113.5"


def limiter(**environ: str) -> Limiter:
    settings = Settings.read(environ)
    return Limiter(
        allowances_of(settings),
        address_share=settings.address_share,
        address_visitors=settings.address_visitors,
    )


def caller(
    kind: Kind = "visitor", name: str | None = "one", address: str = ADDRESS, *, is_counted: bool = True
) -> Principal:
    return Principal(kind=kind, name=name, address=address, is_counted=is_counted)


def count_starts(counts: Limiter, who: Principal, attempts: int = 1_000) -> int:
    """Start and end answers until one is refused; return how many were not."""
    for number in range(attempts):
        try:
            counts.acquire(who)()
        except TooManyRequests:
            return number
    return attempts


def refused(counts: Limiter, who: Principal) -> TooManyRequests:
    """Return the error of an answer that must be refused."""
    with pytest.raises(TooManyRequests) as error:
        counts.acquire(who)
    return error.value


def test_the_default_limits() -> None:
    kib, mib = 1024, 1024**2
    table = allowances_of(Settings())
    assert table == {
        "visitor": Allowance(
            answers=2,
            starts=10,
            max_tokens=4096,
            reasoning_tokens=8192,
            question_bytes=256 * kib,
            stored_bytes=20 * mib,
            models="priced",
            orphan_s=60,
        ),
        "user": Allowance(
            answers=8,
            starts=60,
            max_tokens=4096,
            reasoning_tokens=65_536,
            question_bytes=4 * mib,
            stored_bytes=200 * mib,
            models="all",
            orphan_s=900,
        ),
        "key": Allowance(
            answers=16,
            starts=120,
            max_tokens=4096,
            reasoning_tokens=65_536,
            question_bytes=4 * mib,
            stored_bytes=200 * mib,
            models="all",
            orphan_s=60,
        ),
    }


def test_the_servers_limits_cap_those_of_callers() -> None:
    environ = {
        "FRESHET_MAX_TOKENS": "100",
        "FRESHET_OWNER_MAX_BYTES": "2000",
        "FRESHET_ORPHAN_S": "5",
        "FRESHET_USER_MAX_TOKENS": "1000",
        "FRESHET_KEY_STORED_BYTES": "3000",
        "FRESHET_USER_ORPHAN_S": "50",
    }
    for allowance in allowances_of(Settings.read(environ)).values():
        assert (allowance.max_tokens, allowance.stored_bytes, allowance.orphan_s) == (100, 2000, 5)


@pytest.mark.parametrize("kind", KINDS)
def test_every_limit_is_a_setting_of_its_kind(kind: Kind) -> None:
    values = {
        "ANSWERS": "3",
        "STARTS": "4",
        "MAX_TOKENS": "5",
        "QUESTION_BYTES": "6000",
        "STORED_BYTES": "7000",
    }
    values |= {"MODELS": "all", "ORPHAN_S": "9"}
    read = allowances_of(
        Settings.read({f"FRESHET_{kind.upper()}_{name}": value for name, value in values.items()})
    )
    changed = Allowance(
        answers=3,
        starts=4,
        max_tokens=5,
        reasoning_tokens=0,
        question_bytes=6000,
        stored_bytes=7000,
        models="all",
        orphan_s=9,
    )
    assert read == allowances_of(Settings()) | {kind: changed}


@pytest.mark.parametrize(("kind", "limit"), [("visitor", 2), ("user", 8), ("key", 16)])
def test_concurrent_answers_are_limited(kind: Kind, limit: int) -> None:
    counts, who = limiter(), caller(kind)
    running = [counts.acquire(who) for _ in range(limit)]
    error = refused(counts, who)
    assert (error.code, error.limit) == ("too_many_answers", limit)
    assert error.retry_after_s
    with pytest.raises(TooManyRequests):
        counts.check_start(who)
    counts.acquire(caller(kind, "another"))()
    running[0]()
    counts.acquire(who)()


@pytest.mark.parametrize(("kind", "limit"), [("visitor", 10), ("user", 60), ("key", 120)])
def test_starts_per_minute_are_limited(kind: Kind, limit: int) -> None:
    counts, who = limiter(), caller(kind)
    assert count_starts(counts, who) == limit
    error = refused(counts, who)
    assert (error.code, error.limit) == ("too_many_starts", limit)
    assert 1 <= (error.retry_after_s or 0) <= 61
    assert counts._running == {}, "a refused start counts as no answer"


def test_all_visitors_of_an_address_share_five_times_one_visitors_limit() -> None:
    counts = limiter()
    assert sum(count_starts(counts, caller(name=f"visitor {number}")) for number in range(20)) == 50
    assert count_starts(counts, caller(name="elsewhere", address="203.0.113.6")) == 10
    counts = limiter()
    for number in range(10):
        counts.acquire(caller(name=f"visitor {number}"))
    assert refused(counts, caller(name="one more")).code == "too_many_answers"


def test_a_caller_without_a_name_has_only_the_limits_of_its_address() -> None:
    assert count_starts(limiter(), caller(name=None)) == 50
    counts = limiter()
    assert count_starts(counts, caller(name="one")) == 10
    assert count_starts(counts, caller(name=None)) == 40


def test_users_do_not_share_the_limits_of_an_address() -> None:
    counts = limiter()
    assert count_starts(counts, caller("user", "a")) == 60
    assert count_starts(counts, caller("user", "b")) == 60


def test_an_address_may_create_twenty_visitors_per_hour() -> None:
    counts = limiter()
    for _ in range(20):
        counts.count_visitor(ADDRESS)
    with pytest.raises(TooManyRequests) as error:
        counts.count_visitor(ADDRESS)
    assert (error.value.code, error.value.limit) == ("too_many_visitors", 20)
    assert 3_000 < (error.value.retry_after_s or 0) <= 3_601
    counts.count_visitor("203.0.113.6")


def test_in_local_mode_only_sizes_are_limited() -> None:
    counts, who = limiter(), caller("user", "owner", is_counted=False)
    assert count_starts(counts, who) == 1_000
    for _ in range(100):
        counts.acquire(who)
    counts.check_start(who)
    with pytest.raises(TooLarge):
        counts.check_question(who, 5 * 1024**2, "query")


def test_an_error_about_a_long_question_names_its_field() -> None:
    with pytest.raises(TooLarge) as error:
        limiter().check_question(caller(), 256 * 1024 + 1, "messages")
    assert (error.value.param, error.value.code, error.value.limit) == (
        "messages",
        "question_too_large",
        256 * 1024,
    )
    limiter().check_question(caller(), 256 * 1024, "messages")


def test_stored_bytes_per_address_and_day_are_limited() -> None:
    counts, share = limiter(), 20 * 1024**2
    for number in range(5):
        counts.count_stored_bytes(caller(name=f"visitor {number}"), share)
    with pytest.raises(TooManyRequests) as error:
        counts.count_stored_bytes(caller(name="another"), 1_000)
    assert error.value.code == "too_many_bytes"
    assert 1 <= (error.value.retry_after_s or 0) <= 86_401
    counts.count_stored_bytes(caller("user", "owner"), 10**9)


@pytest.mark.parametrize("jump_s", [-86_400.0, 86_400.0])
def test_a_clock_that_jumps_a_day_resets_the_counters_once(
    monkeypatch: pytest.MonkeyPatch, jump_s: float
) -> None:
    offset, now = [0.0], time.time
    monkeypatch.setattr(time, "time", lambda: now() + offset[0])
    settings = Settings()
    counts = Limiter(
        allowances_of(settings), address_share=5, address_visitors=20, clock=lambda: now() + offset[0]
    )
    assert count_starts(counts, caller()) == 10
    offset[0] = jump_s
    assert count_starts(counts, caller()) == 10, "the counters were reset"
    assert count_starts(counts, caller()) == 0


def test_expired_counters_are_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its scan, the package would keep every counter forever."""
    offset, now = [0.0], time.time
    monkeypatch.setattr(time, "time", lambda: now() + offset[0])
    monkeypatch.setattr(limits, "_CLOCK_JUMP_S", 1e9)  # the minute that passes is not a clock change
    counts = Limiter(
        allowances_of(Settings()), address_share=5, address_visitors=20, clock=lambda: now() + offset[0]
    )
    counts._prune_at = 300
    for number in range(200):
        counts.acquire(caller(name=f"visitor {number}", address=f"10.0.0.{number}"))()
    assert counts._storage is not None
    assert len(counts._storage.events) == 400, "active counters are kept"
    offset[0] = 61.0
    counts._prune_at = 300
    counts.acquire(caller())()
    assert len(counts._storage.events) == 2


class CountedDict(dict[str, Any]):
    """A dictionary that counts the entries which it is iterated over."""

    iterated = 0

    def __iter__(self) -> Iterator[str]:
        self.iterated += len(self)
        return super().__iter__()

    def keys(self) -> dict_keys[str, Any]:
        self.iterated += len(self)
        return super().keys()

    def values(self) -> dict_values[str, Any]:
        self.iterated += len(self)
        return super().values()

    def items(self) -> dict_items[str, Any]:
        self.iterated += len(self)
        return super().items()


def test_a_hit_does_not_scan_the_other_counters(monkeypatch: pytest.MonkeyPatch) -> None:
    """The package does, in a thread: 0.3 s at every hit with 65,000 addresses in an hour."""
    monkeypatch.setattr(limits, "_PRUNE_AT", 10)
    counts, hits = limiter(), 400
    counts._prune_at = 10
    storage = counts._checked_storage()
    storage.timer.join(10)  # the package starts it with the storage
    storage.events, storage.expirations = events, expirations = CountedDict(), CountedDict()
    for number in range(hits):
        address = f"2001:db8:0:{number:x}::/64"
        counts.count_visitor(address)
        counts.count_stored_bytes(caller(name=None, address=address), 1_000)
        storage.timer.join(10)  # the package starts one at a hit
    assert (len(events), len(expirations)) == (hits, hits)
    assert 0 < events.iterated + expirations.iterated < 4 * 2 * hits, "pruned only when their number doubles"


def test_a_counter_has_no_more_entries_than_its_limit() -> None:
    counts = limiter(FRESHET_USER_STARTS="5")
    for _ in range(100):
        count_starts(counts, caller("user"), 1)
    assert counts._storage is not None
    assert all(len(events) <= 5 for events in counts._storage.events.values())


def test_a_counter_has_no_entries_of_an_earlier_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """Under a high limit they would be kept for as long as there are others."""
    offset, now = [0.0], time.time
    monkeypatch.setattr(time, "time", lambda: now() + offset[0])
    counts = Limiter(allowances_of(Settings()), address_share=5, address_visitors=20, clock=time.time)
    monkeypatch.setattr(limits, "_CLOCK_JUMP_S", 1e9)  # the minute that passes is not a clock change
    for _ in range(3):
        count_starts(counts, caller("user"), 20)
        offset[0] += 61.0
    count_starts(counts, caller("user"), 1)
    assert counts._storage is not None
    assert [len(events) for events in counts._storage.events.values()] == [1]


def test_imports_per_minute_are_limited_like_answers() -> None:
    counts = limiter()
    for _ in range(10):
        counts.count_import(caller())
    with pytest.raises(TooManyRequests) as error:
        counts.count_import(caller())
    assert error.value.code == "too_many_imports"
    assert count_starts(counts, caller()) == 10, "answers are counted separately"


def test_the_limit_of_readers() -> None:
    counts = limiter()
    assert counts.reader_quota(caller()) == (f"address {ADDRESS}", 50)
    assert counts.reader_quota(caller("user", "owner")) == ("user:owner", 200)
    assert counts.reader_quota(caller("user", "owner", is_counted=False)) is None

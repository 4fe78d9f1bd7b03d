"""What callers may use, counted; the clock can be set."""

import time

import pytest

from webapp.access import limits
from webapp.access.allowances import KINDS, Allowance, allowances_of
from webapp.access.limits import Limiter
from webapp.access.principals import Kind, Principal
from webapp.errors import TooLarge, TooManyRequests
from webapp.settings import Settings

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


def starts(counts: Limiter, who: Principal, most: int = 1_000) -> int:
    """Start and end answers until one is refused, and return how many there were."""
    for number in range(most):
        try:
            counts.start(who)()
        except TooManyRequests:
            return number
    return most


def refused(counts: Limiter, who: Principal) -> TooManyRequests:
    with pytest.raises(TooManyRequests) as error:
        counts.start(who)
    return error.value


def test_the_table_of_defaults() -> None:
    kib, mib = 1024, 1024**2
    table = allowances_of(Settings())
    assert table == {
        "visitor": Allowance(
            answers=2,
            starts=10,
            max_tokens=4096,
            question_bytes=256 * kib,
            stored_bytes=20 * mib,
            models="priced",
            orphan_s=60,
        ),
        "user": Allowance(
            answers=8,
            starts=60,
            max_tokens=4096,
            question_bytes=4 * mib,
            stored_bytes=200 * mib,
            models="all",
            orphan_s=900,
        ),
        "key": Allowance(
            answers=16,
            starts=120,
            max_tokens=4096,
            question_bytes=4 * mib,
            stored_bytes=200 * mib,
            models="all",
            orphan_s=60,
        ),
    }


def test_nobody_s_limit_beats_the_whole_server_s() -> None:
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
    given = {
        "ANSWERS": "3",
        "STARTS": "4",
        "MAX_TOKENS": "5",
        "QUESTION_BYTES": "6000",
        "STORED_BYTES": "7000",
    }
    given |= {"MODELS": "all", "ORPHAN_S": "9"}
    read = allowances_of(
        Settings.read({f"FRESHET_{kind.upper()}_{name}": value for name, value in given.items()})
    )
    changed = Allowance(
        answers=3, starts=4, max_tokens=5, question_bytes=6000, stored_bytes=7000, models="all", orphan_s=9
    )
    assert read == allowances_of(Settings()) | {kind: changed}


@pytest.mark.parametrize(("kind", "most"), [("visitor", 2), ("user", 8), ("key", 16)])
def test_answers_at_once(kind: Kind, most: int) -> None:
    counts, who = limiter(), caller(kind)
    running = [counts.start(who) for _ in range(most)]
    error = refused(counts, who)
    assert (error.code, error.limit) == ("too_many_answers", most)
    assert error.retry_after_s
    with pytest.raises(TooManyRequests):
        counts.check_start(who)
    counts.start(caller(kind, "another"))()
    running[0]()
    counts.start(who)()


@pytest.mark.parametrize(("kind", "most"), [("visitor", 10), ("user", 60), ("key", 120)])
def test_starts_in_a_minute(kind: Kind, most: int) -> None:
    counts, who = limiter(), caller(kind)
    assert starts(counts, who) == most
    error = refused(counts, who)
    assert (error.code, error.limit) == ("too_many_starts", most)
    assert 1 <= (error.retry_after_s or 0) <= 61
    assert counts._running == {}, "a refused start holds no place"


def test_an_address_has_five_times_a_visitor_s_share_over_all_its_visitors() -> None:
    counts = limiter()
    assert sum(starts(counts, caller(name=f"visitor {number}")) for number in range(20)) == 50
    assert starts(counts, caller(name="elsewhere", address="203.0.113.6")) == 10
    counts = limiter()
    for number in range(10):
        counts.start(caller(name=f"visitor {number}"))
    assert refused(counts, caller(name="one more")).code == "too_many_answers"


def test_a_caller_without_a_name_counts_against_the_address_alone() -> None:
    assert starts(limiter(), caller(name=None)) == 50
    counts = limiter()
    assert starts(counts, caller(name="one")) == 10
    assert starts(counts, caller(name=None)) == 40


def test_users_do_not_count_against_an_address() -> None:
    counts = limiter()
    assert starts(counts, caller("user", "a")) == 60
    assert starts(counts, caller("user", "b")) == 60


def test_an_address_may_make_twenty_visitors_an_hour() -> None:
    counts = limiter()
    for _ in range(20):
        counts.make_visitor(ADDRESS)
    with pytest.raises(TooManyRequests) as error:
        counts.make_visitor(ADDRESS)
    assert (error.value.code, error.value.limit) == ("too_many_visitors", 20)
    assert 3_000 < (error.value.retry_after_s or 0) <= 3_601
    counts.make_visitor("203.0.113.6")


def test_in_local_mode_nothing_is_counted_but_caps_hold() -> None:
    counts, who = limiter(), caller("user", "owner", is_counted=False)
    assert starts(counts, who) == 1_000
    for _ in range(100):
        counts.start(who)
    counts.check_start(who)
    with pytest.raises(TooLarge):
        counts.check_question(who, 5 * 1024**2, "query")


def test_a_question_that_is_too_long_names_its_field() -> None:
    with pytest.raises(TooLarge) as error:
        limiter().check_question(caller(), 256 * 1024 + 1, "messages")
    assert (error.value.param, error.value.code, error.value.limit) == (
        "messages",
        "question_too_large",
        256 * 1024,
    )
    limiter().check_question(caller(), 256 * 1024, "messages")


def test_bytes_stored_from_an_address_in_a_day() -> None:
    counts, share = limiter(), 20 * 1024**2
    for number in range(5):
        counts.store(caller(name=f"visitor {number}"), share)
    with pytest.raises(TooManyRequests) as error:
        counts.store(caller(name="another"), 1_000)
    assert error.value.code == "too_many_bytes"
    assert 1 <= (error.value.retry_after_s or 0) <= 86_401
    counts.store(caller("user", "owner"), 10**9)


@pytest.mark.parametrize("jump_s", [-86_400.0, 86_400.0])
def test_a_clock_that_jumps_a_day_locks_nobody_out(monkeypatch: pytest.MonkeyPatch, jump_s: float) -> None:
    offset, now = [0.0], time.time
    monkeypatch.setattr(time, "time", lambda: now() + offset[0])
    settings = Settings()
    counts = Limiter(
        allowances_of(settings), address_share=5, address_visitors=20, clock=lambda: now() + offset[0]
    )
    assert starts(counts, caller()) == 10
    offset[0] = jump_s
    assert starts(counts, caller()) == 10, "the counts begin anew, once"
    assert starts(counts, caller()) == 0


def test_counters_that_have_run_out_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """The package keeps every counter that there ever was."""
    offset, now = [0.0], time.time
    monkeypatch.setattr(time, "time", lambda: now() + offset[0])
    monkeypatch.setattr(limits, "_CLOCK_JUMP_S", 1e9)  # a minute passes, and the clock was not set
    counts = Limiter(
        allowances_of(Settings()), address_share=5, address_visitors=20, clock=lambda: now() + offset[0]
    )
    counts._prune_at = 300
    for number in range(200):
        counts.start(caller(name=f"visitor {number}", address=f"10.0.0.{number}"))()
    assert counts._storage is not None
    assert len(counts._storage.events) == 400, "those that count still are kept"
    offset[0] = 61.0
    counts._prune_at = 300
    counts.start(caller())()
    assert len(counts._storage.events) == 2


def test_a_count_costs_the_same_however_many_there_are() -> None:
    """The package walked through all counters at every count: 0.3 s each after 65,000 addresses in an hour."""

    def cost_s(others: int) -> float:
        counts = limiter()
        for number in range(others):
            counts.make_visitor(f"2001:db8:{number >> 16:x}:{number & 0xFFFF:x}::/64")
        began = time.process_time()
        for number in range(300):
            counts.start(caller(name=f"v{number}", address=f"10.0.{number // 250}.{number % 250}"))()
        return time.process_time() - began

    few = min(cost_s(10) for _ in range(3))
    assert cost_s(20_000) < 10 * few + 0.05


def test_a_counter_keeps_no_more_than_its_limit() -> None:
    counts = limiter(FRESHET_USER_STARTS="5")
    for _ in range(100):
        starts(counts, caller("user"), 1)
    assert counts._storage is not None
    assert all(len(events) <= 5 for events in counts._storage.events.values())


def test_imports_in_a_minute_are_as_many_as_answers() -> None:
    counts = limiter()
    for _ in range(10):
        counts.bring(caller())
    with pytest.raises(TooManyRequests) as error:
        counts.bring(caller())
    assert error.value.code == "too_many_imports"
    assert starts(counts, caller()) == 10, "answers have a count of their own"


def test_the_readers_of_each_kind() -> None:
    counts = limiter()
    assert counts.readers(caller()) == (f"address {ADDRESS}", 50)
    assert counts.readers(caller("user", "owner")) == ("user:owner", 200)
    assert counts.readers(caller("user", "owner", is_counted=False)) is None

"""All runs of a process: starting each once, finding, limits, and letting go of the old ones."""

import threading

import msgspec
import pytest

from tests.unit.engine import PATIENCE_S, Held, StillRuns, answers, bodies, finish, order, read, start
from webapp.errors import Conflict, NotFound, TooManyRequests, Unavailable
from webapp.frames import new_run
from webapp.runs import registry
from webapp.runs.registry import RunLimits, Runs
from webapp.runs.run import Run

BIG = "x" * 30_000


def test_the_same_run_is_joined_and_its_provider_asked_once() -> None:
    runs, provider, name = StillRuns(), answers("Hello"), new_run()
    first, new = runs.start(order(provider, run=name, owner="anna"))
    second, again = runs.start(order(provider, run=name, owner="anna"))
    assert (first is second, new, again) == (True, True, False)
    finish(runs, first)
    third, _ = runs.start(order(provider, run=name, owner="anna"))
    assert third is first
    assert provider.asked == 1


def test_many_who_start_the_same_run_at_once_get_one() -> None:
    runs, provider, name = StillRuns(), answers("Hello"), new_run()
    barrier, got = threading.Barrier(8), []

    def begin() -> None:
        barrier.wait(PATIENCE_S)
        got.append(runs.start(order(provider, run=name)))

    threads = [threading.Thread(target=begin) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert len({run for run, _ in got}) == 1
    assert sum(new for _, new in got) == 1
    finish(runs, got[0][0])
    assert provider.asked == 1


def test_another_body_for_the_same_run_is_refused() -> None:
    runs = StillRuns()
    run = start(runs, answers("x"), owner="anna")
    with pytest.raises(Conflict) as refused:
        runs.start(order(answers("y"), run=run.id, owner="anna", fingerprint="other"))
    assert (refused.value.status, refused.value.code) == (409, "run_conflict")


@pytest.mark.parametrize("owner", [None, "bert"])
def test_somebody_else_s_run_does_not_exist(owner: str | None) -> None:
    runs = StillRuns()
    run = start(runs, answers("x"), owner="anna")
    for ask in (
        lambda: runs.start(order(answers("x"), run=run.id, owner=owner)),
        lambda: runs.find(run.id, owner),
        lambda: runs.stop(run.id, owner),
        lambda: runs.find(new_run(), owner),
    ):
        with pytest.raises(NotFound):
            ask()


def test_an_anonymous_run_s_name_is_its_key() -> None:
    runs = StillRuns()
    run = start(runs, answers("x"))
    assert runs.find(run.id, "anybody") is run
    assert runs.stop(run.id, None).run == run.id


def test_an_answer_that_has_ended_is_none_that_runs() -> None:
    """Its producer may be stuck still; who stopped all that run in a conversation waited for it for ever."""
    runs, held = StillRuns(), Held("Hel", stuck=True)
    run, _ = runs.start(msgspec.structs.replace(order(held.provider), conversation="c"))
    held.wait()
    assert runs.running("c", None) is run
    runs.stop_all("c", None)
    assert run.ended_at is not None
    assert runs.running("c", None) is None
    runs.stop_all("c", None)
    held.release.set()
    finish(runs, run)


def test_connections_have_their_shares() -> None:
    runs = StillRuns()
    first = runs.connect(share=("a", 2))
    runs.connect(share=("a", 2))
    with pytest.raises(TooManyRequests) as refused:
        runs.connect(share=("a", 2))
    assert (refused.value.code, refused.value.limit) == ("too_many_readers", 2)
    runs.connect(share=("b", 2))
    runs.change_share(first, ("b", 2))
    runs.connect(share=("a", 2))
    with pytest.raises(TooManyRequests):
        runs.connect(share=("b", 2))
    runs.leave(first)
    runs.leave(first)
    runs.connect(share=("b", 2))


# Limits.


def test_at_the_limit_of_answers_new_ones_are_refused() -> None:
    runs, held = StillRuns(RunLimits(max_streams=2)), [Held(), Held()]
    living = [start(runs, one.provider) for one in held]
    assert not runs.accepting
    with pytest.raises(Unavailable) as refused:
        runs.start(order(answers("x")))
    assert (refused.value.status, refused.value.code) == (503, "full")
    assert refused.value.retry_after_s
    assert runs.start(order(held[0].provider, run=living[0].id)) == (living[0], False)
    living[0].stop("user")
    finish(runs, living[0])
    assert runs.accepting
    finish(runs, start(runs, answers("x")))
    living[1].stop("user")


def test_at_the_limit_of_readers_new_ones_are_refused() -> None:
    runs = StillRuns(RunLimits(max_readers=2))
    first, _ = runs.connect(), runs.connect()
    assert not runs.accepts_readers
    with pytest.raises(Unavailable):
        runs.connect()
    runs.leave(first)
    assert runs.accepts_readers
    runs.connect()


def full_of(runs: Runs, count: int) -> list[Run]:
    """So many ended answers of some 30 kB each."""
    ended = []
    for _ in range(count):
        ended.append(start(runs, answers(BIG)))
        finish(runs, ended[-1])
    return ended


def test_when_memory_is_full_ended_answers_are_let_go_first() -> None:
    runs = StillRuns(RunLimits(log_max_bytes=110_000))
    ended = full_of(runs, 3)
    finish(runs, start(runs, answers("x")))
    assert [known(runs, run) for run in ended] == [True, True, True]
    finish(runs, start(runs, answers(BIG)))
    finish(runs, start(runs, answers("x")))
    assert [known(runs, run) for run in ended] == [False, True, True]


def test_when_living_answers_fill_the_memory_new_ones_are_refused() -> None:
    runs, held = StillRuns(RunLimits(log_max_bytes=50_000)), [Held(BIG), Held(BIG)]
    living = [start(runs, one.provider) for one in held]
    for one in held:
        one.wait()
    with pytest.raises(Unavailable, match="memory"):
        runs.start(order(answers("x")))
    for run in living:
        run.stop("user")
        finish(runs, run)
    finish(runs, start(runs, answers("x")))


def known(runs: Runs, run: Run) -> bool:
    try:
        return runs.find(run.id, None) is run
    except NotFound:
        return False


def test_a_reader_of_an_answer_that_is_let_go_reads_on() -> None:
    runs = StillRuns(RunLimits(log_max_bytes=60_000))
    run = full_of(runs, 1)[0]
    reader = runs.join(run, runs.connect(), None)
    full_of(runs, 3)
    assert not known(runs, run)
    assert "done" in bodies(reader.take())[-1]


def test_ended_answers_expire_and_living_ones_do_not() -> None:
    runs, held = StillRuns(RunLimits(expiry_s=600, total_s=1e9)), Held()
    living = start(runs, held.provider, orphan_s=1e9)
    ended = start(runs, answers("x"))
    finish(runs, ended)
    assert ended.ended_at is not None
    runs.look_round(ended.ended_at + 599.9)
    assert known(runs, ended)
    runs.look_round(ended.ended_at + 600.1)
    assert not known(runs, ended)
    assert known(runs, living)
    living.stop("user")


def test_hundreds_of_runs_leave_nothing_behind() -> None:
    runs = StillRuns(RunLimits(log_max_bytes=40 * 5_000))
    for _ in range(300):
        finish(runs, start(runs, answers("x")))
    assert len(runs._runs) <= 45
    assert len(runs._active) == 0
    assert runs._ended_bytes == sum(run.size_bytes for run in runs._ended.values())
    last = next(reversed(runs._ended.values()))
    assert last.ended_at is not None
    runs.look_round(last.ended_at + 601)
    assert (runs._runs, runs._ended, runs._ended_bytes) == ({}, {}, 0)


def test_a_server_that_goes_away_starts_nothing() -> None:
    runs = StillRuns()
    runs.drain(20.0)
    assert not runs.accepting
    assert not runs.accepts_readers
    with pytest.raises(Unavailable) as refused:
        runs.start(order(answers("x")))
    assert refused.value.code == "draining"


def test_when_no_thread_can_be_had_the_answer_fails_and_its_place_is_free(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class NoThread:
        def __init__(self, **_: object) -> None:
            pass

        def start(self) -> None:
            raise RuntimeError("can't start new thread")

    runs = StillRuns(RunLimits(max_streams=1))
    with monkeypatch.context() as patch:
        patch.setattr(registry.threading, "Thread", NoThread)
        run = start(runs, answers("x"))
    assert bodies(read(runs, run))[-1]["code"] == "internal"
    assert runs.accepting
    finish(runs, start(runs, answers("x")))


# Followers.


def test_a_follower_is_rung_once_for_each_silence() -> None:
    runs = StillRuns(RunLimits(heartbeat_s=10))
    follower = runs.connect()
    now = follower._wrote_at
    runs.look_round(now + 9.9)
    assert not follower.wake.wait(0)
    runs.look_round(now + 10.1)
    assert follower.wake.wait(0)
    runs.look_round(now + 10.4)
    assert not follower.wake.wait(0)


def test_a_follower_who_has_left_is_told_so() -> None:
    runs = StillRuns()
    gone = threading.Event()
    follower = runs.connect(gone.is_set)
    runs.look_round(follower._wrote_at + 1)
    assert not follower.gone
    gone.set()
    runs.look_round(follower._wrote_at + 1)
    assert follower.gone
    assert follower.wake.wait(0)


def test_the_pulse_beats_by_itself() -> None:
    runs = Runs(RunLimits(heartbeat_s=0.05), registry.Rules(), lambda *_: None)
    follower = runs.connect()
    assert follower.wake.wait(PATIENCE_S)
    assert follower.is_silent()
    follower.wrote()
    assert not follower.is_silent()

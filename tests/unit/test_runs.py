"""The runs of a process: starting, finding, limits and expiry."""

import threading

import msgspec
import pytest

from tests.unit.engine import (
    TIMEOUT_S,
    PausedAnswer,
    RunsWithoutPulse,
    answers,
    bodies,
    finish,
    read,
    run_spec,
    scripted,
    start,
)
from webapp.errors import Conflict, NotFound, TooManyRequests, Unavailable, UpstreamError
from webapp.events import Finished, ModelLoading, ParameterIgnored, Source, SourcesFound, TextDelta
from webapp.frames import new_run
from webapp.runs import registry
from webapp.runs.registry import Runs
from webapp.runs.run import Run
from webapp.runs.run_limits import RunLimits

BIG = "x" * 30_000


def test_a_second_start_joins_the_run_without_a_second_call() -> None:
    runs, provider, name = RunsWithoutPulse(), answers("Hello"), new_run()
    first, new = runs.start(run_spec(provider, run=name, owner="anna"))
    second, again = runs.start(run_spec(provider, run=name, owner="anna"))
    assert (first is second, new, again) == (True, True, False)
    finish(runs, first)
    third, _ = runs.start(run_spec(provider, run=name, owner="anna"))
    assert third is first
    assert provider.calls == 1


def test_concurrent_starts_of_the_same_run_start_one() -> None:
    runs, provider, name = RunsWithoutPulse(), answers("Hello"), new_run()
    barrier, got = threading.Barrier(8), []

    def begin() -> None:
        barrier.wait(TIMEOUT_S)
        got.append(runs.start(run_spec(provider, run=name)))

    threads = [threading.Thread(target=begin) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(TIMEOUT_S)
    assert len({run for run, _ in got}) == 1
    assert sum(new for _, new in got) == 1
    finish(runs, got[0][0])
    assert provider.calls == 1


def test_another_body_for_the_same_run_is_refused() -> None:
    runs = RunsWithoutPulse()
    run = start(runs, answers("x"), owner="anna")
    with pytest.raises(Conflict) as refused:
        runs.start(run_spec(answers("y"), run=run.id, owner="anna", fingerprint="other"))
    assert (refused.value.status, refused.value.code) == (409, "run_conflict")


@pytest.mark.parametrize("owner", [None, "bert"])
def test_another_owner_s_run_is_not_found(owner: str | None) -> None:
    runs = RunsWithoutPulse()
    run = start(runs, answers("x"), owner="anna")
    for ask in (
        lambda: runs.start(run_spec(answers("x"), run=run.id, owner=owner)),
        lambda: runs.find(run.id, owner),
        lambda: runs.stop(run.id, owner),
        lambda: runs.find(new_run(), owner),
    ):
        with pytest.raises(NotFound):
            ask()


def test_an_anonymous_run_is_accessible_by_its_id() -> None:
    runs = RunsWithoutPulse()
    run = start(runs, answers("x"))
    assert runs.find(run.id, "anybody") is run
    assert runs.stop(run.id, None).run == run.id


def test_an_ended_run_with_a_stuck_producer_is_not_running() -> None:
    """Stopping all runs of a conversation used to wait forever for a stuck producer."""
    runs, paused = RunsWithoutPulse(), PausedAnswer("Hel", stuck=True)
    run, _ = runs.start(msgspec.structs.replace(run_spec(paused.provider), conversation="c"))
    paused.wait()
    assert runs.find_running("c", None) == run.id
    runs.stop_all("c", None)
    assert run.ended_at is not None
    assert runs.find_running("c", None) is None
    runs.stop_all("c", None)
    paused.release.set()
    finish(runs, run)


def test_connections_are_limited_by_their_quota() -> None:
    runs = RunsWithoutPulse()
    first = runs.connect(quota=("a", 2))
    runs.connect(quota=("a", 2))
    with pytest.raises(TooManyRequests) as refused:
        runs.connect(quota=("a", 2))
    assert (refused.value.code, refused.value.limit) == ("too_many_readers", 2)
    runs.connect(quota=("b", 2))
    runs.change_quota(first, ("b", 2))
    runs.connect(quota=("a", 2))
    with pytest.raises(TooManyRequests):
        runs.connect(quota=("b", 2))
    runs.disconnect(first)
    runs.disconnect(first)
    runs.connect(quota=("b", 2))


# Limits.


def test_runs_over_the_limit_are_refused() -> None:
    runs, paused = RunsWithoutPulse(RunLimits(max_streams=2)), [PausedAnswer(), PausedAnswer()]
    active = [start(runs, one.provider) for one in paused]
    assert not runs.accepts_runs
    with pytest.raises(Unavailable) as refused:
        runs.start(run_spec(answers("x")))
    assert (refused.value.status, refused.value.code) == (503, "full")
    assert refused.value.retry_after_s
    assert runs.start(run_spec(paused[0].provider, run=active[0].id)) == (active[0], False)
    active[0].stop("user")
    finish(runs, active[0])
    assert runs.accepts_runs
    finish(runs, start(runs, answers("x")))
    active[1].stop("user")


def test_readers_over_the_limit_are_refused() -> None:
    runs = RunsWithoutPulse(RunLimits(max_readers=2))
    first, _ = runs.connect(), runs.connect()
    assert not runs.accepts_readers
    with pytest.raises(Unavailable):
        runs.connect()
    runs.disconnect(first)
    assert runs.accepts_readers
    runs.connect()


def fill(runs: Runs, count: int) -> list[Run]:
    """Add `count` ended runs of about 30 kB each."""
    ended = []
    for _ in range(count):
        ended.append(start(runs, answers(BIG)))
        finish(runs, ended[-1])
    return ended


def test_ended_runs_are_forgotten_when_memory_is_full() -> None:
    runs = RunsWithoutPulse(RunLimits(log_max_bytes=110_000))
    ended = fill(runs, 3)
    finish(runs, start(runs, answers("x")))
    assert [known(runs, run) for run in ended] == [True, True, True]
    finish(runs, start(runs, answers(BIG)))
    finish(runs, start(runs, answers("x")))
    assert [known(runs, run) for run in ended] == [False, True, True]


def test_runs_are_refused_when_active_runs_fill_the_memory() -> None:
    runs, paused = RunsWithoutPulse(RunLimits(log_max_bytes=50_000)), [PausedAnswer(BIG), PausedAnswer(BIG)]
    active = [start(runs, one.provider) for one in paused]
    for one in paused:
        one.wait()
    with pytest.raises(Unavailable, match="memory"):
        runs.start(run_spec(answers("x")))
    for run in active:
        run.stop("user")
        finish(runs, run)
    finish(runs, start(runs, answers("x")))


def known(runs: Runs, run: Run) -> bool:
    try:
        return runs.find(run.id, None) is run
    except NotFound:
        return False


def test_a_reader_of_a_forgotten_run_can_continue() -> None:
    runs = RunsWithoutPulse(RunLimits(log_max_bytes=60_000))
    run = fill(runs, 1)[0]
    reader = runs.attach(run, runs.connect(), None)
    fill(runs, 3)
    assert not known(runs, run)
    assert "done" in bodies(reader.take())[-1]


def test_ended_runs_expire_and_active_ones_do_not() -> None:
    runs, paused = RunsWithoutPulse(RunLimits(expiry_s=600, total_s=1e9)), PausedAnswer()
    active = start(runs, paused.provider, orphan_s=1e9)
    ended = start(runs, answers("x"))
    finish(runs, ended)
    assert ended.ended_at is not None
    runs.run_pulse(ended.ended_at + 599.9)
    assert known(runs, ended)
    runs.run_pulse(ended.ended_at + 600.1)
    assert not known(runs, ended)
    assert known(runs, active)
    active.stop("user")


def test_expired_runs_leave_no_state() -> None:
    runs = RunsWithoutPulse(RunLimits(log_max_bytes=40 * 5_000))
    for _ in range(300):
        finish(runs, start(runs, answers("x")))
    assert len(runs._runs) <= 45
    assert len(runs._active) == 0
    assert runs.memory._ended_bytes == sum(run.size_bytes for run in runs.memory._ended.values())
    last = next(reversed(runs.memory._ended.values()))
    assert last.ended_at is not None
    runs.run_pulse(last.ended_at + 601)
    assert (runs._runs, runs.memory._ended, runs.memory._ended_bytes) == ({}, {}, 0)


def test_a_draining_server_refuses_runs_and_readers() -> None:
    runs = RunsWithoutPulse()
    runs.drain(20.0)
    assert not runs.accepts_runs
    assert not runs.accepts_readers
    with pytest.raises(Unavailable) as refused:
        runs.start(run_spec(answers("x")))
    assert refused.value.code == "draining"


def test_a_run_without_a_thread_fails_and_frees_its_slot(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class NoThread:
        def __init__(self, **_: object) -> None:
            pass

        def start(self) -> None:
            raise RuntimeError("can't start new thread")

    runs = RunsWithoutPulse(RunLimits(max_streams=1))
    with monkeypatch.context() as patch:
        patch.setattr(registry.threading, "Thread", NoThread)
        run = start(runs, answers("x"))
    assert bodies(read(runs, run))[-1]["code"] == "internal"
    assert runs.accepts_runs
    finish(runs, start(runs, answers("x")))


# Connections.


def test_a_connection_is_woken_once_for_each_heartbeat() -> None:
    runs = RunsWithoutPulse(RunLimits(heartbeat_s=10))
    connection = runs.connect()
    now = connection._written_at
    runs.run_pulse(now + 9.9)
    assert not connection.wake.wait(0)
    runs.run_pulse(now + 10.1)
    assert connection.wake.wait(0)
    runs.run_pulse(now + 10.4)
    assert not connection.wake.wait(0)


def test_a_closed_connection_is_detected() -> None:
    runs = RunsWithoutPulse()
    gone = threading.Event()
    connection = runs.connect(gone.is_set)
    runs.run_pulse(connection._written_at + 1)
    assert not connection.gone
    gone.set()
    runs.run_pulse(connection._written_at + 1)
    assert connection.gone
    assert connection.wake.wait(0)


def test_the_pulse_wakes_connections_for_heartbeats() -> None:
    runs = Runs(RunLimits(heartbeat_s=0.05), registry.FramingRules(window_s=0.033), lambda *_: None)
    connection = runs.connect()
    assert connection.wake.wait(TIMEOUT_S)
    assert connection.is_heartbeat_due()
    connection.note_write()
    assert not connection.is_heartbeat_due()


def test_sources_that_come_one_by_one_are_framed_as_they_grow_and_at_the_end() -> None:
    sources = tuple(Source(n=n, title="T") for n in range(1, 101))
    events = [event for n in range(1, 101) for event in (TextDelta("x"), SourcesFound(sources[:n]))]
    runs = RunsWithoutPulse()
    run = start(runs, scripted(*events, Finished("stop")))
    finish(runs, run)
    framed = [
        len(msgspec.json.decode(frame.payload)["sources"])
        for frame in run.log.frames_from(0)
        if frame.kind == "sources"
    ]
    assert framed == [1, 2, 3, 5, 8, 12, 18, 27, 41, 62, 93, 100]
    assert run.log.text_of("text") == "x" * 100


def test_sources_of_an_answer_that_fails_are_framed() -> None:
    sources = tuple(Source(n=n, title="T") for n in range(1, 5))
    events = [SourcesFound(sources[:3]), SourcesFound(sources), UpstreamError("upstream_stalled")]
    runs = RunsWithoutPulse()
    run = start(runs, scripted(*events))
    finish(runs, run)
    assert len(run.log.sources()) == 4


def test_sources_and_notices_of_a_call_are_frames() -> None:
    events = [
        ParameterIgnored("temperature"),
        ModelLoading(),
        TextDelta("Blue [1]."),
        SourcesFound((Source(n=1, title="Sky", source="https://example.org/sky"),)),
        Finished("stop"),
    ]
    runs = RunsWithoutPulse()
    run = start(runs, scripted(*events))
    finish(runs, run)
    log = run.log
    found = [msgspec.json.decode(frame.payload) for frame in log.frames_from(1)]
    assert found[0] == {"notice": {"code": "parameter_ignored", "after_ms": 0, "parameter": "temperature"}}
    assert found[1] == {"notice": {"code": "loading_model", "after_ms": 0}}
    assert found[2] == {"text": "Blue [1]."}
    source = {"n": 1, "title": "Sky", "source": "https://example.org/sky"}
    assert found[3] == {"sources": [source]}
    reset = msgspec.json.decode(log.fold()[2][0].payload)["reset"]
    assert reset["sources"] == [source]

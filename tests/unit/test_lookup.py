"""Two workers with one journal: each finds, reads, joins and stops the runs of the other."""

import threading
import time
from collections.abc import Callable, Iterator

import msgspec
import pytest

from tests.unit.engine import (
    TIMEOUT_S,
    PausedAnswer,
    RunsWithoutPulse,
    answers,
    bodies,
    finish,
    ids,
    read,
    run_spec,
    start,
    text_of,
)
from tests.unit.other_worker import OtherRun
from webapp.errors import Conflict, JournalUnavailable, NotFound, Unavailable
from webapp.frames import Cursor, new_run
from webapp.journal.memory import MemoryJournal
from webapp.runs import follower
from webapp.runs.readers import Delivery, Reader, ReaderConnection
from webapp.runs.remote_run import RemoteRun
from webapp.runs.run import Run
from webapp.runs.run_limits import RunLimits
from webapp.runs.run_spec import RunSpec
from webapp.seams import Provider

LONG_S = 100.0


class Pair:
    def __init__(self, limits: RunLimits | None = None) -> None:
        self.journal = MemoryJournal()
        limits = limits or RunLimits(lease_s=LONG_S)
        self.a = RunsWithoutPulse(limits, journal=self.journal, worker="a")
        self.b = RunsWithoutPulse(limits, journal=self.journal, worker="b")

    def close(self) -> None:
        self.a.close(0.1)
        self.b.close(0.1)


@pytest.fixture
def pair() -> Iterator[Pair]:
    created = Pair()
    yield created
    created.close()


def wait_for(met: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while not met():
        assert time.monotonic() < deadline, what
        time.sleep(0.005)


def conversation_spec(provider: Provider, conversation: str, owner: str = "anna") -> RunSpec:
    return msgspec.structs.replace(run_spec(provider, owner=owner), conversation=conversation)


class Following:
    """A reader that is attached, and what it has received."""

    def __init__(self, runs: RunsWithoutPulse, run: Run | RemoteRun, cursor: Cursor | None = None) -> None:
        self.runs, self.run = runs, run
        self.connection: ReaderConnection = runs.connect()
        self.reader: Reader = runs.attach(run, self.connection, cursor)
        self.found: list[Delivery] = []

    def read_until(self, met: Callable[[], bool]) -> None:
        deadline = time.monotonic() + TIMEOUT_S
        while True:
            self.found += self.reader.take()
            if met():
                return
            assert self.connection.wake.wait(deadline - time.monotonic()), self.found

    def read_to_end(self) -> list[Delivery]:
        self.read_until(lambda: self.reader.ended)
        return self.found

    def leave(self) -> None:
        self.runs.detach(self.run, self.connection)
        self.runs.disconnect(self.connection)


# Reading.


def test_a_run_of_the_other_worker_is_read_like_one_of_its_own(pair: Pair) -> None:
    paused = PausedAnswer("Hel", "lo")
    run = start(pair.a, paused.provider, owner="anna")
    paused.wait()
    remote = pair.b.find(run.id, "anna")
    assert isinstance(remote, RemoteRun)
    there = Following(pair.b, remote)
    there.read_until(lambda: text_of(there.found) == "Hello")
    run.request_stop("user")
    mine = read(pair.a, run)
    theirs = there.read_to_end()
    assert bodies(theirs) == bodies(mine)
    assert ids(theirs) == ids(mine)
    there.leave()


@pytest.mark.parametrize("seq", range(5))
def test_a_reader_resumes_on_the_other_worker(pair: Pair, seq: int) -> None:
    run = start(pair.a, answers("Hel", "lo"), owner="anna")
    finish(pair.a, run)
    remote = pair.b.find(run.id, "anna")
    cursor = Cursor(run.id, 1, seq)
    assert pair.b.has_read_all(remote, cursor) == (seq == 4)
    if seq < 4:
        assert ids(read(pair.b, remote, cursor)) == [(1, number) for number in range(seq + 1, 5)]


def test_a_reader_that_has_read_the_end_elsewhere_has_read_all(pair: Pair) -> None:
    """What this worker has loaded may be older than what the reader has."""
    paused = PausedAnswer("Hel")
    run = start(pair.a, paused.provider, owner="anna")
    paused.wait()
    remote = pair.b.find(run.id, "anna")
    assert not remote.log.closed
    run.request_stop("user")
    finish(pair.a, run)
    assert pair.b.has_read_all(remote, Cursor(run.id, 1, len(run.log)))


def test_only_its_owner_finds_a_run(pair: Pair) -> None:
    run = start(pair.a, answers("x"), owner="anna")
    finish(pair.a, run)
    for owner in ("bert", None):
        for ask in (
            lambda owner=owner: pair.b.find(run.id, owner),
            lambda owner=owner: pair.b.stop(run.id, owner),
            lambda owner=owner: pair.b.find_joinable(run.id, owner, "body"),
            lambda owner=owner: pair.b.start(run_spec(answers("x"), run=run.id, owner=owner)),
        ):
            with pytest.raises(NotFound):
                ask()
    with pytest.raises(NotFound):
        pair.b.find(new_run(), "anna")
    assert pair.b.find(run.id, "anna").log.text_of("text") == "x"


# Starting once.


def test_a_start_joins_the_run_of_the_other_worker(pair: Pair) -> None:
    provider, name = answers("Hello"), new_run()
    run, is_new = pair.a.start(run_spec(provider, run=name, owner="anna"))
    joined, is_new_too = pair.b.start(run_spec(provider, run=name, owner="anna"))
    assert (is_new, is_new_too, joined.id) == (True, False, run.id)
    assert text_of(read(pair.b, joined)) == "Hello"
    assert pair.b.find_joinable(name, "anna", "body") is not None
    for refused in (
        lambda: pair.b.start(run_spec(provider, run=name, owner="anna", fingerprint="other")),
        lambda: pair.b.find_joinable(name, "anna", "other"),
    ):
        with pytest.raises(Conflict):
            refused()
    assert provider.calls == 1
    assert pair.b.find_joinable(new_run(), "anna", "body") is None


def test_of_starts_on_both_workers_at_once_one_calls_the_provider(pair: Pair) -> None:
    for _ in range(20):
        provider, name, barrier = answers("Hello"), new_run(), threading.Barrier(8)
        found: list[str] = []

        def begin(runs: RunsWithoutPulse) -> None:
            barrier.wait(TIMEOUT_S)  # noqa: B023  (the threads end within the loop)
            run, _ = runs.start(run_spec(provider, run=name, owner="anna"))  # noqa: B023
            found.append(text_of(read(runs, run)))  # noqa: B023

        threads = [threading.Thread(target=begin, args=(runs,)) for runs in (pair.a, pair.b) * 4]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(TIMEOUT_S)
        assert found == ["Hello"] * 8
        assert provider.calls == 1


def test_a_joined_run_does_not_count_against_its_caller(pair: Pair) -> None:
    counted: list[str] = []

    def permit() -> Callable[[], None]:
        counted.append("start")
        return lambda: counted.append("end")

    provider, name = answers("Hello"), new_run()
    run, _ = pair.a.start(run_spec(provider, run=name, owner="anna"))
    finish(pair.a, run)
    pair.b.start(msgspec.structs.replace(run_spec(provider, run=name, owner="anna"), permit=permit))
    assert counted == ["start", "end"]
    assert pair.b.accepts_runs


# Stopping.


def test_a_run_of_the_other_worker_is_stopped(pair: Pair) -> None:
    paused = PausedAnswer("Hel")
    run = start(pair.a, paused.provider, owner="anna")
    paused.wait()
    receipt = pair.b.stop(run.id, "anna")
    assert (receipt.state, receipt.finish_reason) == ("cancelled", "cancelled")
    assert paused.aborted.is_set()
    assert pair.a.stop(run.id, "anna").state == "cancelled"


def test_the_runs_of_a_conversation_are_found_and_stopped(pair: Pair) -> None:
    here, there = PausedAnswer("a"), PausedAnswer("b")
    mine, _ = pair.b.start(conversation_spec(here.provider, "mine"))
    theirs, _ = pair.a.start(conversation_spec(there.provider, "theirs"))
    here.wait()
    there.wait()
    assert pair.b.find_running("theirs", "anna") == theirs.id
    assert pair.b.find_running("mine", "anna") == mine.id
    assert pair.b.list_running("anna") == {"mine": mine.id, "theirs": theirs.id}
    assert pair.b.list_running("bert") == {}
    assert pair.b.find_running("theirs", "bert") is None
    assert (pair.b.is_running(theirs.id), pair.b.is_running(mine.id)) == (True, True)
    found = pair.b.find_in_conversation(theirs.id, "theirs")
    assert found is not None
    assert (found.id, found.ended_at) == (theirs.id, None)
    assert pair.b.find_in_conversation(theirs.id, "mine") is None
    pair.b.stop_all("theirs", "anna")
    wait_for(lambda: theirs.ended_at is not None, "the run of the other worker was not stopped")
    wait_for(lambda: not pair.b.is_running(theirs.id), "an ended run is running")
    assert pair.b.list_running("anna") == {"mine": mine.id}
    ended = pair.b.find_in_conversation(theirs.id, "theirs")
    assert ended is not None
    assert (ended.receipt().state, ended.log.text_of("text")) == ("cancelled", "a" if ended is mine else "b")
    mine.stop("user")


@pytest.mark.parametrize("read_elsewhere", [True, False])
def test_the_last_reader_stops_a_run_unless_it_is_read_elsewhere(pair: Pair, read_elsewhere: bool) -> None:
    paused = PausedAnswer("a")
    run = start(pair.a, paused.provider, owner="anna", orphan_s=0.5)
    paused.wait()
    mine = Following(pair.a, run)
    theirs = Following(pair.b, pair.b.find(run.id, "anna")) if read_elsewhere else None
    if theirs is not None:
        wait_for(lambda: marked_after_s(pair, run.id) > 0.3, "the run was not marked as read")
    pair.a.detach(run, mine.connection, stop=True)
    if theirs is not None:
        wait_for(lambda: run.log.idle_since > time.monotonic(), "the reader elsewhere was not noticed")
        assert run.ended_at is None
        theirs.leave()
    wait_for(lambda: run.ended_at is not None, "the run was not stopped")
    assert finish(pair.a, run)["by"] == "orphan"
    pair.a.disconnect(mine.connection)


def marked_after_s(pair: Pair, run: str) -> float:
    """Return how long after its begin a run was last marked as read."""
    row = pair.journal.find(run)
    assert row is not None
    return row.read_at - row.began_at


# Owners.


def test_a_change_of_owner_is_noticed_by_the_run_s_worker(pair: Pair) -> None:
    paused = PausedAnswer("a")
    run = start(pair.a, paused.provider, owner="visitor")
    paused.wait()
    assert pair.b.find(run.id, "visitor").id == run.id
    pair.b.change_owner("visitor", "anna")
    for runs in (pair.a, pair.b):
        assert runs.find(run.id, "anna").id == run.id
        with pytest.raises(NotFound):
            runs.find(run.id, "visitor")
    run.stop("user")


# Lost runs.


def test_the_readers_of_a_lost_run_go_on_with_the_other_worker_s_answer(pair: Pair) -> None:
    paused = PausedAnswer("Hel", "lo wor")
    run = start(pair.a, paused.provider, owner="anna")
    paused.wait()
    mine = Following(pair.a, run)
    mine.read_until(lambda: text_of(mine.found) == "Hello wor")
    wait_for(lambda: pair.journal.find(run.id).last_seq == 3, "not stored")  # type: ignore[union-attr]
    other = OtherRun.take(pair.journal, run.id, "third", "Hello")
    other.say(" you")
    run.lose()
    mine.read_until(lambda: text_of(mine.found) == "Hello you")
    assert pair.a.find(run.id, "anna") is not run
    late = Following(pair.a, run)  # found before the run was lost
    other.end()
    assert text_of(mine.read_to_end()) == "Hello you"
    assert [next(iter(body)) for body in bodies(mine.found)].count("done") == 1
    assert text_of(late.read_to_end()) == "Hello you"
    mine.leave()
    late.leave()


# Bounds.


def test_runs_of_other_workers_count_as_memory() -> None:
    pair = Pair(RunLimits(lease_s=LONG_S, log_max_bytes=50_000))
    large, small = OtherRun(pair.journal, "x" * 60_000), OtherRun(pair.journal, "a")
    following = Following(pair.b, pair.b.find(large.id, "anna"))
    for refused in (
        lambda: pair.b.start(run_spec(answers("x"), owner="anna")),
        lambda: pair.b.find(small.id, "anna"),
        lambda: pair.b.memory.reserve(1),
    ):
        with pytest.raises(Unavailable) as error:
            refused()
        assert error.value.code == "full"
    following.leave()
    assert pair.b.find(small.id, "anna").log.text_of("text") == "a"
    finish(pair.b, start(pair.b, answers("x"), owner="anna"))
    pair.close()


def test_readers_of_a_run_that_the_journal_has_lost_connect_again(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower, "_MISSING_S", 0.1)
    other = OtherRun(pair.journal, "a")
    run = pair.b.find(other.id, "anna")
    reading = Following(pair.b, run)
    elsewhere = pair.b.connect()
    with pair.journal._changed:
        del pair.journal._runs[run.id]
    reading.read_until(lambda: reading.connection.must_reconnect)
    assert not elsewhere.must_reconnect
    with pytest.raises(NotFound):
        pair.b.find(other.id, "anna")
    reading.leave()


def test_without_the_journal_own_runs_go_on(pair: Pair) -> None:
    other = OtherRun(pair.journal, "a", conversation="c")
    pair.journal.condition = "away"
    with pytest.raises(JournalUnavailable):
        pair.b.find(other.id, "anna")
    with pytest.raises(JournalUnavailable):
        pair.b.find_in_conversation(other.id, "c")
    assert pair.b.find_joinable(other.id, "anna", "body") is None
    assert pair.b.find_running("c", "anna") is None
    assert pair.b.list_running("anna") == {}
    pair.b.stop_all("c", "anna")
    run = start(pair.b, answers("x"), owner="anna")
    assert text_of(read(pair.b, run)) == "x"

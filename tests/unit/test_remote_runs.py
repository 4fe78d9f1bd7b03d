"""The runs of other workers that a worker knows: loading, keeping and forgetting them."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from tests.unit.engine import TIMEOUT_S
from tests.unit.other_worker import DONE, OtherRun
from webapp.errors import Conflict, JournalUnavailable, NotFound, Unavailable
from webapp.frames import Cursor, new_run
from webapp.journal.memory import MemoryJournal
from webapp.offload import Wake
from webapp.runs.remote_run import RemoteRun
from webapp.runs.remote_runs import RemoteRuns


class Known:
    """What a worker knows of another's runs."""

    def __init__(self, max_runs: int = 100) -> None:
        self.journal = MemoryJournal()
        self.full = False
        self.missing: list[RemoteRun] = []
        self.runs = RemoteRuns(self.journal, "me", max_runs, self._reserve, self.missing.append)
        self.read: list[tuple[RemoteRun, Wake]] = []

    def _reserve(self) -> None:
        if self.full:
            raise Unavailable("full", code="full")

    def load(self, other: OtherRun) -> RemoteRun:
        run = self.runs.find(other.id)
        assert run is not None
        return self.runs.load(run)

    def attach(self, run: RemoteRun, cursor: Cursor | None = None) -> None:
        wake = Wake()
        run.log.subscribe(wake)
        self.read.append((run, wake))
        self.runs.follow(run, cursor)

    def detach(self) -> None:
        for run, wake in self.read:
            run.log.unsubscribe(wake)
        self.read.clear()


@pytest.fixture
def known() -> Iterator[Known]:
    made = Known()
    yield made
    made.detach()


def wait_for(met: Callable[[], bool]) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while not met():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_an_unknown_run_is_not_found(known: Known) -> None:
    assert known.runs.find(new_run()) is None
    assert known.runs.find("no run id") is None
    assert known.runs.find_row("x" * 100) is None
    assert not known.runs.is_running(new_run())


def test_a_run_is_loaded_once_and_shared_by_its_readers(known: Known) -> None:
    other = OtherRun(known.journal, "Hel", "lo")
    run = known.load(other)
    assert run.log.text_of("text") == "Hello"
    assert known.load(other) is run
    assert known.runs.find(other.id) is run
    assert known.runs.size_bytes == run.size_bytes > 0


def test_a_run_is_found_without_loading_it(known: Known) -> None:
    other = OtherRun(known.journal, "Hello")
    run = known.runs.find(other.id)
    assert run is not None
    assert (len(run.log), known.runs.size_bytes) == (0, 0)


def test_a_reader_is_served_from_then_on(known: Known) -> None:
    other = OtherRun(known.journal, "Hel")
    run = known.load(other)
    known.attach(run)
    other.say("lo")
    wait_for(lambda: run.log.text_of("text") == "Hello")
    row = known.journal.find(other.id)
    assert row is not None
    wait_for(lambda: (known.journal.find(other.id) or row).read_at > row.began_at)


def test_a_reader_that_comes_back_gets_what_was_said_meanwhile(known: Known) -> None:
    other = OtherRun(known.journal, "a")
    run = known.load(other)
    known.attach(run)
    known.detach()
    other.say("b")
    run.read_at = 0.0
    known.attach(run, Cursor(other.id, 1, 2))
    assert run.log.text_of("text") == "ab"


def test_runs_that_nobody_reads_are_forgotten(known: Known) -> None:
    read, unread = OtherRun(known.journal, "a"), OtherRun(known.journal, "b")
    kept, forgotten = known.load(read), known.load(unread)
    known.attach(kept)
    known.runs.expire(forgotten.log.idle_since + 4.9)
    assert known.runs.find(unread.id) is forgotten
    known.runs.expire(forgotten.log.idle_since + 5.1)
    assert known.runs.find(unread.id) is not forgotten
    assert known.runs.find(read.id) is kept
    known.runs.forget_unread()
    assert known.runs.size_bytes == kept.size_bytes


def test_a_run_that_was_forgotten_meanwhile_is_kept_for_its_reader(known: Known) -> None:
    other = OtherRun(known.journal, "a")
    run = known.load(other)
    known.runs.forget_unread()
    known.attach(run)
    assert known.runs.find(other.id) is run


def test_nothing_is_loaded_while_memory_is_full(known: Known) -> None:
    other = OtherRun(known.journal, "a")
    known.full = True
    with pytest.raises(Unavailable, match="full"):
        known.load(other)
    assert known.runs.size_bytes == 0


def test_the_number_of_runs_is_bounded() -> None:
    known = Known(max_runs=2)
    others = [OtherRun(known.journal, "a") for _ in range(3)]
    first, second = known.load(others[0]), known.load(others[1])
    known.attach(first)
    known.attach(second)
    with pytest.raises(Unavailable) as refused:
        known.load(others[2])
    assert (refused.value.code, refused.value.status) == ("full", 503)
    known.detach()
    known.load(others[2])


def test_a_journal_that_is_away_is_not_asked(known: Known) -> None:
    other = OtherRun(known.journal, "a", conversation="c")
    known.journal.condition = "away"
    for ask in (
        lambda: known.runs.find(other.id),
        lambda: known.runs.find_row(other.id),
        lambda: known.runs.find_ended_or_running(other.id),
    ):
        with pytest.raises(JournalUnavailable):
            ask()
    assert not known.runs.is_running(other.id)
    assert known.runs.list_running("anna") == []


def test_running_runs_are_told_from_ended_ones(known: Known) -> None:
    other = OtherRun(known.journal, "a", conversation="c")
    assert known.runs.is_running(other.id)
    found = known.runs.find_ended_or_running(other.id)
    assert found is not None
    assert (found.ended_at, len(found.log)) == (None, 0)
    known.load(other)
    assert known.runs.is_running(other.id)
    known.runs.forget_unread()
    other.end()
    assert not known.runs.is_running(other.id)
    ended = known.runs.find_ended_or_running(other.id)
    assert ended is not None
    assert (ended.state, ended.log.text_of("text")) == ("done", "a")
    assert not known.runs.is_running(other.id)


def test_a_stop_is_passed_on(known: Known) -> None:
    other = OtherRun(known.journal, "a", conversation="c")
    [row] = known.runs.list_running("anna", "c")
    known.runs.request_stop(row)
    assert known.journal.find_stops("other") == {other.id: "user"}


def test_only_the_same_request_joins_a_run(known: Known) -> None:
    other = OtherRun(known.journal, "a")
    row = known.journal.find(other.id)
    assert row is not None
    with pytest.raises(NotFound):
        known.runs.join(row, "bert", "body")
    with pytest.raises(Conflict):
        known.runs.join(row, "anna", "another body")
    assert known.runs.join(row, "anna", "body").log.text_of("text") == "a"


def test_a_run_changes_its_owner(known: Known) -> None:
    run = known.load(OtherRun(known.journal, "a"))
    known.runs.change_owner("anna", "bert")
    assert run.owner == "bert"


def test_a_run_that_expires_while_it_is_loaded_is_not_found(known: Known) -> None:
    other = OtherRun(known.journal, "a")
    run = known.runs.find(other.id)
    assert run is not None
    other.end()
    known.journal.expire(0.0)
    with pytest.raises(NotFound):
        known.runs.load(run)


def test_the_text_of_a_temporary_run_is_with_its_worker(known: Known) -> None:
    other = OtherRun(known.journal, "a", owner=None)
    with pytest.raises(Unavailable) as refused:
        known.load(other)
    assert (refused.value.code, refused.value.retry_after_s) == ("elsewhere", 1)
    run = known.runs.find(other.id)
    assert run is not None
    run.request_stop("user")
    assert known.journal.find_stops("other") == {other.id: "user"}
    own = OtherRun(known.journal, "a", owner=None, worker="me")
    assert known.runs.find(own.id) is None
    other.move("third", "")
    other.end(DONE)
    assert known.load(other).log.closed


def test_a_run_that_this_worker_takes_over_is_no_longer_read(known: Known) -> None:
    other = OtherRun(known.journal, "a")
    run = known.load(other)
    known.attach(run)
    log = known.runs.hand_over(other.id)
    assert log is run.log
    assert log.readers == 1
    assert known.runs.hand_over(other.id) is None
    other.say("b")
    assert run.catch_up()
    run.apply(known.journal.read({other.id: run.cursor}, 1_000)[other.id])
    known.runs.follow(run, None)
    assert (log.text_of("text"), known.runs.size_bytes) == ("a", 0)
    wait_for(lambda: not any(thread.name == "freshet-follower" for thread in threading.enumerate()))

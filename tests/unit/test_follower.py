"""The thread that reads the journal for all remote runs with readers."""

import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

import pytest

from tests.unit.engine import TIMEOUT_S, text_of
from tests.unit.other_worker import OtherRun
from webapp.errors import JournalUnavailable
from webapp.journal.memory import MemoryJournal
from webapp.journal_records import JournalCursor, JournalUpdate
from webapp.offload import Wake
from webapp.runs import follower
from webapp.runs.follower import Follower
from webapp.runs.readers import Reader
from webapp.runs.remote_run import RemoteRun
from webapp.seams import JournalKind


class CountingJournal(MemoryJournal):
    """Counts the reads and what they ask for, and can be away."""

    def __init__(self) -> None:
        super().__init__()
        self.reads: list[set[str]] = []
        self.marked: list[set[str]] = []
        self.away = False

    def read(
        self, cursors: Mapping[str, JournalCursor], limit_bytes: int, wait_s: float = 0.0
    ) -> Mapping[str, JournalUpdate]:
        self.reads.append(set(cursors))
        if self.away:
            raise JournalUnavailable
        return super().read(cursors, limit_bytes, wait_s)

    def mark_read(self, runs: Collection[str]) -> None:
        self.marked.append(set(runs))
        super().mark_read(runs)


def wait_for(met: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while not met():
        assert time.monotonic() < deadline, what
        time.sleep(0.005)


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "freshet-follower"]


@pytest.fixture(autouse=True)
def no_thread_left() -> Iterator[None]:
    yield
    wait_for(lambda: not threads(), "the follower's thread did not end")


class Scene:
    """A journal with runs of another worker, and a follower of those that are read."""

    def __init__(self) -> None:
        self.journal = CountingJournal()
        self.missing: list[RemoteRun] = []
        self.follower = Follower(self.journal, self.missing.append)
        self.wakes: list[tuple[RemoteRun, Wake]] = []

    def run(self, *texts: str) -> tuple[OtherRun, RemoteRun]:
        other = OtherRun(self.journal, *texts)
        row = self.journal.find(other.id)
        assert row is not None
        return other, RemoteRun.from_row(self.journal, row)

    def read(self, run: RemoteRun) -> Wake:
        wake = Wake()
        run.log.subscribe(wake)
        self.wakes.append((run, wake))
        self.follower.follow(run)
        return wake

    def leave(self) -> None:
        for run, wake in self.wakes:
            run.log.unsubscribe(wake)


@pytest.fixture
def scene() -> Iterator[Scene]:
    made = Scene()
    yield made
    made.leave()


def test_a_run_is_followed_to_its_end(scene: Scene) -> None:
    other, run = scene.run("Hel")
    wake = scene.read(run)
    reader = Reader(run.log, None, resumable=True)
    other.say("lo")
    other.move("third", "Hello")
    other.say(" you")
    other.end()
    found = []
    while not reader.ended:
        new = reader.take()
        if not new:
            assert wake.wait(TIMEOUT_S)
        found += new
    assert text_of(found) == "Hello you"
    wait_for(lambda: not threads(), "the follower's thread did not end")


def test_all_runs_are_read_by_one_call(scene: Scene) -> None:
    pairs = [scene.run(str(number)) for number in range(5)]
    for _, run in pairs:
        scene.read(run)
    names = {run.id for _, run in pairs}
    wait_for(lambda: scene.journal.reads[-1] == names, "no read of all runs")
    assert len(threads()) == 1
    for other, _ in pairs:
        other.say("!")
    wait_for(lambda: all(run.log.text_of("text").endswith("!") for _, run in pairs), "not all were read")


@pytest.mark.parametrize(
    ("kind", "pause_s"), [("memory", 0.05), ("sqlite", 0.05), ("postgres", 0.02), ("redis", 0.005)]
)
def test_a_stream_of_frames_is_not_read_too_often(scene: Scene, kind: JournalKind, pause_s: float) -> None:
    scene.journal.kind = kind
    other, run = scene.run()
    scene.read(run)
    began, before = time.monotonic(), len(scene.journal.reads)
    while time.monotonic() - began < 0.6:
        other.say("x")
        time.sleep(0.005)
    reads = len(scene.journal.reads) - before
    assert 2 <= reads <= (time.monotonic() - began) / pause_s + 2


def test_runs_without_readers_are_not_read(scene: Scene) -> None:
    _, run = scene.run("a")
    _, other_run = scene.run("b")
    wake = scene.read(run)
    scene.read(other_run)
    run.log.unsubscribe(wake)
    wait_for(lambda: scene.journal.reads[-1] == {other_run.id}, "both are still read")
    scene.leave()
    wait_for(lambda: not threads(), "the follower's thread did not end")
    count = len(scene.journal.reads)
    wake = scene.read(run)
    wait_for(lambda: len(scene.journal.reads) > count, "a reader that came back is not served")


def test_the_journal_is_told_once_a_second_that_runs_are_read(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, run = scene.run("a")
    scene.read(run)
    wait_for(lambda: scene.journal.marked == [{run.id}], "the run was not marked")
    other.say("b")
    wait_for(lambda: run.log.text_of("text") == "ab", "not read")
    assert scene.journal.marked == [{run.id}]
    scene.follower._mark_at = 0.0  # a second later
    wait_for(lambda: len(scene.journal.marked) == 2, "the run was not marked again")


def test_nothing_is_lost_while_the_journal_is_away(scene: Scene) -> None:
    other, run = scene.run("a")
    scene.read(run)
    wait_for(lambda: run.log.text_of("text") == "a", "not read")
    scene.journal.away = True
    count = len(scene.journal.reads)
    other.say("b")
    wait_for(lambda: len(scene.journal.reads) >= count + 2, "not tried again")
    assert run.log.text_of("text") == "a"
    other.say("c")
    scene.journal.away = False
    wait_for(lambda: run.log.text_of("text") == "abc", "not read after the outage")


def test_an_unexpected_error_does_not_end_the_thread(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follower, "_MAX_PAUSE_S", 0.05)
    other, run = scene.run("a")
    failed = threading.Event()

    def fail(*_: Any, **__: Any) -> Any:
        failed.set()
        raise RuntimeError("a bug")

    with monkeypatch.context() as patch:
        patch.setattr(scene.journal, "read", fail)
        scene.read(run)
        assert failed.wait(TIMEOUT_S)
    other.say("b")
    wait_for(lambda: run.log.text_of("text") == "ab", "the thread has ended")


def test_a_run_that_the_journal_has_lost_is_given_up(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follower, "_MISSING_S", 0.2)
    _, run = scene.run("a")
    scene.read(run)
    wait_for(lambda: run.log.text_of("text") == "a", "not read")
    with scene.journal._changed:
        del scene.journal._runs[run.id]
    wait_for(lambda: scene.missing == [run], "the run was not given up")


def test_more_runs_than_one_call_may_have_are_read(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follower, "MAX_IDS", 2)
    pairs = [scene.run(str(number)) for number in range(5)]
    for _, run in pairs:
        scene.read(run)
    wait_for(
        lambda: [run.log.text_of("text") for _, run in pairs] == ["0", "1", "2", "3", "4"],
        "not all were read",
    )
    assert max(map(len, scene.journal.reads)) == 2

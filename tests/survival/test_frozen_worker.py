"""A worker that is frozen loses its runs to another; readers of both see one answer, also those of the thawed worker."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.answers import new_run
from tests.faults.conversations import Person
from tests.support.dialects import DONE, openai, openai_delta, openai_finish
from tests.support.probe.killing import KillFile
from tests.support.promises import check_promises
from tests.support.script import STALL, Answer, Step
from tests.support.server import Server
from tests.support.sse import SseReader
from tests.survival.workers import Workers

SETTINGS = {"FRESHET_LEASE_S": "1", "FRESHET_HEARTBEAT_S": "1"}
TAKEN_S = 20.0
CHECK_S = 0.01


@pytest.fixture
def file(tmp_path: Path) -> KillFile:
    return KillFile(tmp_path / "freeze")


@pytest.fixture(params=["sqlite", "postgres"])
def workers(request: pytest.FixtureRequest, file: KillFile) -> Iterator[Workers]:
    url = request.getfixturevalue("postgres").new_url() if request.param == "postgres" else None
    with Workers(SETTINGS | {"KILL_FILE": str(file.path)}, database_url=url) as running:
        yield running


def test_what_a_frozen_worker_saves_once_it_is_thawed_changes_nothing(
    workers: Workers, file: KillFile
) -> None:
    """It is frozen between its last look at its lease and its write to the store."""
    complete = threading.Event()

    def first() -> Iterator[Step]:
        yield openai_delta("Hello there")
        assert complete.wait(TAKEN_S)
        yield from (*openai_finish(), DONE)

    workers.provider.play([Answer(steps=first), Answer(steps=openai([" you"]))])
    anna = Person(workers.first, workers.cookie())
    conversation, run, frozen = new_run(), new_run(), workers.first.worker
    file.arm("answer complete, not saved", run, signal.SIGSTOP)
    try:
        with (
            anna.start(conversation, run=run) as own,
            SseReader(workers.second.address, f"/stream/{run}", headers=anna.headers) as other,
        ):
            own.read_text(11)
            other.read_text(11)
            complete.set()
            readings = [check_promises(other.read_to_end())]
            assert file.find_struck() is not None
            os.kill(frozen, signal.SIGCONT)
            readings.append(check_promises(own.read_to_end()))
    finally:
        complete.set()
        os.kill(frozen, signal.SIGCONT)
    assert [reading.text for reading in readings] == ["Hello there you"] * 2
    for server in (workers.first, workers.second):
        assert Person(server, anna.headers).texts(conversation) == ["Well?", "Hello there you"]


@pytest.mark.parametrize("watched", [True, False], ids=["with a reader there", "without"])
def test_a_frozen_worker_s_answer_goes_on_elsewhere(workers: Workers, watched: bool) -> None:
    workers.provider.play(
        [Answer(steps=[openai_delta("Hello"), openai_delta(" there"), STALL]), Answer(steps=openai([" you"]))]
    )
    anna = Person(workers.first, workers.cookie())
    conversation, run, frozen = new_run(), new_run(), workers.first.worker
    readers: list[SseReader] = []
    try:
        with anna.start(conversation, run=run) as own:
            own.read_text(11)
            readers.append(own)
            if watched:
                readers.append(SseReader(workers.second.address, f"/stream/{run}", headers=anna.headers))
                readers[-1].read_text(11)
            else:  # what the journal does not have yet would not be continued
                with SseReader(workers.second.address, f"/stream/{run}", headers=anna.headers) as brief:
                    brief.read_text(11)
            os.kill(frozen, signal.SIGSTOP)
            workers.provider.wait_calls(2, TAKEN_S)
            if not watched:
                readers.append(SseReader(workers.second.address, f"/stream/{run}", headers=anna.headers))
            readings = [check_promises(readers[-1].read_to_end())]
            os.kill(frozen, signal.SIGCONT)
            readings.append(check_promises(own.read_to_end()))
    finally:
        os.kill(frozen, signal.SIGCONT)
        for reader in readers:
            reader.drop()
    for reading in readings:
        assert reading.text == "Hello there you"
        assert reading.terminal is not None
        assert reading.terminal["finish_reason"] == "stop"
    workers.provider.wait_closed()
    assert len(workers.provider.calls) == 2
    for server in (workers.first, workers.second):
        person = Person(server, anna.headers)
        assert person.texts(conversation) == ["Well?", "Hello there you"]
        assert person.conversation(conversation)["run"] is None


def says_hello(reader: SseReader) -> bool:
    """Return whether a reader has the text, which comes in a `reset` after a takeover."""
    return any("Hello" in (frame.get("text"), frame.get("reset", {}).get("text")) for frame in reader.frames)


def read_elsewhere(server: Server, run: str, person: Person) -> SseReader:
    """Read a run at another server, which may still think that the journal is away: the frozen worker has held its lock."""
    until = time.monotonic() + TAKEN_S
    while True:
        reader = SseReader(server.address, f"/stream/{run}", headers=person.headers)
        if reader.status != 503 or time.monotonic() > until:
            return reader
        reader.drop()
        time.sleep(CHECK_S)


@pytest.mark.parametrize("frozen_s", [1.2, 2.5], ids=["longer than a call may take", "longer than the lease"])
def test_a_run_whose_worker_froze_while_it_was_stored_is_known_to_all(
    workers: Workers, file: KillFile, frozen_s: float
) -> None:
    """When the worker is thawed all its timers fire at once, before the results that have come meanwhile are read."""
    answer = Answer(steps=[openai_delta("Hello"), STALL])
    workers.provider.play([answer, answer])  # it may be taken over
    anna = Person(workers.first, workers.cookie())
    run, frozen = new_run(), workers.first.worker
    file.arm("run written, not committed", run, signal.SIGSTOP)

    def thaw() -> None:
        while file.find_struck() is None and not is_over.wait(CHECK_S):
            pass
        is_over.wait(frozen_s)
        os.kill(frozen, signal.SIGCONT)

    is_over = threading.Event()
    thawing = threading.Thread(target=thaw)
    thawing.start()
    try:
        with anna.start(new_run(), run=run) as own:
            assert own.read_until(lambda: says_hello(own)), own.frames
            assert file.find_struck() is not None
            with read_elsewhere(workers.second, run, anna) as other:
                assert other.read_until(lambda: says_hello(other)), other.frames
            anna.do("POST", f"/stream/{run}/stop")
    finally:
        is_over.set()
        thawing.join()

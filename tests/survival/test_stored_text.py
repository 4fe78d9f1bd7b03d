"""What a conversation has of an answer whose worker was killed: all that readers had seen a second before, whoever else was away."""

import os
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.faults.answers import new_run
from tests.faults.conversations import Person
from tests.support.dialects import DONE, openai_delta, openai_finish
from tests.support.script import Answer, Step
from tests.support.server import wait_for
from tests.support.sse import SseReader
from tests.survival.workers import Workers

SETTINGS = {"FRESHET_LEASE_S": "1", "FRESHET_TAKEOVER": "off"}
BEHIND_S = 1.0
BUSY_S = 1.5  # for a write of a worker on a busy machine
TAKEN_S = 30.0
PACE_S = 0.1


@pytest.fixture(params=["sqlite", "postgres"])
def workers(request: pytest.FixtureRequest) -> Iterator[Workers]:
    url = request.getfixturevalue("postgres").new_url() if request.param == "postgres" else None
    with Workers(SETTINGS, database_url=url) as running:
        yield running


def slowly() -> Iterator[Step]:
    for number in range(300):
        yield openai_delta(f"{number} ")
        yield PACE_S
    yield from (*openai_finish(), DONE)


def read_for(reader: SseReader, seconds: float) -> None:
    until = time.monotonic() + seconds
    reader.read_until(lambda: time.monotonic() > until)


def text_before(reader: SseReader, at: float) -> str:
    """Return what a reader had seen at a moment."""
    return "".join(one.frame.get("text", "") for one in reader.received if one.at <= at)


@contextmanager
def journal_away(workers: Workers) -> Iterator[None]:
    """Lock the journal's file, as a process does that writes for a long time."""
    connection = sqlite3.connect(workers.folder / "journal.db", isolation_level=None, timeout=10)
    connection.execute("BEGIN EXCLUSIVE")
    yield
    connection.execute("ROLLBACK")
    connection.close()


def check_stored(workers: Workers, anna: Person, conversation: str, run: str, seen: str) -> None:
    """Wait until the answer has ended in its conversation, and check that it has what was seen."""
    second = Person(workers.second, anna.headers)

    def answer() -> dict[str, object]:
        found: dict[str, object] = second.conversation(conversation)["messages"][run]
        return found

    wait_for(lambda: answer().get("state") == "interrupted", TAKEN_S, "the end of the answer")
    text = second.texts(conversation)[-1]
    assert text.startswith(seen), (text, seen)
    assert text == "".join(f"{number} " for number in range(len(text.split())))


def test_the_conversation_of_a_killed_worker_s_answer_has_what_was_read(workers: Workers) -> None:
    workers.provider.play(Answer(steps=slowly))
    anna, conversation, run = Person(workers.first, workers.cookie()), new_run(), new_run()
    with anna.start(conversation, run=run) as reader:
        read_for(reader, 2.5)
        killed_at = time.monotonic()
        os.kill(workers.first.worker, signal.SIGKILL)
        seen = text_before(reader, killed_at - BEHIND_S)
        assert len(seen.split()) > 5
        check_stored(workers, anna, conversation, run, seen)
        reader.drop()


@pytest.mark.parametrize("workers", ["sqlite"], indirect=True)
def test_it_has_that_even_if_the_journal_was_away_before(workers: Workers) -> None:
    workers.provider.play(Answer(steps=slowly))
    anna, conversation, run = Person(workers.first, workers.cookie()), new_run(), new_run()
    with anna.start(conversation, run=run) as reader:
        read_for(reader, 0.5)
        with journal_away(workers):
            read_for(reader, 4.0)
            killed_at = time.monotonic()
            os.kill(workers.first.worker, signal.SIGKILL)
        seen = text_before(reader, killed_at - BEHIND_S - BUSY_S)
        assert len(seen.split()) > 10
        check_stored(workers, anna, conversation, run, seen)
        reader.drop()

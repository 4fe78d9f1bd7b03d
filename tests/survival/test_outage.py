"""The journal is away for a while: readers of other workers wait with heartbeats, and nothing is lost."""

import json
import sqlite3
import time
from collections.abc import Iterator

import pytest

from tests.faults.answers import new_run
from tests.faults.conversations import Gated
from tests.support.dialects import openai
from tests.support.postgres import Postgres
from tests.support.promises import check_promises
from tests.support.rawhttp import request
from tests.support.script import Answer
from tests.support.sse import SseReader
from tests.survival.workers import Workers

SETTINGS = {"FRESHET_HEARTBEAT_S": "1"}


@pytest.fixture
def database() -> Iterator[Postgres]:
    """A Postgres that the test stops and starts."""
    with Postgres() as server:
        yield server


def test_a_reader_waits_for_a_locked_file() -> None:
    with Workers(SETTINGS) as workers, Gated("Hello", " there", " you") as gated:
        workers.provider.play(gated.answer)
        anna, run = workers.cookie(), new_run()
        with SseReader(workers.first.address, body={"query": "hi", "run": run}, headers=anna) as own:
            gated.open(1)
            own.read_text(5)
            with SseReader(workers.second.address, f"/stream/{run}", headers=anna) as other:
                other.read_text(5)
                lock = sqlite3.connect(workers.folder / "journal.db", isolation_level=None)
                lock.execute("BEGIN EXCLUSIVE")
                gated.open(2)
                assert own.read_text(11) == "Hello there"
                beats = len(other.comments)
                other.read_until(lambda: len(other.comments) >= beats + 2)
                lock.execute("ROLLBACK")
                lock.close()
                gated.open()
                assert check_promises(other.read_to_end()).text == "Hello there you"
            assert check_promises(own.read_to_end()).text == "Hello there you"


def test_readers_and_runs_survive_a_restart_of_postgres(database: Postgres) -> None:
    with (
        Workers(SETTINGS, database_url=database.new_url(), dirty_log=True) as workers,
        Gated("Hello", " there", " you") as gated,
    ):
        workers.provider.play(gated.answer)
        anna, run = workers.cookie(), new_run()
        with SseReader(workers.first.address, body={"query": "hi", "run": run}, headers=anna) as own:
            gated.open(1)
            own.read_text(5)
            with SseReader(workers.second.address, f"/stream/{run}", headers=anna) as other:
                other.read_text(5)
                database.stop()
                gated.open(2)
                assert own.read_text(11) == "Hello there"
                beats = len(other.comments)
                other.read_until(lambda: len(other.comments) >= beats + 3)
                began = time.monotonic()
                status, headers, reply = request(
                    workers.second.address, "GET", f"/stream/{new_run()}", None, anna
                )
                assert time.monotonic() - began < 3.0
                assert (status, json.loads(reply)["error"]["code"]) == (503, "journal_away")
                assert "retry-after" in headers
                database.start()
                gated.open()
                assert check_promises(other.read_to_end()).text == "Hello there you"
            assert check_promises(own.read_to_end()).text == "Hello there you"


def test_answers_begin_while_the_journal_is_away(database: Postgres) -> None:
    with Workers(SETTINGS, database_url=database.new_url(), dirty_log=True) as workers:
        workers.provider.play(Answer(steps=openai(["Hello"])))
        anna = workers.cookie()
        database.stop()
        for server in (workers.first, workers.second):
            with SseReader(server.address, body={"query": "hi"}, headers=anna) as reader:
                assert check_promises(reader.read_to_end()).text == "Hello"
        database.start()

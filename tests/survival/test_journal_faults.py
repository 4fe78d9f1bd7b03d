"""A journal that is locked, gone, damaged or frozen while answers go on, on real gunicorn: nobody notices but the operator."""

import itertools
import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.faults.answers import KEY, SECRET_KEY, answered, new_run
from tests.faults.conversations import Gated, Person
from tests.support.dialects import openai, openai_delta
from tests.support.fake_provider import FakeProvider
from tests.support.postgres import Postgres
from tests.support.script import STALL, Answer
from tests.support.server import Server, wait_for
from tests.support.sse import SseReader
from webapp.journal.database import DatabaseJournal
from webapp.journal_records import JournalCursor, JournalRun
from webapp.seams import Journal
from webapp.store.database import Database

TIMEOUT_S = 15.0
LEASE_S = 1.0
TIMELY_S = 1.6  # the longest that a request or an end may take while the journal is away
PACE_S = 0.05
ENV = {"OPENAI_API_KEY": KEY, "SECRET_KEY": SECRET_KEY, "FRESHET_LEASE_S": str(LEASE_S)}


@pytest.fixture
def provider() -> Iterator[FakeProvider]:
    with FakeProvider() as fake:
        yield fake


@pytest.fixture
def server(provider: FakeProvider) -> Iterator[Server]:
    with Server(ENV | {"OPENAI_BASE_URL": f"{provider.url}/v1"}, secrets=(KEY, SECRET_KEY)) as running:
        yield running


@contextmanager
def journal_of(server: Server, url: str | None = None) -> Iterator[Journal]:
    """Open the server's journal as another worker does."""
    journal = DatabaseJournal(url, str(server.folder / "data"), 10.0)
    yield journal
    journal.close()


def row_of(journal: Journal, run: str) -> JournalRun:
    row = journal.find(run)
    assert row is not None, f"{run} is not in the journal"
    return row


def stored_text(journal: Journal, run: str) -> str:
    """Return the text of a run in the journal."""
    update = journal.read({run: JournalCursor()}, 10**8).get(run)
    text = ""
    for frame in [] if update is None else [*update.reset, *update.frames]:
        body = json.loads(frame.payload)
        text = body["reset"]["text"] if "reset" in body else text + body.get("text", "")
    return text


def wait_stored(journal: Journal, reader: SseReader, text: str) -> None:
    """Wait until the journal has the whole answer with its end."""
    wait_for(lambda: journal.find(reader.run) is not None, TIMEOUT_S, "the run in the journal")
    wait_for(lambda: row_of(journal, reader.run).state == "ended", TIMEOUT_S, "its end in the journal")
    assert stored_text(journal, reader.run) == text


def state_of(server: Server) -> str:
    state: str = json.loads(server.request("GET", "/readyz")[2])["journal"]["state"]
    return state


def paced(words: int) -> tuple[Answer, str]:
    """Return an answer of so many words, twenty a second, and its text."""
    pieces = [f"{number} " for number in range(words)]
    steps = openai(pieces)
    with_waits: list[bytes | float] = []
    for step in steps:
        with_waits += [PACE_S, step]
    return Answer(steps=with_waits), "".join(pieces)


def damage_lock(server: Server) -> Callable[[], None]:
    """Lock the file as a process does that writes for a long time."""
    connection = sqlite3.connect(server.folder / "data" / "journal.db", isolation_level=None)
    connection.execute("BEGIN EXCLUSIVE")

    def unlock() -> None:
        connection.execute("ROLLBACK")
        connection.close()

    return unlock


def damage_remove(server: Server) -> Callable[[], None]:
    """Remove the file with its log and index."""
    for file in (server.folder / "data").glob("journal.db*"):
        file.unlink()
    return lambda: None


def damage_empty(server: Server) -> Callable[[], None]:
    """Delete all rows, leases too."""
    connection = sqlite3.connect(server.folder / "data" / "journal.db", isolation_level=None, timeout=10)
    for table in ("journal_runs", "journal_groups", "journal_leases"):
        connection.execute(f"DELETE FROM {table}")
    connection.close()
    return lambda: None


@pytest.mark.parametrize("damage", [damage_lock, damage_remove, damage_empty])
def test_readers_notice_nothing_and_the_journal_has_everything_in_the_end(
    server: Server, provider: FakeProvider, damage: Callable[[Server], Callable[[], None]]
) -> None:
    anna = Person(server)
    answer, text = paced(80)
    provider.play(answer)
    with anna.start(None, "Well?", run=new_run()) as reader, journal_of(server) as journal:
        reader.read_text(20)
        wait_for(lambda: stored_text(journal, reader.run) != "", TIMEOUT_S, "text in the journal")
        mend = damage(server)
        first = len(reader.frames)
        reader.read_text(100)
        mend()
        reader.read_to_end()
        found = answered(reader, reader.read_to_end())
        times = [one.at for one in found.received[first:]]
        gaps = [after - before for before, after in itertools.pairwise(times)]
        assert found.text == text
        assert max(gaps) < 1.2, "the answer stood still"
        assert "notice" not in found.received[-2].frame
        wait_stored(journal, reader, text)
    assert len(provider.calls) == 1
    assert state_of(server) == "ready"


def test_requests_and_ends_are_timely_while_the_journal_is_locked(
    server: Server, provider: FakeProvider
) -> None:
    anna, name = Person(server), new_run()
    with Gated("It ", "goes on.") as gated:
        provider.play(gated.answer)
        with anna.start(name, "Well?") as reader, journal_of(server) as journal:
            gated.open(1)
            reader.read_text(1)
            mend = damage_lock(server)
            try:
                wait_for(lambda: state_of(server) == "away", TIMEOUT_S, "the state announced")
                watch = server.stopwatch()
                gated.open()
                assert answered(reader, reader.read_to_end()).text == "It goes on."
                assert watch.busy_s < TIMELY_S
                provider.play(Answer(steps=openai(["Another."])))
                watch = server.stopwatch()
                with anna.start(None, "And now?") as other:
                    other.read_frames(1)
                    assert watch.busy_s < TIMELY_S
                    assert answered(other, other.read_to_end()).text == "Another."
            finally:
                mend()
            wait_stored(journal, reader, "It goes on.")
            wait_stored(journal, other, "Another.")
    wait_for(lambda: state_of(server) == "ready", TIMEOUT_S, "the state announced")


def test_a_journal_that_cannot_be_opened_at_boot_is_announced_and_used_once_it_can(
    provider: FakeProvider,
) -> None:
    server = Server(ENV | {"OPENAI_BASE_URL": f"{provider.url}/v1"})
    file = server.folder / "data" / "journal.db"
    file.parent.mkdir()
    file.write_bytes(b"this is no database" * 1_000)
    with server:
        anna = Person(server)
        provider.play(Answer(steps=openai(["Hello"])))
        assert anna.ask(None).text == "Hello"
        assert state_of(server) == "away"
        server.wait_log("the sqlite journal is away")
        file.unlink()
        with anna.start(None) as reader, journal_of(server) as journal:
            assert answered(reader, reader.read_to_end()).text == "Hello"
            wait_stored(journal, reader, "Hello")
        assert state_of(server) == "ready"


def test_postgres_frozen_in_the_middle_of_an_answer(provider: FakeProvider) -> None:
    with Postgres() as postgres:
        url = postgres.new_url()
        Database(url, "unused").migrate()
        env = ENV | {"OPENAI_BASE_URL": f"{provider.url}/v1", "DATABASE_URL": url}
        with Server(env) as server, journal_of(server, url) as journal:
            anna = Person(server)
            with Gated("It ", "goes on.") as gated:
                provider.play(gated.answer)
                with anna.start(None, run=new_run()) as reader:
                    gated.open(1)
                    reader.read_text(1)
                    wait_for(lambda: stored_text(journal, reader.run) == "It ", TIMEOUT_S, "the text")
                    postgres.freeze()
                    try:
                        watch = server.stopwatch()
                        gated.open()
                        found = answered(reader, reader.read_to_end())
                        assert found.text == "It goes on."
                        assert watch.busy_s < TIMELY_S
                    finally:
                        postgres.thaw()
                    wait_stored(journal, reader, "It goes on.")
            assert len(provider.calls) == 1


def test_nothing_of_an_anonymous_caller_s_text_is_in_the_file(server: Server, provider: FakeProvider) -> None:
    provider.play(Answer(steps=openai(["quite ", "confidential"])))
    with SseReader(server.address, body={"query": "a private question"}) as reader:
        assert answered(reader, reader.read_to_end()).text == "quite confidential"
        with journal_of(server) as journal:
            assert row_of(journal, reader.run).temporary
    stored = b"".join(path.read_bytes() for path in Path(server.folder / "data").glob("journal.db*"))
    assert reader.run.encode() in stored
    for secret in (b"confidential", b"private question"):
        assert secret not in stored


def test_what_other_workers_ask_of_a_run(server: Server, provider: FakeProvider) -> None:
    """To stop it, and to let it go on because they have readers."""
    provider.play(Answer(steps=[openai_delta("It "), STALL]))
    anna = Person(server)
    with anna.start(None, run=new_run(), orphan_s=1.0) as reader, journal_of(server) as journal:
        reader.read_text(1)
        run = reader.run
        reader.drop()
        until = time.monotonic() + 2.5
        while time.monotonic() < until:
            journal.mark_read([run])
            assert row_of(journal, run).state == "running"
            time.sleep(0.2)
        began = time.monotonic()
        assert journal.request_stop(run, "user")
        provider.wait_closed()
        assert time.monotonic() - began < 1.0
        wait_for(lambda: row_of(journal, run).state == "ended", TIMEOUT_S, "the end")
        last = journal.read({run: JournalCursor()}, 10**6)[run].frames[-1]
        assert json.loads(last.payload)["by"] == "user"


def test_a_run_that_nobody_reads_on_any_worker_is_stopped(server: Server, provider: FakeProvider) -> None:
    with Gated("It ", "goes on.") as gated:
        provider.play(gated.answer)
        anna = Person(server)
        with anna.start(None, run=new_run(), orphan_s=1.0) as reader, journal_of(server) as journal:
            gated.open(1)
            reader.read_text(1)
            run = reader.run
            reader.drop()
            wait_for(lambda: row_of(journal, run).state == "ended", TIMEOUT_S, "the end")
            last = journal.read({run: JournalCursor()}, 10**6)[run].frames[-1]
            assert json.loads(last.payload)["by"] == "orphan"


def test_a_worker_that_is_stopped_ends_its_lease(server: Server, provider: FakeProvider) -> None:
    provider.play(Answer(steps=openai(["Hello"])))
    assert Person(server).ask(None).text == "Hello"
    file = server.folder / "data" / "journal.db"

    def leases() -> int:
        connection = sqlite3.connect(file, timeout=10)
        count: int = connection.execute("SELECT count(*) FROM journal_leases").fetchone()[0]
        connection.close()
        return count

    assert leases() == 1
    server._end()
    assert leases() == 0
    server.start()

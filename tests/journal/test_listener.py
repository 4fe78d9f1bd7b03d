"""Reads that wait on Postgres are notified, and look every 50 ms where they cannot be."""

import threading
from collections.abc import Callable, Iterator

import pytest

from tests.journal.backends import PATIENT_S, PostgresBackend
from tests.journal.samples import LONG_S, ending, group, reset, started, texts
from tests.support.pgbouncer import PgBouncer
from tests.support.postgres import Postgres
from tests.support.server import wait_for
from webapp.journal import database, listener, statements
from webapp.journal.database import DatabaseJournal
from webapp.journal_records import JournalCursor, JournalUpdate
from webapp.seams import Journal

HEAD = {"run": JournalCursor(1, 3)}
WAIT_S = 60.0


@pytest.fixture
def backend(postgres: Postgres) -> Iterator[PostgresBackend]:
    created = PostgresBackend(postgres)
    yield created
    created.close()


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """One item for each time that a read looked."""
    found: list[None] = []
    read = statements.read

    def counted(*arguments: object, **named: object) -> object:
        found.append(None)
        return read(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(statements, "read", counted)
    return found


def listeners(backend: PostgresBackend) -> int:
    """Return how many sessions listen, as their last statement says."""
    name = backend.url.rpartition("/")[2]
    found = backend.server.execute(
        f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{name}' AND query LIKE 'LISTEN%'"
    )
    return int(found[0][0])


def listening(backend: PostgresBackend) -> Journal:
    """Return a journal with a run, of which a read has waited and is notified."""
    journal = backend.connect()
    started(journal, frames=texts(1, 3))

    def is_listening() -> bool:
        journal.read(HEAD, 1_000, wait_s=0.1)
        return listeners(backend) == 1

    wait_for(is_listening, 20, "the listener")
    return journal


def trust_notifications(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make reads look only when they are notified, for the whole time of these tests."""
    monkeypatch.setattr(database, "_LOOK_S", WAIT_S)
    monkeypatch.setattr(listener, "_IDLE_S", WAIT_S)


def read_in_thread(journal: Journal) -> Callable[[], JournalUpdate]:
    """Begin to wait in a thread; return a function that returns what the read found."""
    found: list[JournalUpdate] = []
    thread = threading.Thread(
        target=lambda: found.append(journal.read(HEAD, 1_000, WAIT_S)["run"]), daemon=True
    )
    thread.start()

    def result() -> JournalUpdate:
        thread.join(30)
        return found[0]

    return result


NEWS: dict[str, Callable[[Journal], object]] = {
    "append": lambda journal: journal.append("a", [group("run", 1, 4, 4)]),
    "end": lambda journal: journal.end("a", ending("run", 1, 4, 4)),
    "seize": lambda journal: journal.seize("run", 1, 3, "b", reset("1-3")),
}


@pytest.mark.parametrize("name", NEWS)
def test_a_waiting_read_is_notified_of_all_that_follows(
    backend: PostgresBackend, monkeypatch: pytest.MonkeyPatch, looks: list[None], name: str
) -> None:
    journal, other = listening(backend), backend.connect()
    trust_notifications(monkeypatch)
    backend.advance(LONG_S)
    looks.clear()
    result = read_in_thread(journal)
    wait_for(lambda: bool(looks), 20, "the read")
    NEWS[name](other)
    update = result()
    assert update.frames or update.reset


def test_two_reads_that_wait_are_both_notified(
    backend: PostgresBackend, monkeypatch: pytest.MonkeyPatch, looks: list[None]
) -> None:
    journal, other = listening(backend), backend.connect()
    trust_notifications(monkeypatch)
    looks.clear()
    results = [read_in_thread(journal), read_in_thread(journal)]
    wait_for(lambda: len(looks) >= 2, 20, "the reads")
    NEWS["append"](other)
    assert [result().frames for result in results] == [list(texts(4, 4))] * 2


def test_a_read_that_is_notified_looks_seldom(backend: PostgresBackend, looks: list[None]) -> None:
    journal = listening(backend)
    looks.clear()
    journal.read(HEAD, 1_000, wait_s=2.0)
    assert len(looks) <= 8, "every 50 ms would be forty"


def test_behind_a_pooler_reads_look_and_nobody_listens(
    backend: PostgresBackend, monkeypatch: pytest.MonkeyPatch, looks: list[None]
) -> None:
    asked: list[None] = []
    monkeypatch.setattr(listener, "is_direct", lambda driver: asked.append(None))
    journal, other = backend.connect(), backend.connect()
    started(journal, frames=texts(1, 3))
    looks.clear()
    journal.read(HEAD, 1_000, wait_s=1.0)
    assert (len(asked), listeners(backend)) == (1, 0)
    assert len(looks) >= 5
    result = read_in_thread(journal)
    NEWS["append"](other)
    assert result().frames == list(texts(4, 4))


def test_a_real_pooler_is_found_out(backend: PostgresBackend, looks: list[None]) -> None:
    with PgBouncer(backend.server) as pooler:
        url = pooler.url(backend.url)
        journal, other = (DatabaseJournal(url, "", timeout_s=PATIENT_S) for _ in range(2))
        try:
            started(journal, frames=texts(1, 3))
            looks.clear()
            journal.read(HEAD, 1_000, wait_s=1.0)
            assert listeners(backend) == 0
            assert len(looks) >= 5
            result = read_in_thread(journal)
            NEWS["append"](other)
            assert result().frames == list(texts(4, 4))
            NEWS["end"](other)
            assert connections_of(backend) <= 2, "as many as the pooler has for a database"
        finally:
            journal.close()
            other.close()


def connections_of(backend: PostgresBackend) -> int:
    name = backend.url.rpartition("/")[2]
    found = backend.server.execute(f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{name}'")
    return int(found[0][0])


def test_a_listener_that_is_cut_off_is_done_without(backend: PostgresBackend) -> None:
    journal, other = listening(backend), backend.connect()
    backend.server.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"
    )
    result = read_in_thread(journal)
    NEWS["append"](other)
    assert result().frames == list(texts(4, 4))


def test_a_listener_without_reads_ends(backend: PostgresBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "_IDLE_S", 0.5)
    journal = listening(backend)
    wait_for(lambda: listeners(backend) == 0, 20, "the end of the listener")
    journal.read(HEAD, 1_000, wait_s=0.1)
    wait_for(lambda: listeners(backend) == 1, 20, "another listener")

"""A Postgres journal that is down, restarted, frozen, slow, read-only, locked, out of connections or of another version (docs/faults.md, S11)."""

import contextlib
from collections.abc import Iterator

import psycopg
import pytest

from tests.journal.away import READS, WRITES, check_recovered, check_unavailable
from tests.journal.backends import PostgresBackend
from tests.journal.gate import Gate, Habit, closing, dripping, passing, replying, slow
from tests.journal.samples import TTL_S, ending, group, read_one, reset, started, texts
from tests.support.postgres import MAX_CONNECTIONS, Postgres
from tests.support.server import wait_for
from webapp.errors import JournalUnavailable
from webapp.journal.calls import TIMEOUT_S
from webapp.journal.database import DatabaseJournal
from webapp.journal_records import JournalCursor

CANARY = "canary-7d1f"
# Calls on each of the journal's connections: where each takes a second, all of them would take long.
SOME = {name: (READS | WRITES)[name] for name in ("find", "read, waiting", "begin", "append", "renew")}


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """A Postgres for these tests, which they may stop if they start it again."""
    with Postgres() as created:
        yield created


@pytest.fixture
def backend(server: Postgres) -> Iterator[PostgresBackend]:
    created = PostgresBackend(server, TIMEOUT_S)
    yield created
    created.close()


@contextlib.contextmanager
def stopped(server: Postgres) -> Iterator[None]:
    """Stop the server during the `with`, as in a crash."""
    server.stop()
    try:
        yield
    finally:
        server.start()


@contextlib.contextmanager
def frozen(server: Postgres) -> Iterator[None]:
    """Freeze the server during the `with`."""
    server.freeze()
    try:
        yield
    finally:
        server.thaw()


@contextlib.contextmanager
def read_only(backend: PostgresBackend) -> Iterator[None]:
    """Make the database read-only during the `with`; its connections end, as when a standby takes over."""
    name = backend.url.rpartition("/")[2]
    for value in ("on", "off"):
        backend.server.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = {value}")
        disconnect(backend)
        if value == "on":
            yield


@contextlib.contextmanager
def full(server: Postgres) -> Iterator[None]:
    """Take all connections that are left during the `with`."""
    with contextlib.ExitStack() as taken:
        for _ in range(MAX_CONNECTIONS):
            try:
                taken.enter_context(psycopg.connect(server.url(), connect_timeout=5))
            except psycopg.OperationalError:  # all are taken
                break
        yield


def disconnect(backend: PostgresBackend) -> None:
    """End all connections to the journal's database, from the server's side."""
    name = backend.url.rpartition("/")[2]
    backend.server.execute(
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}' AND pid <> pg_backend_pid()"
    )


def test_a_server_that_is_down_at_the_start_is_used_as_soon_as_it_is_there(
    backend: PostgresBackend, server: Postgres
) -> None:
    journal = backend.connect()
    with stopped(server):
        assert "refused" in check_unavailable(journal, READS | WRITES)
    check_recovered(journal)


def test_a_server_that_dies_comes_back_with_its_runs(backend: PostgresBackend, server: Postgres) -> None:
    journal = backend.connect()
    started(journal, frames=texts(1, 3))
    with stopped(server):
        check_unavailable(journal, READS | WRITES)
    assert read_one(journal, "run").frames == list(texts(1, 3))
    check_recovered(journal)


def test_a_restart_that_nobody_noticed_fails_no_call(backend: PostgresBackend, server: Postgres) -> None:
    journal = backend.connect()
    started(journal, frames=texts(1, 3))
    read_one(journal, "run")
    with stopped(server):
        pass
    assert journal.renew("a", TTL_S)
    assert journal.append("a", [group("run", 1, 4, 4)]) == {}
    assert read_one(journal, "run").last_seq == 4


def test_a_frozen_server_holds_up_no_call_for_long(backend: PostgresBackend, server: Postgres) -> None:
    journal, waiting = backend.connect(), backend.connect()
    started(journal, frames=texts(1, 3))
    with frozen(server):
        assert check_unavailable(journal, SOME)
        check_unavailable(waiting, {"find": READS["find"]})  # which has no connection yet
    check_recovered(journal)
    check_recovered(waiting)
    assert read_one(journal, "run").frames[:3] == list(texts(1, 3))


@pytest.mark.parametrize(
    "habit",
    [closing, dripping, slow(2.0), replying(b"HTTP/1.1 400 Bad Request\r\n\r\n"), replying(b"\x00\xff")],
    ids=["closing", "dripping", "slow", "http", "garbage"],
)
def test_a_server_that_does_not_answer_in_time_or_in_its_protocol(
    backend: PostgresBackend, server: Postgres, habit: Habit
) -> None:
    backend.connect().now()
    name = backend.url.rpartition("/")[2]
    with Gate(server.port, habit) as gate:
        journal = DatabaseJournal(f"postgres://postgres:{CANARY}@127.0.0.1:{gate.port}/{name}", "")
        try:
            assert CANARY not in check_unavailable(journal, SOME)
            gate.behave(passing)
            recover(journal)
            gate.behave(habit)
            assert CANARY not in check_unavailable(journal, SOME)
            gate.behave(passing)
            recover(journal)
        finally:
            journal.close()


def recover(journal: DatabaseJournal) -> None:
    """Check that the journal works again, after the calls that the driver still makes have ended."""

    def works() -> bool:
        with contextlib.suppress(JournalUnavailable):
            journal.now()
            journal.release("nobody")
            return True
        return False

    wait_for(works, 10, "the journal")
    check_recovered(journal)


def test_a_read_only_database_is_read_and_refuses_writes(backend: PostgresBackend) -> None:
    journal = backend.connect()
    started(journal, frames=texts(1, 3))
    with read_only(backend):
        assert "read-only" in check_unavailable(journal, WRITES)
        for call in READS.values():
            call(journal)
    assert read_one(journal, "run").frames == list(texts(1, 3))
    check_recovered(journal)


def test_a_journal_that_has_its_connections_needs_no_others(
    backend: PostgresBackend, server: Postgres
) -> None:
    journal, waiting = backend.connect(), backend.connect()
    started(journal, frames=texts(1, 3))
    journal.now()
    with full(server):
        assert "too many clients" in check_unavailable(waiting, READS | WRITES)
        check_recovered(journal)
    check_recovered(waiting)


def test_a_run_that_another_session_has_locked(backend: PostgresBackend) -> None:
    journal = backend.connect()
    started(journal, frames=texts(1, 3))
    with psycopg.connect(backend.url) as connection:
        connection.execute("SELECT * FROM journal_runs FOR UPDATE")
        writes = {
            name: WRITES[name]
            for name in ("append", "end", "request_stop", "mark_read", "move_owner", "seize")
        }
        assert check_unavailable(journal, writes)
        for call in READS.values():
            call(journal)
        connection.rollback()
    assert journal.append("a", [group("run", 1, 4, 4)]) == {}
    check_recovered(journal)


def test_tables_that_are_dropped_are_an_empty_journal(backend: PostgresBackend) -> None:
    journal, other = backend.connect(), backend.connect()
    started(journal, frames=texts(1, 3))
    other.now()
    backend.execute("DROP TABLE journal_version, journal_runs, journal_groups, journal_leases")
    for one in (journal, other):
        with contextlib.suppress(JournalUnavailable):
            one.find("run")
        with contextlib.suppress(JournalUnavailable):
            one.release("nobody")
        with contextlib.suppress(JournalUnavailable):
            one.renew("nobody", TTL_S)
        check_recovered(one)
        assert one.find("run") is None
    assert journal.append("a", [group("run", 1, 4, 4)]) == {"run": "unknown"}
    started(journal, epoch=2, frames=reset("1-3"))
    assert journal.end("a", ending("run", 2, 1, 1)) is None


def test_a_dropped_database(backend: PostgresBackend, server: Postgres) -> None:
    journal = backend.connect()
    started(journal)
    name = backend.url.rpartition("/")[2]
    server.execute(f"DROP DATABASE {name} WITH (FORCE)")
    assert "does not exist" in check_unavailable(journal, READS | WRITES)
    server.execute(f"CREATE DATABASE {name}")
    check_recovered(journal)


def test_a_journal_of_another_version_is_never_written_to(backend: PostgresBackend) -> None:
    started(backend.connect())
    backend.execute("UPDATE journal_version SET version = 2")
    backend.disconnect()
    before = stored(backend)
    journal = backend.connect()
    assert "version" in check_unavailable(journal, READS | WRITES, "outdated")
    assert stored(backend) == before
    backend.execute("UPDATE journal_version SET version = 1")
    assert journal.find("run")
    check_recovered(journal)


def test_a_closed_journal_lets_go_of_its_connections(backend: PostgresBackend, server: Postgres) -> None:
    journal = backend.connect()
    started(journal)
    journal.read({"run": JournalCursor(1, 9)}, 1_000, wait_s=0.1)
    wait_for(lambda: connections(backend) == 4, 10, "the connections, one of them for notifications")
    journal.close()
    wait_for(lambda: connections(backend) == 0, 10, "the end of the connections")
    assert journal.condition == "closed"


def connections(backend: PostgresBackend) -> int:
    name = backend.url.rpartition("/")[2]
    found = backend.server.execute(f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{name}'")
    return int(found[0][0])


def stored(backend: PostgresBackend) -> list[object]:
    """Return everything that is stored, with the numbers of the transactions that wrote it."""
    tables = ("journal_version", "journal_runs", "journal_groups", "journal_leases")
    return [
        backend.server.execute(f"SELECT xmin::text, t.* FROM {table} t ORDER BY 1, 2", backend.url)
        for table in tables
    ]

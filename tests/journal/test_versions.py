"""A journal that servers of two versions share, one of which has added to it."""

import sqlite3
from contextlib import closing

from tests.journal.away import READS, WRITES, check_recovered, check_unavailable
from tests.journal.backends import PostgresBackend, RedisBackend, SharedBackend, SqlBackend, SqliteBackend
from tests.journal.samples import ending, read_one, started, texts
from webapp.journal.redis_scripts import PREFIX
from webapp.journal.schema import VERSION, metadata

LATER = VERSION + 1


def add(backend: SharedBackend) -> None:
    """Add to a journal what a later version may add, and that version."""
    if isinstance(backend, RedisBackend):
        backend.execute("HSET", f"{PREFIX}run:run", "later", "something")
        backend.execute("SET", f"{PREFIX}version", f"{VERSION} {LATER}")
        return
    assert isinstance(backend, SqlBackend)
    for table in metadata.tables:
        backend.execute(f"ALTER TABLE {table} ADD COLUMN later INTEGER NOT NULL DEFAULT 7")
    backend.execute(f"INSERT INTO journal_version (version) VALUES ({LATER})")


def test_a_journal_to_which_a_later_version_has_added_is_read_and_written(
    shared_backend: SharedBackend,
) -> None:
    journal = shared_backend.connect()
    started(journal, frames=texts(1, 3))
    add(shared_backend)
    for one in (journal, shared_backend.connect()):
        assert len(read_one(one, "run").frames) == 3
        check_recovered(one)
    assert journal.end("a", ending("run", 1, 4, 4)) is None
    assert len(read_one(journal, "run").frames) == 4
    assert versions_of(shared_backend) == {VERSION, LATER}


def test_a_version_whose_number_only_looks_alike_is_another(shared_backend: SharedBackend) -> None:
    started(shared_backend.connect())
    shared_backend.disconnect()
    if isinstance(shared_backend, RedisBackend):
        shared_backend.execute("SET", f"{PREFIX}version", f"{LATER} {VERSION}1")
    else:
        assert isinstance(shared_backend, SqlBackend)
        shared_backend.execute(f"UPDATE journal_version SET version = {VERSION}1")
    check_unavailable(shared_backend.connect(), READS | WRITES, "outdated")


def versions_of(backend: SharedBackend) -> set[int]:
    """Return the versions whose code can work with a journal."""
    if isinstance(backend, RedisBackend):
        found = backend.execute("GET", f"{PREFIX}version")
        assert isinstance(found, bytes)
        return set(map(int, found.split()))
    if isinstance(backend, PostgresBackend):
        return {row[0] for row in backend.server.execute("SELECT version FROM journal_version", backend.url)}
    assert isinstance(backend, SqliteBackend)
    with closing(sqlite3.connect(backend.file)) as connection:
        return {row[0] for row in connection.execute("SELECT version FROM journal_version")}

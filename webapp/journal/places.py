"""Where the tables of a journal are: SQLite in a file of its own, or Postgres. How each is connected, locked and timed."""

from __future__ import annotations

import time
from collections.abc import Generator
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol

import psycopg
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.pool import PoolProxiedConnection

from webapp.journal import schema
from webapp.journal.sql_texts import Dialect
from webapp.sql import (
    POSTGRES_OPTIONS,
    FileIdentity,
    are_replaced,
    file_lock,
    find_sqlite_files,
    make_sqlite_engine,
    parse_postgres_url,
    resolve_host,
)

Mode = Literal["read", "write", "lazy", "news", "lazy news"]
"""`lazy` writes may be lost when the database's machine fails; nobody waits for its disk. `news` are frames for readers."""

_CONNECT_S = 2  # the least that the driver allows
_FILE = "journal.db"
NOTIFY_CHANNEL = "freshet_journal"


class SqlPlace(Protocol):
    """A place for the tables, of which each channel makes an engine with one connection."""

    native: bool
    """Whether its driver blocks the whole thread, so that it needs threads of the operating system."""

    dialect: Dialect

    def make_engine(self) -> Engine:
        """Return an engine with at most one connection, which opens later."""

    def find_files(self) -> tuple[FileIdentity | None, ...]:
        """Return the identities of the files with the tables, which may be replaced behind an open connection."""

    def remove_remains(self, known: tuple[FileIdentity | None, ...]) -> None:
        """Remove what is left of files that a connection had open, if it is of no use."""

    def prepare(self, engine: Engine) -> None:
        """Create the tables if there are none. Raises `OtherVersion`."""

    def start_limit(self, driver: Any) -> None:
        """Make the driver's connection give up on what it does after the place's limit of time."""

    def begin_text(self, mode: Mode) -> str:
        """Return the statement that begins a transaction."""


class SqlitePlace:
    """A file in the data folder. It is created again if it is removed."""

    native = True
    dialect: Dialect = "sqlite"

    def __init__(self, folder: str, lock_s: float) -> None:
        """Take the folder, and how long to wait for another process's lock."""
        self._path = Path(folder) / _FILE
        self._lock_s = lock_s

    def make_engine(self) -> Engine:
        """See `SqlPlace`."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        return make_sqlite_engine(self._path, self._lock_s)

    def find_files(self) -> tuple[FileIdentity | None, ...]:
        """See `SqlPlace`. Without this, a process would go on writing to a removed file, which nobody else sees."""
        return find_sqlite_files(self._path)

    def remove_remains(self, known: tuple[FileIdentity | None, ...]) -> None:
        """See `SqlPlace`. A file whose log was removed lacks what was written last, and SQLite shares the removed log's index
        between the connections of a process. All begin again with an empty file: workers then store their runs anew.
        """
        if not self._path.exists():
            return
        with file_lock(self._path.with_name(f"{_FILE}.lock"), self._lock_s):
            found = self.find_files()
            if found[0] == known[0] and are_replaced(known, found):
                self._path.unlink(missing_ok=True)

    def prepare(self, engine: Engine) -> None:
        """See `SqlPlace`."""
        with file_lock(self._path.with_name(f"{_FILE}.lock"), self._lock_s):
            if not self._path.exists():  # the log and index of a removed file belong to no other
                for suffix in ("-wal", "-shm"):
                    self._path.with_name(_FILE + suffix).unlink(missing_ok=True)
            with engine.connect() as connection:
                with connection.begin():
                    created = schema.is_created(connection)
                if not created:
                    writing = connection.execution_options(freshet_write=True)
                    with writing.begin():
                        schema.create(writing)

    def start_limit(self, driver: Any) -> None:
        """See `SqlPlace`. Its only wait is for a lock, which has a limit of its own."""

    def begin_text(self, mode: Mode) -> str:
        """See `SqlPlace`. The lock for writing is taken at once: a read that becomes a write can fail."""
        return "BEGIN" if mode == "read" else "BEGIN IMMEDIATE"


class PostgresPlace:
    """A Postgres database, possibly behind a pooler that gives each transaction another connection."""

    native = False
    dialect: Dialect = "postgresql"

    def __init__(self, url: str, limit_s: float) -> None:
        """Take the database's URL and how long one transaction may take."""
        self._url = parse_postgres_url(url)
        self._limit_s = limit_s
        # In one statement with BEGIN, because a pooler may give the next transaction another session, and a round trip less.
        # Frozen in a transaction, a process must not hold its locks for long. Hash and merge joins read whole tables where
        # each cursor needs a few rows by an index.
        self._begin_text = "; ".join(
            (
                "BEGIN ISOLATION LEVEL READ COMMITTED",
                f"SET LOCAL statement_timeout = {round(limit_s * 1000)}",
                f"SET LOCAL lock_timeout = {round(limit_s * 1000)}",
                f"SET LOCAL idle_in_transaction_session_timeout = {round(limit_s * 1000) + 600}",
                "SET LOCAL enable_hashjoin = off",
                "SET LOCAL enable_mergejoin = off",
            )
        )

    def make_engine(self) -> Engine:
        """See `SqlPlace`."""
        engine = create_engine(
            self._url,
            connect_args={**POSTGRES_OPTIONS, "connect_timeout": _CONNECT_S, "autocommit": True},
            pool_size=1,
            max_overflow=0,
            pool_timeout=self._limit_s,
            use_native_hstore=False,
            hide_parameters=True,
        )
        event.listen(engine, "do_connect", resolve_host)
        event.listen(engine, "do_connect", _connect_postgres)
        return engine

    def find_files(self) -> tuple[FileIdentity | None, ...]:
        """See `SqlPlace`."""
        return ()

    def remove_remains(self, known: tuple[FileIdentity | None, ...]) -> None:
        """See `SqlPlace`. There are no files."""

    def prepare(self, engine: Engine) -> None:
        """See `SqlPlace`."""
        with engine.connect() as connection:
            proxied: PoolProxiedConnection = connection.connection
            self.start_limit(proxied.driver_connection)
            with connection.begin():
                connection.exec_driver_sql(self._begin_text)
                if schema.is_created(connection):
                    return
                schema.create(connection)

    def start_limit(self, driver: Any) -> None:
        """See `SqlPlace`."""
        limit(driver, self._limit_s)

    def begin_text(self, mode: Mode) -> str:
        """See `SqlPlace`. The commit of a `lazy` one waits for no disk, that of one with `news` notifies the reads that wait."""
        lazily = "; SET LOCAL synchronous_commit = off" if mode in ("lazy", "lazy news") else ""
        loudly = f"; NOTIFY {NOTIFY_CHANNEL}" if mode in ("news", "lazy news") else ""
        return self._begin_text + lazily + loudly


def limit(driver: Any, seconds: float) -> None:
    """Make a connection of `PostgresPlace` give up after this time."""
    driver.deadline = time.monotonic() + seconds


class _LimitedConnection(psycopg.Connection[Any]):
    """A connection that gives up at its deadline, although the server, frozen, keeps its sockets open."""

    deadline: float = 0.0  # 0.0: connecting, which has a limit of its own
    prototype: ClassVar[None] = None

    def wait(self, gen: Generator[Any, Any, Any], *args: Any, **options: Any) -> Any:
        """Wait for a response as `psycopg.Connection` does, until the deadline. Raises `OperationalError` then."""
        deadline = self.deadline or time.monotonic() + _CONNECT_S
        try:
            return super().wait(_until(gen, deadline), *args, **options)
        except _DeadlinePassed:
            self.pgconn.finish()  # the response may still come, and would be taken for the next one's
            raise psycopg.OperationalError("no response in time") from None


class _DeadlinePassed(Exception):
    """The deadline of a connection has passed."""


def _until(gen: Generator[Any, Any, Any], deadline: float) -> Generator[Any, Any, Any]:
    """Pass a generator of the driver on; it is resumed every tenth of a second, response or not."""
    try:
        wanted = next(gen)
        while True:
            ready = yield wanted
            if not ready and time.monotonic() > deadline:
                raise _DeadlinePassed
            result = gen.send(ready)
            if ready:
                wanted = result
    except StopIteration as end:
        return end.value


def _connect_postgres(dialect: object, record: object, arguments: Any, options: dict[str, Any]) -> Any:
    del dialect, record
    try:
        return _LimitedConnection.connect(*arguments, **options)
    except psycopg.Error as error:
        # The driver's frame, which is in the traceback, has the error and the half-open connection: a cycle, with a socket.
        raise error.with_traceback(None) from None

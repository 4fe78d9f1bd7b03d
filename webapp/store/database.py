"""The connection to the one database: open it, run transactions, and track its state.

No call blocks the event loop. SQLite runs in one native thread with one connection, because it never yields to
gevent; Postgres runs in a few threads of the standard library, which gevent turns into greenlets.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from webapp.errors import Unavailable
from webapp.offload import WorkerPool
from webapp.sql import (
    POSTGRES_OPTIONS,
    FileIdentity,
    are_replaced,
    describe_error,
    file_lock,
    find_sqlite_files,
    make_sqlite_engine,
    parse_postgres_url,
    resolve_host,
)
from webapp.store.changes import take_changed_owners
from webapp.store.migrate import compare, revision, upgrade
from webapp.store.schema import HEAD

log_ = logging.getLogger("freshet.store")

T = TypeVar("T")
State = Literal["opening", "ready", "away", "outdated", "closed"]

TIMEOUT_S = 5.0  # how long an endpoint waits for a query
_SQLITE_LOCK_S = 1.0  # how long SQLite waits for another process's lock
_CONNECTIONS = 4  # per process; the smallest hosted plans allow twenty in total
_CONNECT_S = 3
_STATEMENT_MS = 4_000
_MAX_QUEUED = 128
_RETRY_AFTER_S = 2
_FILE = "freshet.db"
_INTERRUPTED = ": interrupted"  # the end of SQLite's message for a query that `_time_limit` stopped
# SQLite's virtual machine instructions between two checks of the time: about a dozen rows. A single long text takes
# tens of milliseconds.
_PROGRESS_STEPS = 200

# For migrations, which may rewrite a table; and wait for the transactions of running servers, which are short.
_UNLIMITED = "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '1min'"


def has_sqlite_file(folder: Path) -> bool:
    """Return whether a data folder has a database."""
    return (folder / _FILE).is_file()


class DatabaseUnavailable(Unavailable):
    """The database cannot be reached or cannot be used at the moment; a later attempt may succeed."""

    code = "store_away"


class Database:
    """The database of this process. It is opened by the first call."""

    def __init__(self, url: str | None, folder: str) -> None:
        """Use Postgres at `url`, or without one a SQLite file in `folder`."""
        self._url = None if url is None else parse_postgres_url(url)
        self._folder = Path(folder)
        self._engine: Engine | None = None
        self._open_lock = threading.Lock()
        self._failure = ""
        self._files: tuple[FileIdentity | None, ...] = ()  # SQLite's open ones
        self._is_replaced = False
        self._newer_revision: str | None = None  # which has not been logged yet
        self._on_change: Callable[[Collection[str]], None] = lambda _: None
        self.state: State = "opening"
        if self._url is None:
            self._pool = WorkerPool("freshet-store", native=True, max_waiting=_MAX_QUEUED)
        else:
            self._pool = WorkerPool("freshet-store", workers=_CONNECTIONS, max_waiting=_MAX_QUEUED)

    def on_change(self, callback: Callable[[Collection[str]], None]) -> None:
        """Set the function that gets the owners whose conversations a committed transaction has changed."""
        self._on_change = callback

    @property
    def kind(self) -> Literal["sqlite", "postgres"]:
        """The database system in use."""
        return "sqlite" if self._url is None else "postgres"

    def read(self, work: Callable[[Connection], T], timeout_s: float = TIMEOUT_S) -> T:
        """Run `work` in a read transaction. Raises `DatabaseUnavailable`, or `Unavailable` after `timeout_s`."""
        return self._call(work, timeout_s, write=False)

    def search(self, work: Callable[[Connection], T], timeout_s: float) -> T:
        """Run an expensive query like `read`. SQLite, whose one thread all share, stops it after `timeout_s`."""

        def bounded(connection: Connection) -> T:
            with _time_limit(connection, timeout_s):
                return work(connection)

        return self._call(bounded, timeout_s, write=False)

    def write(self, work: Callable[[Connection], T], timeout_s: float = TIMEOUT_S) -> T:
        """Run `work` in a write transaction. Raises as `read` does."""
        return self._call(work, timeout_s, write=True)

    def open(self, timeout_s: float = 30.0) -> None:
        """Open the database; SQLite is migrated if needed. Raises `DatabaseUnavailable`."""
        self.read(lambda _: None, timeout_s)

    def migrate(self) -> bool:
        """Migrate Postgres in this thread; return whether there was anything to do. Raises `DatabaseUnavailable`."""
        engine = self._make_engine()
        try:
            with engine.begin() as connection:
                connection.exec_driver_sql(_UNLIMITED)
                changed, found = upgrade(connection), revision(connection)
                if compare(connection) == "other":
                    raise DatabaseUnavailable(
                        f"the database has the newer revision {found}, with which this version cannot work: "
                        "deploy a newer version, or restore a backup"
                    )
                return changed
        except (DBAPIError, OSError) as error:
            raise DatabaseUnavailable(f"the database cannot be migrated: {describe_error(error)}") from None
        finally:
            engine.dispose()

    def close(self) -> None:
        """Close the connections and the threads."""
        if self._engine is not None:
            try:
                self._pool.call(self._dispose, TIMEOUT_S)
            except Unavailable:
                pass  # a query is stuck; its connection ends with the process
        self._pool.close()
        self.state = "closed"

    def _call(self, work: Callable[[Connection], T], timeout_s: float, *, write: bool) -> T:
        before = self.state
        try:
            result, changed = self._pool.call(lambda: self._run(work, write=write), timeout_s)
        finally:
            self._log_change(before)
        if changed:
            self._on_change(changed)
        return result

    def _run(self, work: Callable[[Connection], T], *, write: bool) -> tuple[T, Collection[str]]:
        """Run `work` in a transaction, in a thread of the pool; also return the owners of what it changed."""
        self._close_if_replaced()
        try:
            with self._open_engine().connect() as connection:
                options = connection.execution_options(freshet_write=write)
                take_changed_owners(connection)  # of a transaction that failed
                with options.begin():
                    result = work(options)
                changed = take_changed_owners(connection)
            self.state = "ready"
            return result, changed
        except (OperationalError, InterfaceError, PoolTimeout, OSError) as error:
            if describe_error(error).endswith(_INTERRUPTED):
                raise Unavailable(
                    "The database does not respond in time. Try again in a moment.",
                    code="store_slow",
                    retry_after_s=_RETRY_AFTER_S,
                ) from None
            raise self._mark_away(error) from None
        except DBAPIError as error:
            if error.connection_invalidated:
                raise self._mark_away(error) from None
            raise

    def _mark_away(self, error: Exception) -> DatabaseUnavailable:
        """Set the state to away. SQLite's file is closed, because it may be replaced before the next call."""
        self._failure = describe_error(error)
        self.state = "away"
        if self._url is None and "locked" not in self._failure:
            self._dispose()
        return DatabaseUnavailable(
            "The conversations cannot be reached at the moment.", retry_after_s=_RETRY_AFTER_S
        )

    def _close_if_replaced(self) -> None:
        """Close SQLite's files if they were removed or replaced: nothing could read again what they store."""
        if self._url is not None or self._engine is None:
            return
        if are_replaced(self._files, find_sqlite_files(self._folder / _FILE)):
            self._dispose()
            self._is_replaced = True

    def _log_change(self, before: State) -> None:
        """Log when the database becomes unavailable or available. Not in the native thread, which must not log."""
        if self._is_replaced:
            self._is_replaced = False
            log_.warning("%s was removed or replaced: the file that is there now is used", _FILE)
        newer, self._newer_revision = self._newer_revision, None
        if newer is not None:
            log_.info(
                "the tables have the newer revision %s, which works with this version's %s", newer, HEAD
            )
        if before == self.state or (before, self.state) == ("opening", "ready"):
            return
        if self.state == "ready":
            log_.info("the %s database is available again", self.kind)
        elif self.state == "away":
            log_.warning("the %s database is unavailable: %s", self.kind, self._failure)
        elif self.state == "outdated":
            log_.warning(
                "the tables are not those of this version: run `freshet migrate`, or update the server"
            )

    def _open_engine(self) -> Engine:
        with self._open_lock:
            if self._engine is None:
                engine = self._make_engine()
                try:
                    self._prepare(engine)
                except BaseException:
                    engine.dispose()
                    raise
                self._engine = engine
                self._files = () if self._url is not None else find_sqlite_files(self._folder / _FILE)
            return self._engine

    def _prepare(self, engine: Engine) -> None:
        if self._url is None:
            with (
                file_lock(self._folder / f"{_FILE}.lock"),
                engine.connect().execution_options(freshet_write=True) as connection,
                connection.begin(),
            ):
                upgrade(connection)
                self._check_revision(connection)
            return
        with engine.connect() as connection:
            self._check_revision(connection)

    def _check_revision(self, connection: Connection) -> None:
        """Raise `DatabaseUnavailable` unless this version can work with the tables."""
        fit = compare(connection)
        if fit == "newer":
            self._newer_revision = revision(connection)
        elif fit == "other":
            self.state = "outdated"
            raise DatabaseUnavailable(
                "The database is being updated. Try again in a moment.",
                code="store_outdated",
                retry_after_s=30,
            )

    def _make_engine(self) -> Engine:
        if self._url is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            return make_sqlite_engine(self._folder / _FILE, _SQLITE_LOCK_S)
        engine = create_engine(
            self._url,
            connect_args={**POSTGRES_OPTIONS, "connect_timeout": _CONNECT_S, "autocommit": True},
            pool_size=_CONNECTIONS,
            max_overflow=0,
            pool_timeout=_CONNECT_S,
            pool_pre_ping=True,
            hide_parameters=True,
        )
        event.listen(engine, "do_connect", resolve_host)
        event.listen(engine, "begin", _begin_postgres)
        return engine

    def _dispose(self) -> None:
        engine, self._engine = self._engine, None
        if engine is not None:
            engine.dispose()


@contextmanager
def _time_limit(connection: Connection, timeout_s: float) -> Iterator[None]:
    """Stop a SQLite query after `timeout_s`, because all share its one thread. Postgres has `statement_timeout`."""
    if connection.dialect.name != "sqlite":
        yield
        return
    driver: Any = connection.connection.driver_connection
    deadline = time.monotonic() + timeout_s
    driver.set_progress_handler(lambda: time.monotonic() > deadline, _PROGRESS_STEPS)
    try:
        yield
    finally:
        driver.set_progress_handler(None, 0)


# In one statement with BEGIN, because a pooler may give the next transaction another session, and this one's to others.
_BEGIN_POSTGRES = "; ".join(
    (
        "BEGIN",
        f"SET LOCAL statement_timeout = {_STATEMENT_MS}",
        f"SET LOCAL lock_timeout = {_STATEMENT_MS // 2}",
        f"SET LOCAL idle_in_transaction_session_timeout = {3 * _STATEMENT_MS}",
    )
)


def _begin_postgres(connection: Connection) -> None:
    """Begin a transaction with limits of time."""
    connection.exec_driver_sql(_BEGIN_POSTGRES)

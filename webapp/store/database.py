"""One database: how it is reached, opened and asked, and how it stands.

No call blocks the event loop. SQLite works in one thread of the system's with one connection, because it
never gives way; Postgres in a few of the standard library's threads, which gevent makes greenlets.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from webapp.errors import Unavailable
from webapp.offload import WorkerPool
from webapp.store.migrate import file_lock, upgrade, works_with

log_ = logging.getLogger("freshet.store")

T = TypeVar("T")
State = Literal["opening", "ready", "away", "outdated", "closed"]

PATIENCE_S = 5.0  # how long a door waits for its answer
_BUSY_S = 1.0  # how long SQLite waits for another process's lock
_CONNECTIONS = 4  # the smallest plans allow twenty for all processes
_CONNECT_S = 3
_STATEMENT_MS = 4_000
_MOST_WAITING = 128
_RETRY_AFTER_S = 2
_FILE = "freshet.db"
_INTERRUPTED = ": interrupted"  # SQLite's word for work that `_within` has ended
_STEPS = (
    200  # of SQLite's, a dozen rows, between two looks at the time: one long text takes tens of milliseconds
)


class Away(Unavailable):
    """The database cannot be reached, or refuses to work at the moment: trying again later may help."""

    code = "store_away"


class Database:
    """The one database of a process. Nothing is opened before the first call."""

    def __init__(self, url: str | None, folder: str) -> None:
        """Know where it is: `url` for Postgres, else a file in `folder`."""
        self._url = None if url is None else _address(url)
        self._folder = Path(folder)
        self._engine: Engine | None = None
        self._opening = threading.Lock()
        self._reason = ""
        self.state: State = "opening"
        if self._url is None:
            self._lane = WorkerPool("freshet-store", native=True, most_waiting=_MOST_WAITING)
        else:
            self._lane = WorkerPool("freshet-store", workers=_CONNECTIONS, most_waiting=_MOST_WAITING)

    @property
    def kind(self) -> Literal["sqlite", "postgres"]:
        """Which of the two it is."""
        return "sqlite" if self._url is None else "postgres"

    def read(self, work: Callable[[Connection], T], patience_s: float = PATIENCE_S) -> T:
        """Ask in one transaction. Raises `Away`, or `Unavailable` when it takes too long."""
        return self._call(work, patience_s, write=False)

    def search(self, work: Callable[[Connection], T], patience_s: float) -> T:
        """Read many texts in one transaction, and no longer than anybody waits for it. Raises as `read`."""

        def bounded(connection: Connection) -> T:
            with _within(connection, patience_s):
                return work(connection)

        return self._call(bounded, patience_s, write=False)

    def write(self, work: Callable[[Connection], T], patience_s: float = PATIENCE_S) -> T:
        """Change in one transaction: all of it or nothing. Raises as `read`."""
        return self._call(work, patience_s, write=True)

    def open(self, patience_s: float = 30.0) -> None:
        """Open it, and bring SQLite up to date. Raises `Away`."""
        self.read(lambda _: None, patience_s)

    def migrate(self) -> bool:
        """Bring Postgres up to date, in this thread; tells whether there was anything to do. Raises `Away`."""
        engine = self._made()
        try:
            with engine.begin() as connection:
                return upgrade(connection)
        except (DBAPIError, OSError) as error:
            raise Away(f"the database cannot be migrated: {_told(error)}") from None
        finally:
            engine.dispose()

    def close(self) -> None:
        """Let go of connections and threads."""
        if self._engine is not None:
            try:
                self._lane.call(self._dispose, PATIENCE_S)
            except Unavailable:
                pass  # it is stuck, and goes with the process
        self._lane.close()
        self.state = "closed"

    def _call(self, work: Callable[[Connection], T], patience_s: float, *, write: bool) -> T:
        before = self.state
        try:
            return self._lane.call(lambda: self._do(work, write=write), patience_s)
        finally:
            self._tell(before)

    def _do(self, work: Callable[[Connection], T], *, write: bool) -> T:
        """Do a piece of work; in the lane's thread."""
        try:
            with self._opened().connect() as connection:
                options = connection.execution_options(freshet_write=write)
                with options.begin():
                    found = work(options)
            self.state = "ready"
            return found
        except (OperationalError, InterfaceError, PoolTimeout, OSError) as error:
            if _told(error).endswith(_INTERRUPTED):
                raise Unavailable(
                    "The conversations take too long to answer.",
                    code="store_slow",
                    retry_after_s=_RETRY_AFTER_S,
                ) from None
            raise self._lost(error) from None
        except DBAPIError as error:
            if error.connection_invalidated:
                raise self._lost(error) from None
            raise

    def _lost(self, error: Exception) -> Away:
        """Note that it is away. A file is opened anew next time: it may have been replaced meanwhile."""
        self._reason = _told(error)
        self.state = "away"
        if self._url is None and "locked" not in self._reason:
            self._dispose()
        return Away("The conversations cannot be reached at the moment.", retry_after_s=_RETRY_AFTER_S)

    def _tell(self, before: State) -> None:
        """Tell the operator when it goes away or comes back; here, where the log may be used."""
        if before == self.state or (before, self.state) == ("opening", "ready"):
            return
        if self.state == "ready":
            log_.info("the %s database is back", self.kind)
        elif self.state == "away":
            log_.warning("the %s database is away: %s", self.kind, self._reason)
        elif self.state == "outdated":
            log_.warning(
                "the database has other tables than this version: run `freshet migrate`, or update the server"
            )

    def _opened(self) -> Engine:
        with self._opening:
            if self._engine is None:
                engine = self._made()
                try:
                    self._prepare(engine)
                except BaseException:
                    engine.dispose()
                    raise
                self._engine = engine
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
        """Work only with tables that this version knows, or that say that it may. Raises `Away`."""
        if not works_with(connection):
            self.state = "outdated"
            raise Away("The database is being brought up to date.", code="store_outdated", retry_after_s=30)

    def _made(self) -> Engine:
        if self._url is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            engine = create_engine(
                URL.create("sqlite", database=str(self._folder / _FILE)),
                connect_args={"timeout": _BUSY_S, "check_same_thread": False, "isolation_level": None},
                pool_size=1,
                max_overflow=0,
                hide_parameters=True,
            )
            event.listen(engine, "connect", _prepare_sqlite)
            event.listen(engine, "begin", _begin_sqlite)
            return engine
        engine = create_engine(
            self._url,
            connect_args=_POSTGRES,
            pool_size=_CONNECTIONS,
            max_overflow=0,
            pool_timeout=_CONNECT_S,
            pool_pre_ping=True,
            hide_parameters=True,
        )
        event.listen(engine, "do_connect", _resolve)
        event.listen(engine, "connect", _prepare_postgres)
        return engine

    def _dispose(self) -> None:
        engine, self._engine = self._engine, None
        if engine is not None:
            engine.dispose()


_POSTGRES = {
    "connect_timeout": _CONNECT_S,
    "application_name": "freshet",
    "prepare_threshold": None,  # a pooler between us and the database would mix statements up
    "keepalives_idle": 10,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 5_000,
}


def _address(url: str) -> URL:
    """Read an address as hosts write it, for the driver that is installed."""
    return make_url(url).set(drivername="postgresql+psycopg")


def _prepare_sqlite(connection: Any, record: object) -> None:
    del record
    for pragma in (
        "journal_mode=WAL",
        "synchronous=NORMAL",  # a power cut may take the last moments, never the file
        "foreign_keys=ON",
    ):
        connection.execute(f"PRAGMA {pragma}").close()


@contextmanager
def _within(connection: Connection, patience_s: float) -> Iterator[None]:
    """End what SQLite does after so long: it has one thread, and others wait. Postgres has a setting of its own."""
    if connection.dialect.name != "sqlite":
        yield
        return
    driver: Any = connection.connection.driver_connection
    until = time.monotonic() + patience_s
    driver.set_progress_handler(lambda: time.monotonic() > until, _STEPS)
    try:
        yield
    finally:
        driver.set_progress_handler(None, 0)


def _begin_sqlite(connection: Connection) -> None:
    """Begin for real: the driver would begin late, and a read that turns into a write can be refused."""
    write = connection.get_execution_options().get("freshet_write")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def _prepare_postgres(connection: Any, record: object) -> None:
    del record
    connection.autocommit = True
    connection.execute(f"SET statement_timeout = {_STATEMENT_MS}")
    connection.execute(f"SET lock_timeout = {_STATEMENT_MS // 2}")
    connection.execute(f"SET idle_in_transaction_session_timeout = {3 * _STATEMENT_MS}")
    connection.autocommit = False


def _resolve(dialect: object, record: object, arguments: object, options: dict[str, Any]) -> None:
    """Look the host up ourselves: the driver's library would block all of the process meanwhile."""
    del dialect, record, arguments
    host = options.get("host")
    if isinstance(host, str) and host and not host.startswith("/") and "," not in host:
        found = socket.getaddrinfo(host, options.get("port") or 5432, type=socket.SOCK_STREAM)
        options["hostaddr"] = found[0][4][0]


def _told(error: Exception) -> str:
    """Say what a driver said, for the operator: one line, without statements and their values."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    line = next(iter(str(cause).strip().splitlines()), "")
    return f"{type(cause).__name__}: {line[:200]}"

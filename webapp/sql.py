"""What all users of a database share: addresses of Postgres, options of its driver, SQLite's connection and locks, error texts."""

from __future__ import annotations

import fcntl
import math
import os
import socket
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError

from webapp.offload import short_lock

_LOCK_CHECK_S = 0.01

POSTGRES_OPTIONS = {
    "application_name": "freshet",
    "prepare_threshold": None,  # behind a pooler such as PgBouncer, prepared statements get mixed up
    "keepalives_idle": 10,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 5_000,
}


def parse_postgres_url(url: str) -> URL:
    """Parse `postgres://…` or `postgresql://…`, as hosts write it, and select the installed driver."""
    return make_url(url).set(drivername="postgresql+psycopg")


def resolve_host(dialect: object, record: object, arguments: object, options: dict[str, Any]) -> None:
    """Resolve the host with `socket`, which gevent patches: libpq's own lookup would block the whole process."""
    del dialect, record, arguments
    host = options.get("host")
    if isinstance(host, str) and host and not host.startswith("/") and "," not in host:
        found = socket.getaddrinfo(host, options.get("port") or 5432, type=socket.SOCK_STREAM)
        options["hostaddr"] = found[0][4][0]


FileIdentity = tuple[int, int]
"""Which file is at a path, by its device and number: another one at the same path has another identity."""


def find_identity(path: str | Path) -> FileIdentity | None:
    """Return the identity of the file at a path; None if there is none."""
    try:
        return identity_of(os.stat(path))  # noqa: PTH116  (half the time of `Path.stat`)
    except OSError:
        return None


def identity_of(found: os.stat_result) -> FileIdentity:
    """Return the identity of an open file."""
    return found.st_dev, found.st_ino


def find_sqlite_files(path: Path) -> tuple[FileIdentity | None, ...]:
    """Return the identities of a SQLite file and of its log, in which the last changes are."""
    return find_identity(path), find_identity(f"{path}-wal")


def are_replaced(known: tuple[FileIdentity | None, ...], found: tuple[FileIdentity | None, ...]) -> bool:
    """Return whether files were removed or replaced that a connection has open: nobody else reads what it writes there."""
    return any(one not in (None, other) for one, other in zip(known, found, strict=True))


def make_sqlite_engine(path: Path, lock_s: float) -> Engine:
    """Return an engine with one connection to a SQLite file, which waits `lock_s` for a lock of another process.

    A transaction is for writing if its connection has the execution option `freshet_write`.
    """
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        connect_args={"timeout": lock_s, "check_same_thread": False, "isolation_level": None},
        pool_size=1,
        max_overflow=0,
        hide_parameters=True,
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, record: object) -> None:
    del record
    for pragma in (
        "journal_mode=WAL",
        "synchronous=NORMAL",  # a power cut may lose the last transactions, but never corrupts the file
        "foreign_keys=ON",
    ):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: Connection) -> None:
    """Begin the transaction at once. The driver begins it late, and a read that becomes a write can then fail."""
    write = connection.get_execution_options().get("freshet_write")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


@contextmanager
def file_lock(path: Path, wait_s: float = math.inf) -> Iterator[None]:
    """Hold a lock between processes during the `with`; waits while another process holds it.

    Raises `TimeoutError` after `wait_s`. The operating system releases the lock when a process dies. It blocks the thread, so
    call it only in a native one.
    """
    descriptor = _lock_file(path, time.monotonic() + wait_s)
    try:
        yield
    finally:
        os.close(descriptor)


def _lock_file(path: Path, deadline: float) -> int:
    """Return the descriptor of a locked file that is still at `path`: the lock of a removed one keeps nobody out."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            _lock(descriptor, deadline)
            is_current = find_identity(path) == identity_of(os.fstat(descriptor))
        except BaseException:
            os.close(descriptor)
            raise
        if is_current:
            return descriptor
        os.close(descriptor)


def _lock(descriptor: int, deadline: float) -> None:
    pause = short_lock()  # its `acquire` sleeps in this thread only
    pause.acquire()
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise TimeoutError("another process holds the lock of the tables") from None
            pause.acquire(timeout=_LOCK_CHECK_S)


def describe_error(error: Exception) -> str:
    """Return a driver's error as one line for the log, without statements and their values."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    line = next(iter(str(cause).strip().splitlines()), "")
    return f"{type(cause).__name__}: {line[:200]}"


@contextmanager
def driver_cursor(connection: Connection) -> Iterator[Any]:
    """Open the driver's own cursor in a transaction of SQLAlchemy, for what SQLAlchemy cannot ask of it. Raises SQLAlchemy's errors."""
    dialect = connection.dialect
    base: Any = dialect.loaded_dbapi.Error
    try:
        with closing(connection.connection.cursor()) as cursor:
            yield cursor
    except base as error:
        raise DBAPIError.instance(None, None, error, base, dialect=dialect) from None

"""One connection to a journal's tables: opened when it is needed, and again after a failure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeVar

from sqlalchemy import Connection as SqlConnection
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from webapp.errors import JournalUnavailable
from webapp.journal.places import SqlPlace
from webapp.journal.schema import OtherVersion
from webapp.sql import FileIdentity, are_replaced, describe_error

T = TypeVar("T")
Mode = Literal["read", "write", "lazy", "news", "lazy news"]
"""`lazy` writes may be lost when the database's machine fails; nobody waits for its disk. `news` are frames for readers."""

_OPTIONS: dict[Mode, dict[str, bool]] = {
    "read": {},
    "write": {"freshet_write": True},
    "lazy": {"freshet_write": True, "freshet_lazy": True},
    "news": {"freshet_write": True, "freshet_news": True},
    "lazy news": {"freshet_write": True, "freshet_lazy": True, "freshet_news": True},
}


class Channel:
    """A connection, for one thread at a time."""

    def __init__(self, place: SqlPlace) -> None:
        self._place = place
        self._engine: Engine | None = None
        self._files: tuple[FileIdentity | None, ...] = ()

    def run(self, work: Callable[[SqlConnection], T], mode: Mode) -> T:
        """Run `work` in a transaction. Raises `JournalUnavailable`; the next call then connects again."""
        try:
            self._close_if_replaced()
            try:
                return self._run(work, mode)
            except _NotBegun:  # the connection was closed while it was idle: nothing has been done yet
                return self._run(work, mode)
        except _NotBegun as error:
            raise _unavailable(error.error) from None
        except OtherVersion as error:
            self.close()
            raise JournalUnavailable(detail=str(error), code="journal_outdated") from None
        except (SQLAlchemyError, OSError) as error:
            if not _is_lock(error):
                self.close()
            raise _unavailable(error) from None

    def close(self) -> None:
        """Close the connection."""
        engine, self._engine = self._engine, None
        if engine is not None:
            engine.dispose()

    def _run(self, work: Callable[[SqlConnection], T], mode: Mode) -> T:
        connected = self._engine is not None
        with self._open().connect() as plain:
            connection = plain.execution_options(**_OPTIONS[mode])
            self._place.start_limit(connection)
            try:
                transaction = connection.begin()
            except DBAPIError as error:
                if not (connected and error.connection_invalidated):
                    raise
                raise _NotBegun(error) from None
            with transaction:
                return work(connection)

    def _open(self) -> Engine:
        if self._engine is None:
            engine = self._place.make_engine()
            try:
                self._place.prepare(engine)
            except BaseException:
                engine.dispose()
                raise
            self._engine, self._files = engine, self._place.find_files()
        return self._engine

    def _close_if_replaced(self) -> None:
        if self._engine is not None and are_replaced(self._files, self._place.find_files()):
            self.close()
            self._place.remove_remains(self._files)


class _NotBegun(Exception):
    """No transaction could begin on a connection that had been open before."""

    def __init__(self, error: DBAPIError) -> None:
        super().__init__()
        self.error = error


def _is_lock(error: Exception) -> bool:
    """Return whether another process holds SQLite's lock; the connection then stays usable."""
    return "database is locked" in str(error)


def _unavailable(error: Exception) -> JournalUnavailable:
    return JournalUnavailable(detail=describe_error(error))

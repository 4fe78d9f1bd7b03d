"""One connection to a journal's tables: opened when it is needed, and again after a failure."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any, TypeVar

import psycopg
from sqlalchemy.exc import SQLAlchemyError

from webapp.errors import JournalUnavailable
from webapp.journal.places import Mode, SqlPlace
from webapp.journal.schema import OtherVersion
from webapp.journal.transaction import Transaction
from webapp.sql import FileIdentity, are_replaced, describe_error

T = TypeVar("T")

_DRIVER_ERRORS = (sqlite3.Error, psycopg.Error)


class Channel:
    """A connection, for one thread at a time."""

    def __init__(self, place: SqlPlace) -> None:
        self._place = place
        self._driver: Any = None
        self._files: tuple[FileIdentity | None, ...] = ()

    def run(self, work: Callable[[Transaction], T], mode: Mode) -> T:
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
        except (*_DRIVER_ERRORS, SQLAlchemyError, OSError) as error:
            if not _is_lock(error):
                self.close()
            raise _unavailable(error) from None

    def close(self) -> None:
        """Close the connection."""
        driver, self._driver = self._driver, None
        if driver is not None:
            driver.close()

    def _run(self, work: Callable[[Transaction], T], mode: Mode) -> T:
        is_new = self._driver is None
        driver = self._open()
        self._place.start_limit(driver)
        try:
            driver.execute(self._place.begin_text(mode))
        except psycopg.Error as error:
            if is_new or not driver.closed:
                raise
            self.close()
            raise _NotBegun(error) from None
        try:
            result = work(Transaction(driver, self._place.dialect))
            driver.commit()
        except BaseException:
            _roll_back(driver)
            raise
        return result

    def _open(self) -> Any:
        """Return the driver's connection. SQLAlchemy opens it, and creates the tables."""
        if self._driver is None:
            engine = self._place.make_engine()
            try:
                self._place.prepare(engine)
                pooled = engine.raw_connection()
                driver = pooled.driver_connection
                pooled.detach()
            finally:
                engine.dispose()
            self._driver, self._files = driver, self._place.find_files()
        return self._driver

    def _close_if_replaced(self) -> None:
        if self._driver is not None and are_replaced(self._files, self._place.find_files()):
            self.close()
            self._place.remove_remains(self._files)


def _roll_back(driver: Any) -> None:
    try:
        driver.rollback()
    except _DRIVER_ERRORS:
        pass  # the connection is broken: what has broken it is raised


class _NotBegun(Exception):
    """No transaction could begin on a connection that had been open before."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error


def _is_lock(error: Exception) -> bool:
    """Return whether another process holds SQLite's lock; the connection then stays usable."""
    return "database is locked" in str(error)


def _unavailable(error: Exception) -> JournalUnavailable:
    return JournalUnavailable(detail=describe_error(error))

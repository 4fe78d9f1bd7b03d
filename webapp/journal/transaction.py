"""Runs a journal's statements on the driver's own connection: SQLAlchemy's part of one took longer than SQLite's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from webapp.journal.sql_texts import INSERT_GROUPS, STATEMENTS, Dialect

Row = tuple[Any, ...]
GroupRow = tuple[str, int, int, int, int, bytes]
"""The values of a group: run, epoch, last_seq, first_seq, size, frames."""


class Transaction:
    """Runs statements by their names in `sql_texts`, in a transaction of the caller's. Raises the driver's errors.

    `driver` is a connection of `sqlite3` or of `psycopg`: the same calls serve both.
    """

    def __init__(self, driver: Any, dialect: Dialect) -> None:
        self.dialect = dialect
        self._driver = driver
        self._texts = STATEMENTS[dialect]

    def query(self, name: str, values: Mapping[str, object] | None = None) -> list[Row]:
        """Run a statement and return its rows."""
        rows: list[Row] = self._driver.execute(self._texts[name], values or ()).fetchall()
        return rows

    def query_first(self, name: str, values: Mapping[str, object] | None = None) -> Row | None:
        """Run a statement and return its first row, if it has one."""
        rows = self.query(name, values)
        return rows[0] if rows else None

    def execute(self, name: str, values: Mapping[str, object] | None = None) -> None:
        """Run a statement that has no rows."""
        self._driver.execute(self._texts[name], values or ())

    def insert_groups(self, rows: Sequence[GroupRow]) -> None:
        """Insert groups."""
        if not rows:
            return
        statement = INSERT_GROUPS[self.dialect]
        if self.dialect == "sqlite":
            self._driver.executemany(statement, rows)
        else:
            self._driver.execute(statement, [list(column) for column in zip(*rows, strict=True)])

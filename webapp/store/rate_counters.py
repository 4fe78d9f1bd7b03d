"""Counters that all workers of a store share: how often something was done in the current minute or hour."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from sqlalchemy import Connection, case, delete, or_, select

from webapp.errors import Unavailable
from webapp.seams import RateLimit
from webapp.store.database import Database
from webapp.store.rows import insert_into
from webapp.store.schema import rate_counters

T = TypeVar("T")

_PAUSE_S = 2.0  # after a failure
_PURGE_EVERY = 1_000  # hits of a worker


class RateCounters:
    """Implements `seams.SharedCounters` in the database. Names are stored as digests: some are addresses."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock
        self._retry_at = 0.0
        self._hits = 0

    def hit(self, limits: Sequence[RateLimit], within_s: float) -> RateLimit | None:
        """See `seams.SharedCounters`."""
        now = self._clock()
        self._hits += 1
        must_purge = self._hits % _PURGE_EVERY == 0

        def work(connection: Connection) -> None:
            _hit(connection, limits, now)
            if must_purge:
                table = rate_counters
                connection.execute(delete(table).where(table.c.expires_at < _milliseconds(now)))

        try:
            self._ask(lambda: self._database.write(work, within_s))
        except _Reached as reached:
            return reached.limit
        return None

    def is_reached(self, limit: RateLimit, within_s: float) -> bool:
        """See `seams.SharedCounters`."""
        table, now = rate_counters.c, self._clock()
        query = select(table.count).where(table.name == _digest(limit), table.slot >= limit.slot(now))

        def work(connection: Connection) -> int:
            return int(connection.execute(query).scalar() or 0)

        return (self._ask(lambda: self._database.read(work, within_s)) or 0) >= limit.most

    def _ask(self, call: Callable[[], T]) -> T | None:
        """Make a call of the database; return None where it does not answer in time, and for a moment after that."""
        if time.monotonic() < self._retry_at:
            return None
        try:
            return call()
        except Unavailable:
            if self._database.state != "opening":  # which it is for a moment only
                self._retry_at = time.monotonic() + _PAUSE_S
            return None


class _Reached(Exception):
    """A limit is reached: the transaction is rolled back, so that nothing is counted."""

    def __init__(self, limit: RateLimit) -> None:
        super().__init__()
        self.limit = limit


def _hit(connection: Connection, limits: Sequence[RateLimit], now: float) -> None:
    """Count one for each limit, in one statement. Raises `_Reached`."""
    by_name = {_digest(limit): limit for limit in limits}
    rows = [
        {
            "name": name,
            "slot": limit.slot(now),
            "count": 1,
            "most": limit.most,
            "expires_at": _milliseconds(now + limit.window_s),
        }
        for name, limit in sorted(
            by_name.items()
        )  # in one order, so that no two transactions wait for each other
    ]
    table = rate_counters.c
    statement = insert_into(connection, rate_counters).values(rows)
    new = statement.excluded
    is_later = new.slot > table.slot  # else it is the same, or this machine's clock is behind
    statement = statement.on_conflict_do_update(
        index_elements=["name"],
        set_={
            "count": case((is_later, 1), else_=table.count + 1),
            "slot": case((is_later, new.slot), else_=table.slot),
            "most": new.most,
            "expires_at": new.expires_at,
        },
        where=or_(is_later, table.count < new.most),
    ).returning(table.name)
    counted = set(connection.execute(statement).scalars())
    for name, limit in by_name.items():
        if name not in counted:
            raise _Reached(limit)


def _digest(limit: RateLimit) -> str:
    return hashlib.sha256(limit.name.encode(errors="replace")).hexdigest()[:32]


def _milliseconds(seconds: float) -> int:
    return int(seconds * 1000)

"""Postgres' notifications that frames were stored, so that a waiting read need not look every 50 ms.

A transaction pooler gives each transaction another session, so nobody would be notified, and the session that was asked
would notify strangers. There, and while the connection is away, reads look every 50 ms as they do on SQLite.
"""

from __future__ import annotations

import threading
import time
from typing import Any

import psycopg
from sqlalchemy.exc import SQLAlchemyError

from webapp.journal.places import NOTIFY_CHANNEL, PostgresPlace, limit

_IDLE_S = 10.0  # after which a connection that no read needs is closed: unread notifications would fill Postgres' queue
_RETRY_S = 10.0
_TURN_S = 1.0


class Listener:
    """Counts notifications in a thread of its own, which runs while reads wait."""

    def __init__(self, place: PostgresPlace) -> None:
        self._place = place
        self._changed = threading.Condition()
        self._count = 0
        self._is_listening = self._is_running = False
        self._wanted_at = self._retry_after = float("-inf")

    @property
    def count(self) -> int:
        """How many notifications there were. Take it before looking, so that none is missed between look and wait."""
        return self._count

    def wait(self, count: int, seconds: float) -> bool:
        """Wait until there are more than `count` notifications; return False at once while there can be none."""
        with self._changed:
            self._wanted_at = time.monotonic()
            if not self._is_running and self._wanted_at > self._retry_after:
                self._is_running = True
                threading.Thread(target=self._run, name="freshet-journal-listen", daemon=True).start()
            if not self._is_listening:
                return False
            self._changed.wait_for(lambda: self._count != count or not self._is_listening, seconds)
            return True

    def close(self) -> None:
        """End the thread, which closes its connection within a second."""
        self._wanted_at = float("-inf")

    def _run(self) -> None:
        engine = self._place.make_engine()
        retry_after = time.monotonic() + _RETRY_S
        try:
            pooled = engine.raw_connection()
            try:
                driver: Any = pooled.driver_connection
                if is_direct(driver):
                    self._listen(driver)
                    retry_after = float("-inf")
            except BaseException:
                pooled.invalidate()  # a broken connection cannot be reset: SQLAlchemy would log a traceback
                raise
            finally:
                pooled.close()
        except (SQLAlchemyError, psycopg.Error, OSError):
            pass  # reads find out by themselves whether the database is away
        finally:
            engine.dispose()
            with self._changed:
                self._is_running, self._retry_after = False, retry_after
                self._tell(listening=False)

    def _listen(self, driver: Any) -> None:
        """Count notifications until no read has waited for a while."""
        limit(driver, _TURN_S)
        driver.execute(f"LISTEN {NOTIFY_CHANNEL}")
        with self._changed:
            self._tell(listening=True)
        while time.monotonic() < self._wanted_at + _IDLE_S:
            limit(driver, 2 * _TURN_S)
            for _ in driver.notifies(timeout=_TURN_S, stop_after=1):
                with self._changed:
                    self._tell(listening=True)

    def _tell(self, *, listening: bool) -> None:
        self._is_listening = listening
        self._count += 1
        self._changed.notify_all()


def is_direct(driver: Any) -> bool:
    """Return whether a connection is to a session of Postgres itself: poolers make up the number of its process."""
    limit(driver, _TURN_S)
    row = driver.execute("SELECT pg_backend_pid()").fetchone()
    return bool(row[0] == driver.info.backend_pid)

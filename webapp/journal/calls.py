"""Calls of a journal on a server or in a file: their limit of time, and what they found of the journal."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from webapp.errors import JournalUnavailable, LeaseLapsed, Unavailable
from webapp.offload import WorkerPool
from webapp.seams import JournalCondition, JournalKind

log_ = logging.getLogger("freshet.journal")

T = TypeVar("T")

TIMEOUT_S = 1.0  # how long a call waits, its place in the queue included
_LOOKUP_SHARE = 0.4  # for looking runs up, which a request does first: its calls have a second together
MAX_QUEUED = 128
_SLOW = "no response in time"


class JournalCalls:
    """Makes calls, and keeps what the last one found, for the operator."""

    def __init__(self, kind: JournalKind, timeout_s: float) -> None:
        self.kind = kind
        self.condition: JournalCondition = "opening"
        self.failure = ""
        self._answered_at = 0.0
        self._logged: JournalCondition = "opening"
        self._timeout_s = timeout_s

    def _call(
        self, pool: WorkerPool, work: Callable[[], T], wait_s: float = 0.0, *, is_lookup: bool = False
    ) -> T:
        """Run `work` in a pool. Raises `JournalUnavailable` after the limit of time, which is `wait_s` longer for work that waits."""
        timeout_s = self._timeout_s + wait_s
        if is_lookup and self.condition == "ready":  # else it has to connect first
            timeout_s *= _LOOKUP_SHARE
        try:
            return self._note(lambda: pool.call(work, timeout_s))
        finally:
            self._log_change()

    def _note(self, call: Callable[[], T]) -> T:
        """Make a call and note whether the journal can be used. Logs nothing: it may be in a native thread.

        A journal that has answered others while this call waited is busy, and not away.
        """
        began = time.monotonic()
        try:
            result = call()
        except LeaseLapsed:
            self.condition, self.failure = "ready", ""
            raise
        except JournalUnavailable as error:
            self.condition = "outdated" if error.code == "journal_outdated" else "away"
            self.failure = error.detail
            raise
        except Unavailable:
            if self._answered_at < began:
                self.condition, self.failure = "away", _SLOW
            raise JournalUnavailable(detail=_SLOW) from None
        self.condition, self.failure = "ready", ""
        self._answered_at = time.monotonic()
        return result

    def _end(self, pool: WorkerPool, close: Callable[[], None]) -> None:
        """Close a connection in the pool that uses it, and the pool."""
        try:
            pool.call(close, self._timeout_s)
        except Unavailable:
            pass  # a call is stuck; its connection ends with the process
        pool.close()

    def _log_change(self) -> None:
        """Log a new condition, also one that a call in a native thread has found."""
        before, self._logged = self._logged, self.condition
        if before == self.condition or (before, self.condition) == ("opening", "ready"):
            return
        if self.condition == "ready":
            log_.info("the %s journal is available again", self.kind)
        else:
            log_.warning("the %s journal is %s: %s", self.kind, self.condition, self.failure)

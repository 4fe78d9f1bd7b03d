"""The memory that runs and requests share: what is in use, and which ended runs are forgotten to make room."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection

from webapp.errors import Unavailable
from webapp.runs.remote_runs import RemoteRuns
from webapp.runs.run import Run
from webapp.runs.run_limits import RunLimits

_RETRY_AFTER_S = 5
_COUNT_EVERY_S = 0.1
_FEW = 64
_EXACT_FROM = 0.5  # of the memory that may be used


class RunMemory:
    """Counts the memory of all runs and of the requests that are being read, and keeps the ended runs.

    Args:
        lock: Guards the runs: what is counted may not change between a check and what it allows.
        known: All runs of this process by id; those that are forgotten are removed.
        active: Those in progress.
    """

    def __init__(
        self,
        limits: RunLimits,
        lock: threading.Lock,
        known: dict[str, Run],
        active: Collection[Run],
    ) -> None:
        self.max_bytes = limits.log_max_bytes
        self._expiry_s = limits.expiry_s
        self._lock = lock
        self._known = known
        self._active = active
        self._remotes: RemoteRuns | None = None
        self._ended: dict[str, Run] = {}  # oldest first
        self._ended_bytes = 0
        self._reserved_bytes = 0  # for requests that are being read
        self._active_bytes = 0  # when they were counted last
        self._counted_at = float("-inf")

    def count_remotes(self, remotes: RemoteRuns) -> None:
        """Count the runs of other workers that are read here, too."""
        self._remotes = remotes

    def keep(self, run: Run) -> None:
        """Keep a run that has ended, until it expires or its memory is needed. Called under the lock."""
        self._ended[run.id] = run
        self._ended_bytes += run.size_bytes

    def reserve(self, size_bytes: int) -> None:
        """Reserve memory for a request that is being read; the caller must call `release`.

        Raises `Unavailable` when the server's memory is full.
        """
        with self._lock:
            self.check(size_bytes)
            self._reserved_bytes += size_bytes

    def release(self, size_bytes: int) -> None:
        """Release memory that `reserve` has reserved."""
        with self._lock:
            self._reserved_bytes -= size_bytes

    def require(self) -> None:
        """Raise `Unavailable` if memory is full."""
        with self._lock:
            self.check(0)

    def check(self, size_bytes: int) -> None:
        """Raise `Unavailable` if memory is full even after the oldest ended runs are forgotten. Called under the lock."""
        others = self._ended_bytes + self._reserved_bytes + size_bytes
        total = self._count_active(others) + others
        if self._remotes is not None:
            if total + self._remotes.size_bytes >= self.max_bytes:
                self._remotes.forget_unread()
            total += self._remotes.size_bytes
        while total >= self.max_bytes and self._ended:
            run = next(iter(self._ended.values()))
            self._forget(run)
            total -= run.size_bytes
        if total >= self.max_bytes:
            raise Unavailable(
                "The server's memory is full. Try again in a moment.",
                retry_after_s=_RETRY_AFTER_S,
                code="full",
            )

    def _count_active(self, others: int) -> int:
        """Return the memory of the runs in progress. Where they are many and memory is not scarce, it is up to 0.1 s old.

        Counting anew for each start would make a thousand of them take a million steps.
        """
        now = time.monotonic()
        is_scarce = self._active_bytes + others > _EXACT_FROM * self.max_bytes
        if is_scarce or len(self._active) <= _FEW or now - self._counted_at > _COUNT_EVERY_S:
            self._active_bytes = sum([run.size_bytes for run in self._active])
            self._counted_at = now
        return self._active_bytes

    def expire(self, now: float) -> None:
        """Forget the runs that ended too long ago."""
        while self._ended:
            with self._lock:
                run = next(iter(self._ended.values()), None)
                if run is None or run.ended_at is None or now - run.ended_at <= self._expiry_s:
                    return
                self._forget(run)

    def _forget(self, run: Run) -> None:
        """Forget an ended run. Called under the lock."""
        del self._ended[run.id]
        del self._known[run.id]
        self._ended_bytes -= run.size_bytes
        run.forget()

"""Reads the journal for the runs of other workers that have readers here: one thread and one query for all of them."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence

from webapp.errors import JournalUnavailable
from webapp.journal_records import MAX_IDS, JournalCursor, JournalUpdate
from webapp.runs.remote_run import READ_BYTES, RemoteRun
from webapp.seams import Journal

log_ = logging.getLogger("freshet.runs")

_PAUSE_S = 0.05  # between two reads, where nobody wakes a read
_WOKEN_PAUSE_S: dict[str, float] = {"postgres": 0.02, "redis": 0.005}  # by the kind of journal
_MAX_PAUSE_S = 2.0  # while the journal is away
_WAIT_S = 0.2  # of one read: how long a run that is added meanwhile is not part of it
_MARK_S = 1.0
_MISSING_S = 20.0  # more than a worker needs to store a run again that the journal has lost


class Follower:
    """Fills the logs of remote runs while they have readers. Its thread ends when none has any.

    `on_missing` is called with a run that the journal has not had for a while.
    """

    def __init__(self, journal: Journal, on_missing: Callable[[RemoteRun], None]) -> None:
        self._journal = journal
        self._on_missing = on_missing
        self._runs: dict[RemoteRun, None] = {}  # in the order in which they were added
        self._missing: dict[RemoteRun, float] = {}  # since when
        self._mark_at = 0.0
        self._lock = threading.Lock()
        self._is_running = False

    def follow(self, run: RemoteRun) -> None:
        """Fill a run's log until it ends or has no reader."""
        with self._lock:
            self._runs[run] = None
            if self._is_running:
                return
            self._is_running = True
        threading.Thread(target=self._work, name="freshet-follower", daemon=True).start()

    def _work(self) -> None:
        usual_s = _WOKEN_PAUSE_S.get(self._journal.kind, _PAUSE_S)
        pause_s = usual_s
        while runs := self._current():
            try:
                has_more = self._read(runs)
                self._mark(runs)
            except JournalUnavailable:  # logged by the journal; the readers get heartbeats meanwhile
                has_more, pause_s = False, min(2 * max(pause_s, _PAUSE_S), _MAX_PAUSE_S)
            except Exception:  # this thread must survive: readers depend on it
                log_.exception("the runs of other workers could not be read")
                has_more, pause_s = False, _MAX_PAUSE_S
            else:
                pause_s = usual_s
            if not has_more:
                time.sleep(pause_s)

    def _current(self) -> list[RemoteRun]:
        """Return the runs to read; without any, the thread must end."""
        with self._lock:
            for run in [run for run in self._runs if not _must_be_read(run)]:
                del self._runs[run]
                self._missing.pop(run, None)
            self._is_running = bool(self._runs)
            return list(self._runs)

    def _read(self, runs: Sequence[RemoteRun]) -> bool:
        """Read once for all runs; return whether more is stored than was read."""
        wait_s = _WAIT_S if len(runs) <= MAX_IDS else 0.0
        has_more = False
        for first in range(0, len(runs), MAX_IDS):
            part = runs[first : first + MAX_IDS]
            cursors: dict[str, JournalCursor] = {run.id: run.cursor for run in part}
            updates = self._journal.read(cursors, READ_BYTES, wait_s)
            for run in part:
                self._apply(run, updates.get(run.id))
            has_more = has_more or any(update.more for update in updates.values())
        return has_more

    def _apply(self, run: RemoteRun, update: JournalUpdate | None) -> None:
        if update is not None:
            self._missing.pop(run, None)
            run.apply(update)
        elif time.monotonic() - self._missing.setdefault(run, time.monotonic()) > _MISSING_S:
            with self._lock:
                self._runs.pop(run, None)
            self._missing.pop(run, None)
            self._on_missing(run)

    def _mark(self, runs: Sequence[RemoteRun]) -> None:
        """Note once a second in the journal that the runs are read, so that their workers do not stop them."""
        now = time.monotonic()
        if now < self._mark_at:
            return
        self._mark_at = now + _MARK_S
        for first in range(0, len(runs), MAX_IDS):
            self._journal.mark_read([run.id for run in runs[first : first + MAX_IDS]])


def _must_be_read(run: RemoteRun) -> bool:
    return run.log.readers > 0 and not run.log.closed and not run.is_handed_over

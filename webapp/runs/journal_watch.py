"""Watches the journal for what other workers ask of this worker's runs, and deletes what has expired."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence

from webapp.errors import JournalUnavailable
from webapp.journal_records import MAX_IDS
from webapp.logs import run_context
from webapp.offload import start_thread
from webapp.runs.run import Run
from webapp.seams import Journal

log_ = logging.getLogger("freshet.journal")

_CHECK_S = 0.25
_MARK_OVERDUE_S = 2.0  # other workers mark the runs that are read there once a second
_BEGIN_S = 0.2  # a run counts as read when it begins, which is no reader
_EXPIRE_EVERY_S = 5.0
_EXPIRE_AT_ONCE = 100
_MAX_EXPIRE_CALLS = 20
_MAX_MOVES = 100


class JournalWatch:
    """One thread, while there are runs, and until the last ones have expired.

    It stops runs that a reader of another worker has stopped, or that nobody reads on any worker, and repeats changes of
    owner that the journal could not take.
    """

    def __init__(
        self, journal: Journal, worker: str, list_active: Callable[[], Sequence[Run]], expiry_s: float
    ) -> None:
        self._journal = journal
        self._worker = worker
        self._list_active = list_active
        self._expiry_s = expiry_s
        self._lock = threading.Lock()
        self._is_running = False
        self._is_closed = False
        self._wake = threading.Event()
        self._moves: list[tuple[str, str]] = []
        self._expire_at = 0.0
        self._leave_at = 0.0

    def start(self) -> None:
        """Begin to watch, because there is a run. Idempotent."""
        with self._lock:
            self._leave_at = time.monotonic() + self._expiry_s + 2 * _EXPIRE_EVERY_S
            self._wake.set()
            if self._is_running:
                return
            self._is_running = True
        threading.Thread(target=self._serve, name="freshet-journal-watch", daemon=True).start()

    def close(self) -> None:
        """Watch no more."""
        self._is_closed = True
        self._wake.set()

    def leave(self, run: Run) -> None:
        """Stop a run whose last reader here has left and wanted that, unless it is read elsewhere. Returns at once."""
        try:
            start_thread(lambda: self._leave(run), f"leave-{run.id[:8]}")
        except RuntimeError:  # no more threads can be had
            run.request_stop("orphan")

    def move_owner(self, source: str, target: str) -> None:
        """Transfer all runs of one owner to another, now or once the journal is available."""
        try:
            self._journal.move_owner(source, target)
        except JournalUnavailable:
            if len(self._moves) < _MAX_MOVES:
                self._moves.append((source, target))
            self.start()

    def check(self, now: float) -> None:
        """Check everything once."""
        active = [run for run in self._list_active() if run.ended_at is None]
        try:
            self._repeat_moves()
            if active:
                self._leave_at = now + self._expiry_s + 2 * _EXPIRE_EVERY_S
                self._check_stops(active)
            self._check_orphans(active, now)
            self._expire(now)
        except JournalUnavailable:
            self._stop_orphans(active, now)

    def _serve(self) -> None:
        while True:
            if self._moves or any(run.ended_at is None for run in self._list_active()):
                time.sleep(_CHECK_S)
            else:
                self._wake.wait(_EXPIRE_EVERY_S)
                self._wake.clear()
            if self._is_closed:
                return
            now = time.monotonic()
            try:
                self.check(now)
            except Exception:  # every run depends on this thread
                log_.exception("the journal could not be watched")
            with self._lock:
                if now >= self._leave_at and not self._moves:
                    self._is_running = False
                    return

    def _check_stops(self, active: Sequence[Run]) -> None:
        stops = self._journal.find_stops(self._worker)
        for run in active:
            by = stops.get(run.id)
            if by is not None:
                with run_context(run.id):
                    run.request_stop(by)

    def _check_orphans(self, active: Sequence[Run], now: float) -> None:
        """Stop the runs that nobody reads here, unless somebody reads them elsewhere."""
        orphans = [run for run in active if run.is_orphan(now)]
        self._note_readers_elsewhere(orphans, now)
        self._stop_orphans(orphans, now)

    def _note_readers_elsewhere(self, runs: Sequence[Run], now: float) -> None:
        """Learn when other workers' readers of these runs were last seen, who are there until the next mark is overdue."""
        for start in range(0, len(runs), MAX_IDS):
            unread_s = self._journal.measure_unread_s([run.id for run in runs[start : start + MAX_IDS]])
            for run in runs[start : start + MAX_IDS]:
                seen_at = now - unread_s.get(run.id, now - run.began_at)
                if seen_at > run.began_at + _BEGIN_S:
                    run.log.idle_since = max(run.log.idle_since, seen_at + _MARK_OVERDUE_S)

    def _leave(self, run: Run) -> None:
        now = time.monotonic()
        try:
            self._note_readers_elsewhere([run], now)
        except JournalUnavailable:
            pass  # nobody can be reading it elsewhere
        if not run.log.readers and run.log.idle_since <= now:
            run.request_stop("orphan")

    def _stop_orphans(self, runs: Sequence[Run], now: float) -> None:
        for run in runs:
            if run.is_orphan(now):
                with run_context(run.id):
                    run.request_stop("orphan")

    def _repeat_moves(self) -> None:
        while self._moves:
            self._journal.move_owner(*self._moves[0])
            del self._moves[0]

    def _expire(self, now: float) -> None:
        if now < self._expire_at:
            return
        self._expire_at = now + _EXPIRE_EVERY_S
        for _ in range(_MAX_EXPIRE_CALLS):
            if self._journal.expire(self._expiry_s, _EXPIRE_AT_ONCE) < _EXPIRE_AT_ONCE:
                return

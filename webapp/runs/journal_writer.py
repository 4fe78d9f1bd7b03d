"""Writes the frames of this worker's runs to the journal, in groups."""

from __future__ import annotations

import logging
import threading
import time

from webapp.errors import JournalUnavailable
from webapp.journal_records import MAX_IDS, JournalGroup
from webapp.logs import run_context
from webapp.runs.record import RunRecord
from webapp.seams import Journal

log_ = logging.getLogger("freshet.journal")

_GROUP_S = 0.05
_GROUP_REDIS_S = 0.01  # its readers are woken, so that this is most of what they wait
_FIRST_PAUSE_S, _LAST_PAUSE_S = 0.2, 2.0  # after failures
_CATCH_UP_S = 2.0  # for one run
_APPEND_BYTES = 4 * 1024**2  # of one transaction
_FLUSH_CHECK_S = 0.02


class JournalWriter:
    """One thread for all runs, which is there only while something may have to be written.

    Every 50 ms, in Redis every 10 ms, it stores what is new of each run, all in one transaction. While the journal is away the frames stay in the
    runs' logs.
    """

    def __init__(self, journal: Journal, worker: str) -> None:
        self._journal = journal
        self._worker = worker
        self._group_s = _GROUP_REDIS_S if journal.kind == "redis" else _GROUP_S
        self._records: dict[RunRecord, None] = {}  # in the order in which they are served
        self._lock = threading.Lock()
        self._is_running = False
        self._is_closed = False
        self._wake = threading.Event()
        self._written_at = 0.0  # when the last complete pass began

    @property
    def has_records(self) -> bool:
        """Whether there are runs whose end is not stored."""
        return bool(self._records)

    def add(self, record: RunRecord) -> None:
        """Write this run until its end is stored. Idempotent."""
        with self._lock:
            if self._is_closed:
                return
            self._records[record] = None
            if self._is_running:
                return
            self._is_running = True
            self._written_at = time.monotonic()
        threading.Thread(target=self._serve, name="freshet-journal", daemon=True).start()

    def list_records(self) -> list[RunRecord]:
        """Return the runs whose end is not stored."""
        return list(self._records)

    def lag_s(self) -> float:
        """Return how far the journal is behind the runs' logs."""
        return time.monotonic() - self._written_at if self._records else 0.0

    def close(self, within_s: float) -> None:
        """Wait until the ends of all runs are stored, for at most `within_s`, and write nothing more after that."""
        until = time.monotonic() + within_s
        self._wake.set()
        while self._records and time.monotonic() < until:
            time.sleep(_FLUSH_CHECK_S)
        with self._lock:
            self._records.clear()
            self._is_closed = True
        self._wake.set()

    def _serve(self) -> None:
        pause_s = self._group_s
        while True:
            self._wake.wait(pause_s)
            self._wake.clear()
            pause_s = self._write_once(pause_s)
            with self._lock:
                if not self._records:
                    self._is_running = False
                    return

    def _write_once(self, pause_s: float) -> float:
        """Write what is new; return the seconds until the next time."""
        began = time.monotonic()
        try:
            self._write()
        except JournalUnavailable:
            return min(_LAST_PAUSE_S, max(_FIRST_PAUSE_S, 2 * pause_s))
        except Exception:  # every run depends on this thread
            log_.exception("running answers could not be written to the journal")
            return _LAST_PAUSE_S
        self._written_at = began
        return self._group_s

    def _write(self) -> None:
        groups: dict[RunRecord, JournalGroup] = {}
        size = 0
        for record in list(self._records):
            group = record.next_group()
            if group is not None:
                groups[record] = group
                size += sum([len(frame.payload) for frame in group.frames])
                if size > _APPEND_BYTES or len(groups) == MAX_IDS:
                    self._append(groups)
                    groups, size = {}, 0
            elif record.is_ended:
                self._records.pop(record, None)
            elif record.is_behind:
                self._catch_up(record)
        if groups:
            self._append(groups)

    def _catch_up(self, record: RunRecord) -> None:
        with run_context(record.run):
            try:
                record.catch_up(_CATCH_UP_S)
            except JournalUnavailable:
                self._records.pop(record, None)
                self.add(record)  # the others first, the next time
                raise
            except Exception:  # the other runs depend on this thread
                log_.exception("the run cannot be stored in the journal")
                record.abandon()

    def _append(self, groups: dict[RunRecord, JournalGroup]) -> None:
        refused = self._journal.append(self._worker, list(groups.values()))
        for record, group in groups.items():
            record.note_appended(group, refused.get(record.run))

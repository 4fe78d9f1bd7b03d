"""What this worker has to do with the journal of running answers: its lease, its writer, and what others ask of its runs."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence

from webapp.errors import JournalUnavailable, LeaseLapsed
from webapp.frames import start_frame
from webapp.journal_records import JournalEntry, JournalRun
from webapp.offload import start_thread
from webapp.runs.journal_watch import JournalWatch
from webapp.runs.journal_writer import JournalWriter
from webapp.runs.lease import Lease
from webapp.runs.record import MAX_AT_ONCE, RunRecord
from webapp.runs.run import Run
from webapp.runs.run_spec import RunSpec
from webapp.seams import Journal

log_ = logging.getLogger("freshet.journal")

_BEGIN_S = 1.0  # for a place among the runs that begin
_SLOW_S = 0.8  # a call that fails later was not refused: the journal is busy, or this process stood still
_OPEN_S = 2.0
_OPEN_AGAIN_S = 0.1


class Journaling:
    """The journal as this worker uses it. `worker` is a name that no other process has had."""

    def __init__(
        self,
        journal: Journal,
        worker: str,
        *,
        lease_s: float,
        expiry_s: float,
        list_active: Callable[[], Sequence[Run]],
    ) -> None:
        self.journal = journal
        self.worker = worker
        self._begin_slots = threading.BoundedSemaphore(MAX_AT_ONCE)
        self._end_slots = threading.BoundedSemaphore(MAX_AT_ONCE)
        self.writer = JournalWriter(journal, worker)
        self.lease = Lease(journal, worker, lease_s, lambda: self.writer.has_records, self._verify_missing)
        self.watch = JournalWatch(journal, worker, list_active, expiry_s)

    def open(self) -> None:
        """Open the journal's connections and begin the lease. Waits two seconds at most: without a journal the server serves, too.

        A start waits for the journal for a second, and opening a remote one on a busy machine may take longer.
        """
        is_open = threading.Event()

        def work() -> None:
            try:
                self._open(time.monotonic() + _OPEN_S)
            finally:
                is_open.set()

        start_thread(work, "journal-open")
        is_open.wait(_OPEN_S)

    def begin(self, run: Run, spec: RunSpec) -> JournalRun | None:
        """Store a new run before its provider is called; return what the journal has if it knows its id already.

        Waits about two seconds at most. While the journal is away the run is stored later, without a wait.
        """
        record = self._make_record(run, spec)
        known = self._begin(record)
        if known is None:
            self._keep(run, record)
        return known

    def prepare_takeovers(self) -> None:
        """Begin the lease, and watch what is taken over until it has expired. Raises `JournalUnavailable`."""
        self.lease.hold()
        self.watch.start()

    def take_over(self, run: Run, spec: RunSpec, row: JournalRun) -> None:
        """Store a run from now on that this worker has seized; `row` is what the journal has of it."""
        record = self._make_record(run, spec)
        record.adopt(row)
        self._keep(run, record)

    def close(self, within_s: float) -> None:
        """Store what is left, for at most `within_s`, end the lease and close the journal."""
        self.writer.close(within_s)
        self.watch.close()
        try:
            self.lease.stop()
        except JournalUnavailable:
            pass  # it lapses by itself
        self.journal.close()

    def _make_record(self, run: Run, spec: RunSpec) -> RunRecord:
        return RunRecord(
            self.journal,
            run.log,
            _entry_of(run, spec, self.worker),
            end_slots=self._end_slots,
            has_lease=self.lease.is_valid,
            wait_for_lease=self.lease.wait_until_valid,
            on_lost=run.lose,
            on_late=self.writer.add,
        )

    def _keep(self, run: Run, record: RunRecord) -> None:
        run.keep_record(record)
        self.writer.add(record)
        self.watch.start()

    def _open(self, until: float) -> None:
        while True:
            try:
                self.lease.hold()
                self.journal.now()
                return
            except JournalUnavailable:  # the journal has logged it
                if time.monotonic() > until:
                    return
            time.sleep(_OPEN_AGAIN_S)

    def _begin(self, record: RunRecord) -> JournalRun | None:
        if self.journal.condition in ("away", "outdated", "closed") or not self._begin_slots.acquire(
            timeout=_BEGIN_S
        ):
            return None
        try:
            self.lease.hold()
            began = time.monotonic()
            try:
                return self._begin_with_lease(record)
            except JournalUnavailable:
                if time.monotonic() - began < _SLOW_S:
                    raise
            known = self._begin_with_lease(record)
            if known is not None and known.worker == self.worker and known.state == "running":
                record.adopt(known)  # the first call has stored it
                return None
            return known
        except JournalUnavailable:
            return None
        finally:
            self._begin_slots.release()

    def _begin_with_lease(self, record: RunRecord) -> JournalRun | None:
        try:
            return record.begin()
        except LeaseLapsed:
            self.lease.restore()
            return record.begin()

    def _verify_missing(self, rows: Sequence[JournalRun]) -> None:
        """Find out which runs others have taken over while the lease had lapsed."""
        kept = {row.run for row in rows}
        for record in self.writer.list_records():
            if record.run not in kept:
                record.verify()


def _entry_of(run: Run, spec: RunSpec, worker: str) -> JournalEntry:
    """Return a run's entry, without frames. Of a run without an owner no text is stored."""
    return JournalEntry(
        run=run.id,
        owner=spec.owner,
        fingerprint=spec.fingerprint,
        start=start_frame(run.log.start).payload,
        request=spec.reference,
        worker=worker,
        conversation=spec.conversation,
        temporary=spec.owner is None,
    )

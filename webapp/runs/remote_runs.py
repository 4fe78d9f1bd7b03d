"""The runs of other workers: found in the journal, read and stopped through it, and forgotten when nobody reads them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from webapp.errors import Conflict, JournalUnavailable, NotFound, Unavailable
from webapp.frames import Cursor, is_run_id
from webapp.journal_records import JournalRun
from webapp.runs.follower import Follower
from webapp.runs.log import RunLog
from webapp.runs.remote_run import RemoteRun
from webapp.runs.run import Run
from webapp.seams import Journal

AnyRun = Run | RemoteRun

_FRESH_S = 0.05  # a log that was read so recently is not read again
_KEEP_S = 5.0  # without readers
_RETRY_AFTER_S = 5


class RemoteRuns:
    """The runs of other workers that this one knows.

    Args:
        reserve: Called before a run is loaded; raises `Unavailable` while memory is full.
        on_missing: Called with a run that the journal has lost; its readers must look for it anew.
    """

    def __init__(
        self,
        journal: Journal,
        worker: str,
        max_runs: int,
        reserve: Callable[[], None],
        on_missing: Callable[[RemoteRun], None],
    ) -> None:
        self._journal = journal
        self._worker = worker
        self._max_runs = max_runs
        self._reserve = reserve
        self._on_missing = on_missing
        self._follower = Follower(journal, self._forget_missing)
        self._runs: dict[str, RemoteRun] = {}
        self._lock = threading.Lock()

    @property
    def size_bytes(self) -> int:
        """The approximate size of the runs in memory."""
        return sum(run.size_bytes for run in list(self._runs.values()))

    def find_row(self, name: str) -> JournalRun | None:
        """Return what the journal knows of a run; None if it is unknown. Raises `JournalUnavailable`."""
        if not is_run_id(name):
            return None
        if self._journal.condition in ("away", "outdated"):  # the lease's thread finds out when it is back
            raise JournalUnavailable
        return self._journal.find(name)

    def find(self, name: str) -> RemoteRun | None:
        """Return a run to stop or to `load`, of which nothing may be read yet; None if it is unknown.

        Raises `JournalUnavailable`.
        """
        known = self._runs.get(name)
        if known is not None:
            return known
        row = self.find_row(name)
        if row is None or (row.temporary and row.worker == self._worker and not row.takeovers):
            return None  # of a temporary run that this worker has forgotten, nobody has the text
        return RemoteRun.from_row(self._journal, row)

    def is_running(self, name: str) -> bool:
        """Return whether a run is in progress; False while the journal is away."""
        known = self._runs.get(name)
        if known is not None:
            return not known.log.closed
        try:
            row = self.find_row(name)
        except JournalUnavailable:
            return False
        return row is not None and row.state == "running"

    def find_ended_or_running(self, name: str) -> RemoteRun | None:
        """Return a run, loaded if it has ended; None if it is unknown. Raises `JournalUnavailable` and `Unavailable`."""
        known = self._runs.get(name)
        if known is not None:
            return known
        row = self.find_row(name)
        if row is None:
            return None
        run = RemoteRun.from_row(self._journal, row)
        return self.load(run) if row.state == "ended" else run

    def load(self, run: RemoteRun) -> RemoteRun:
        """Load all that is stored of a run's answer, and keep it; return it, or the one with its id that is known.

        Raises `NotFound` if the journal no longer has it, `JournalUnavailable`, and `Unavailable` while memory is full, or if
        only the run's own worker has its text.
        """
        known = self._runs.get(run.id)
        if known is not None:
            return known
        if run.text_elsewhere:
            raise Unavailable(
                "This answer is on another worker of the server, and not shared. Try again.",
                code="elsewhere",
                retry_after_s=1,
            )
        self._reserve()
        if not run.catch_up():
            raise run_not_found()
        return self._keep(run)

    def join(self, row: JournalRun, owner: str | None, fingerprint: str) -> RemoteRun:
        """Return a stored run that a request would start again. Raises as `load` and `check_same`."""
        run = RemoteRun.from_row(self._journal, row)
        check_same(run, owner, fingerprint)
        return self.load(run)

    def adopt(self, run: Run) -> RemoteRun:
        """Return the remote run that a run of this worker has become, with the same log; its readers go on."""
        with self._lock:
            remote = self._runs.get(run.id)
            if remote is None or remote.log is not run.log:
                remote = self._runs[run.id] = RemoteRun.from_lost(self._journal, run)
        if remote.log.readers:
            self._follower.follow(remote)
        return remote

    def hand_over(self, name: str) -> RunLog | None:
        """Return the log of a run that this worker takes over, with its readers; None if the run is not known."""
        with self._lock:
            run = self._runs.pop(name, None)
        return None if run is None else run.hand_over()

    def refresh(self, run: RemoteRun, cursor: Cursor | None) -> None:
        """Bring a run up to date for a reader with `cursor`, if the journal can be reached."""
        if run.is_handed_over or not (time.monotonic() - run.read_at > _FRESH_S or run.is_behind(cursor)):
            return
        try:
            run.catch_up(cursor)
        except JournalUnavailable:
            pass  # the follower goes on when it is back

    def follow(self, run: RemoteRun, cursor: Cursor | None) -> None:
        """Bring a run up to date for a reader with `cursor`, who has subscribed to its log, and keep it so."""
        if run.is_handed_over:
            return
        with self._lock:
            self._runs.setdefault(run.id, run)
        self.refresh(run, cursor)
        if not run.log.closed:
            self._follower.follow(run)

    def list_running(self, owner: str, conversation: str | None = None) -> list[JournalRun]:
        """Return an owner's runs in progress, the newest first, those of this worker included; none while the journal is away."""
        if self._journal.condition in ("away", "outdated"):
            return []
        try:
            return self._journal.list_running(owner, conversation)
        except JournalUnavailable:
            return []

    def request_stop(self, row: JournalRun) -> None:
        """Ask a run's worker to stop it, if the journal can be reached."""
        try:
            self._journal.request_stop(row.run, "user")
        except JournalUnavailable:
            pass  # logged by the journal

    def change_owner(self, source: str, target: str) -> None:
        """Transfer the runs of one owner to another."""
        for run in list(self._runs.values()):
            if run.owner == source:
                run.owner = target

    def expire(self, now: float) -> None:
        """Forget the runs that nobody has read for a few seconds. Does no I/O."""
        for run in list(self._runs.values()):
            if not run.log.readers and now - run.log.idle_since > _KEEP_S:
                self._forget(run)

    def forget_unread(self) -> None:
        """Forget all runs without readers, because memory is full."""
        for run in list(self._runs.values()):
            if not run.log.readers:
                self._forget(run)

    def _keep(self, run: RemoteRun) -> RemoteRun:
        if len(self._runs) >= self._max_runs:
            self.forget_unread()
        with self._lock:
            if len(self._runs) >= self._max_runs:
                raise Unavailable(
                    "Too many answers of other workers are read. Try again in a moment.",
                    code="full",
                    retry_after_s=_RETRY_AFTER_S,
                )
            return self._runs.setdefault(run.id, run)

    def _forget(self, run: RemoteRun) -> None:
        with self._lock:
            if self._runs.get(run.id) is run:
                del self._runs[run.id]

    def _forget_missing(self, run: RemoteRun) -> None:
        self._forget(run)
        self._on_missing(run)


def check_same(run: AnyRun | JournalRun, owner: str | None, fingerprint: str) -> None:
    """Raise `NotFound` for a run of another owner, and `Conflict` for one that was started with another body."""
    if run.owner not in (None, owner):
        raise NotFound("There is no such run.", param="run", code="run_not_found")
    if run.fingerprint != fingerprint:
        raise Conflict(
            "This run was started with another body. Use a new run id.", param="run", code="run_conflict"
        )


def run_not_found() -> NotFound:
    """Return the error for a run that does not exist, or is another owner's."""
    return NotFound("There is no such run, or it has expired.", param="run", code="run_not_found")

"""A run of another worker, as this one knows it: its log is filled from the journal."""

from __future__ import annotations

import threading
import time
from decimal import Decimal

import msgspec

from webapp.chat import FinishReason, Usage
from webapp.frames import Cursor, Frame, Start, StoppedBy
from webapp.journal_records import JournalCursor, JournalRun, JournalUpdate
from webapp.runs.log import RunLog
from webapp.runs.progress import State
from webapp.runs.run import Run
from webapp.runs.run_spec import STOP_S, Receipt
from webapp.seams import Journal

READ_BYTES = 8 * 1024**2  # of frames in one read; at least one group is read, whatever its size
_WAIT_S = 0.2  # of one read: journals that nobody wakes look for news several times in it
_CATCH_UP_S = 0.25  # how far the journal may be behind what the run's own worker sends
_OVERHEAD_BYTES = 4 * 1024
_MAX_READS = 64  # to catch up with one run


class _StartFrame(msgspec.Struct):
    start: Start


class _Terminal(msgspec.Struct):
    """What a terminal frame says of the run's end."""

    error: str | None = None
    code: str | None = None
    finish_reason: FinishReason | None = None
    usage: Usage | None = None
    cost: Decimal | None = None
    model: str = ""

    @property
    def state(self) -> State:
        if self.error is not None:
            return "interrupted" if self.code == "interrupted" else "failed"
        return "cancelled" if self.finish_reason == "cancelled" else "done"


_decode_start = msgspec.json.Decoder(_StartFrame).decode
_decode_terminal = msgspec.json.Decoder(_Terminal).decode


class RemoteRun:
    """A run whose answer another worker generates, or has generated.

    Any thread may apply what it has read: what the log has already is skipped. A run that this worker has lost keeps its
    log, so that its readers go on. `text_elsewhere` is true of a temporary run, whose text only its own worker has.
    """

    def __init__(
        self,
        journal: Journal,
        *,
        owner: str | None,
        fingerprint: str,
        log: RunLog,
        temporary: bool,
        text_elsewhere: bool = False,
    ) -> None:
        self.id = log.start.run
        self.owner = owner
        self.fingerprint = fingerprint
        self.log = log
        self.text_elsewhere = text_elsewhere
        self.read_at = 0.0  # when the log was last up to date; 0.0: never
        self.ended_at: float | None = None
        self.is_handed_over = False  # to this worker, whose run fills the log from then on
        self._journal = journal
        self._temporary = temporary
        self._lock = threading.Lock()
        self._end: _Terminal | None = None
        self._closed_ms = 0
        self._note_end()

    @classmethod
    def from_row(cls, journal: Journal, row: JournalRun) -> RemoteRun:
        """Return a stored run; nothing of its answer is read yet."""
        log = RunLog(_decode_start(row.start).start)
        return cls(
            journal,
            owner=row.owner,
            fingerprint=row.fingerprint,
            log=log,
            temporary=row.temporary,
            text_elsewhere=row.temporary and not row.takeovers,
        )

    @classmethod
    def from_lost(cls, journal: Journal, run: Run) -> RemoteRun:
        """Return a run that another worker has taken over from this one, with the same log."""
        return cls(
            journal,
            owner=run.owner,
            fingerprint=run.fingerprint,
            log=run.log,
            temporary=run.owner is None,
        )

    @property
    def conversation(self) -> str | None:
        """The conversation that the answer belongs to, if any."""
        return self.log.start.conversation

    @property
    def state(self) -> State:
        """The state as far as the log says."""
        if self._end is not None:
            return self._end.state
        return "streaming" if len(self.log) > 1 else "queued"

    @property
    def model(self) -> str:
        """The model that is called; a fallback is known at the end."""
        return (self._end.model if self._end is not None else "") or self.log.start.model

    @property
    def size_bytes(self) -> int:
        """The approximate size of the run in memory."""
        return self.log.size_bytes + _OVERHEAD_BYTES

    @property
    def cursor(self) -> JournalCursor:
        """What of the run the log has."""
        with self._lock:
            return JournalCursor(self.log.epoch, self._seq())

    def apply(self, update: JournalUpdate) -> None:
        """Append what was read of the journal, as far as the log does not have it."""
        with self._lock:
            if not update.more:
                self.read_at = time.monotonic()
            log = self.log
            if self.is_handed_over or log.closed or update.epoch < log.epoch:
                return
            if update.epoch > log.epoch:
                if not (update.reset or update.frames):
                    return
                log.begin_epoch(update.epoch, update.reset or self._known_text())
            skipped = self._seq() + 1 - update.first_seq
            if skipped < 0 and not self._temporary:
                return  # read for an older position: the next read is from this one
            new = update.frames[max(0, skipped) :]
            if new:
                log.extend(new, update.epoch)
                self._note_end()

    def catch_up(self, cursor: Cursor | None = None) -> bool:
        """Read all that is stored; return whether the journal has the run.

        The journal may be a moment behind a reader's `cursor`: then this waits for it, for at most a quarter of a second.
        Raises `JournalUnavailable`.
        """
        until = time.monotonic() + _CATCH_UP_S
        wait_s = 0.0
        for _ in range(_MAX_READS):
            if self.log.closed or self.is_handed_over:
                return True
            update = self._journal.read({self.id: self.cursor}, READ_BYTES, wait_s).get(self.id)
            if update is None:
                return False
            self.apply(update)
            wait_s = until - time.monotonic()
            if not update.more and (wait_s <= 0 or not self.is_behind(cursor)):
                break
            wait_s = 0.0 if update.more else wait_s
        return True

    def hand_over(self) -> RunLog:
        """Return the log to a run of this worker, which fills it from now on; the readers go on."""
        with self._lock:
            self.is_handed_over = True
            return self.log

    def request_stop(self, by: StoppedBy) -> None:
        """Ask the run's worker to stop it. Raises `JournalUnavailable`."""
        self._journal.request_stop(self.id, by)

    def stop(self, by: StoppedBy, within_s: float = STOP_S) -> Receipt:
        """Stop the run and return its state, after at most `within_s`. Idempotent. Raises `JournalUnavailable`.

        If its worker has died, the run is ended by the one that takes it over.
        """
        began = time.monotonic()
        self.catch_up()
        if not self.log.closed:
            self.request_stop(by)
            self._wait_ended(began + within_s)
            self._closed_ms = round((time.monotonic() - began) * 1000)
        return self.receipt().as_stopped()

    def receipt(self) -> Receipt:
        """Return the state of the run."""
        end = self._end
        return Receipt(
            run=self.id,
            state=self.state,
            finish_reason=end.finish_reason if end else None,
            usage=end.usage if end else None,
            cost=end.cost if end else None,
            closed_ms=self._closed_ms if end else 0,
        )

    def _wait_ended(self, until: float) -> None:
        while not self.log.closed and (left_s := until - time.monotonic()) > 0:
            updates = self._journal.read({self.id: self.cursor}, READ_BYTES, min(left_s, _WAIT_S))
            if self.id in updates:
                self.apply(updates[self.id])

    def _seq(self) -> int:
        """Return the number of the last frame of the current epoch."""
        return len(self.log) - self.log.epoch_start(self.log.epoch)

    def is_behind(self, cursor: Cursor | None) -> bool:
        """Return whether a reader has more than the log, perhaps of a later epoch: it must not be led back to an earlier one."""
        return cursor is not None and (cursor.epoch, cursor.seq) > (self.log.epoch, self._seq())

    def _known_text(self) -> list[Frame]:
        """Return a reset for an epoch whose own is not stored, because the run is temporary."""
        return self.log.fold()[2]

    def _note_end(self) -> None:
        if self.log.closed:
            last = self.log.frames_from(len(self.log) - 1)[0]
            self._end = _decode_terminal(last.payload)
            self.ended_at = time.monotonic()

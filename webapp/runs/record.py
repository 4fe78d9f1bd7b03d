"""What the journal has of one run of this worker, and how the rest gets there."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Literal

import msgspec

from webapp.errors import JournalUnavailable
from webapp.frames import Frame
from webapp.journal_records import JournalEntry, JournalGroup, JournalRun, Refusal
from webapp.runs.log import RunLog
from webapp.seams import Journal

log_ = logging.getLogger("freshet.journal")

EndOutcome = Literal["stored", "late", "lost"]
"""Of a run's end in the journal. `late`: the journal is away; the writer goes on trying. `lost`: another worker has the run."""

_END_S = 1.0
_END_AWAY_S = 0.25  # where the last call has failed: enough to notice that the journal is available again
_GROUP_BYTES = 1024**2  # of one group: after an outage, no run holds up the others for long
_MAX_STEPS = 50

MAX_AT_ONCE = 48  # beginnings of runs in a worker, and as many ends: a journal refuses calls that wait behind 128 others


class RunRecord:
    """The place of a run in the journal. Its position is the epoch and the last stored frame's number of the run's log.

    The log is the only source of what is stored, so each step may be repeated: after a call whose outcome is unknown the
    position is read back. `append_group` is for the writer's thread; one other thread at a time may take the other steps.
    """

    def __init__(
        self,
        journal: Journal,
        log: RunLog,
        entry: JournalEntry,
        end_slots: threading.Semaphore,
        has_lease: Callable[[], bool],
        wait_for_lease: Callable[[], None],
        on_lost: Callable[[], None],
        on_late: Callable[[RunRecord], None],
    ) -> None:
        """Take the run's log and its entry, without frames.

        `end_slots` limit how many runs of the worker end at once. `has_lease` returns whether the worker's lease is valid, and
        `wait_for_lease` waits for that, see `Lease.wait_until_valid`. `on_lost` is called when another worker has the run,
        `on_late` when the writer must go on trying to store its end.
        """
        self._end_slots = end_slots
        self._has_lease = has_lease
        self._wait_for_lease = wait_for_lease
        self._journal = journal
        self._log = log
        self._entry = entry
        self._on_lost = on_lost
        self._on_late = on_late
        self._lock = threading.Lock()
        self._last: Sequence[Frame] = ()  # the frames that end the run, until the log has them
        self._settled = threading.Event()
        self._epoch = log.epoch
        self._seq = 0
        self._is_begun = False
        self.is_ended = False
        """Whether nothing is left to store: the end is stored, or the run is lost or abandoned."""
        self.is_lost = False

    @property
    def run(self) -> str:
        """The run's id."""
        return self._entry.run

    @property
    def temporary(self) -> bool:
        """Whether the journal gets none of its text."""
        return self._entry.temporary

    @property
    def size_bytes(self) -> int:
        """The size of what is kept in memory for the journal alone."""
        return len(self._entry.request)

    @property
    def is_running(self) -> bool:
        """Whether the journal has the run and not its end, as far as is known."""
        return self._is_begun and not self.is_ended

    @property
    def has_text(self) -> bool:
        """Whether the journal has the run's text so far, but for the last moment, and outlives this worker."""
        is_kept = self._journal.kind != "memory" and self._journal.condition == "ready"
        return is_kept and self._is_begun and not self.temporary

    @property
    def is_behind(self) -> bool:
        """Whether more than a group must be stored, which is what `catch_up` is for."""
        return not self._is_begun or bool(self._last) or self._epoch != self._log.next_epoch

    def is_safe(self) -> bool:
        """Return whether no other worker can have taken the run over: the lease is valid, or nobody knows of the run."""
        return not self._is_begun or self.is_ended or self._has_lease()

    def change_owner(self, owner: str) -> None:
        """Begin the run with another owner, if that has still to be done."""
        self._entry = msgspec.structs.replace(self._entry, owner=owner)

    def begin(self) -> JournalRun | None:
        """Store the run with its frames so far; return what the journal has if it knows the run.

        Raises `JournalUnavailable`.
        """
        log = self._log
        epoch = log.epoch
        if epoch == 1:
            frames = [frame for frame in log.frames_after(1, 0) if not frame.terminal]
            seq = len(frames)
        else:
            frames, seq = log.earlier(epoch), 0
        known = self._journal.begin(msgspec.structs.replace(self._entry, frames=frames, epoch=epoch))
        if known is None:
            self._note_position(epoch, seq)
        return known

    def adopt(self, row: JournalRun) -> None:
        """Take the position over that the journal has; the run is lost if that is another worker's."""
        if row.worker != self._entry.worker or row.epoch > self._log.next_epoch:
            self._lose()
        elif row.state == "ended":
            self._end()
        else:
            self._note_position(row.epoch, row.last_seq)

    def _note_position(self, epoch: int, seq: int) -> None:
        """Note what the journal has. From then on its reference to the request, which may be large, is kept there alone.

        Where the journal loses the run it gets none when it is begun again, so nobody else can continue that run.
        """
        self._is_begun, self._epoch, self._seq = True, epoch, seq
        if self._entry.request:
            self._entry = msgspec.structs.replace(self._entry, request=b"")

    def verify_if_due(self) -> bool:
        """Return whether the run is still this worker's, after waiting for the lease for at most a second if it has lapsed.

        A process that was frozen may have lost the run without noticing.
        """
        if not self.is_safe():
            self._wait_for_lease()
        if not self.is_safe():
            self.verify()
        return not self.is_lost

    def verify(self) -> bool:
        """Return whether the run is still this worker's, as far as the journal can say."""
        if self.is_running and self._journal.condition != "away":
            try:
                self._read_position()
            except JournalUnavailable:
                pass  # nobody takes it over before the journal is back
        return not self.is_lost

    def abandon(self) -> None:
        """Store nothing more of the run."""
        self._end()

    def next_group(self) -> JournalGroup | None:
        """Return the frames that follow those that are stored, up to a limit; None if there are none, or for `catch_up`."""
        epoch, seq, log = self._epoch, self._seq, self._log
        frames = log.frames_after(epoch, seq)
        if not frames or self.is_ended or self._entry.temporary or self.is_behind:
            return None
        if epoch != log.epoch:  # checked after the frames are copied: they may be of the next epoch
            return None
        if frames[-1].terminal:
            frames.pop()
        size = 0
        for number, frame in enumerate(frames):
            size += len(frame.payload)
            if size > _GROUP_BYTES and number:
                del frames[number:]
                break
        return JournalGroup(run=self.run, epoch=epoch, first_seq=seq + 1, frames=frames) if frames else None

    def note_appended(self, group: JournalGroup, refusal: Refusal | None) -> None:
        """Note what became of a group. Raises `JournalUnavailable`."""
        if refusal is None:
            if group.epoch == self._epoch:
                self._seq = max(self._seq, group.last_seq)
        elif refusal == "unknown":
            self._is_begun = False
        elif group.epoch == self._epoch:
            self._read_position()

    def catch_up(self, within_s: float) -> None:
        """Store all that is missing: the beginning, epochs, frames, and the end if there is one.

        Raises `JournalUnavailable`, also after `within_s`. Does nothing while another thread is in here.
        """
        if not self._lock.acquire(blocking=False):
            return
        try:
            self._catch_up(time.monotonic() + within_s)
        finally:
            self._lock.release()

    def end(self, last: Sequence[Frame]) -> EndOutcome:
        """Store the end of the run, whose log has all frames but these; wait for at most about a second.

        The last of them is terminal. If another worker has begun the epoch in which they were to be stored, the run is lost.
        """
        self._last = last
        is_ready = self._journal.condition in ("ready", "opening")
        deadline = time.monotonic() + (_END_S if is_ready else _END_AWAY_S)
        if is_ready and not self.is_ended and self._end_slots.acquire(timeout=_END_S):
            try:
                self.catch_up(deadline - time.monotonic())
            except JournalUnavailable:
                pass
            except Exception:  # a bug here must not keep the answer from its end
                log_.exception("the end of a run could not be stored")
            finally:
                self._end_slots.release()
        if not self.is_ended:
            self._on_late(self)
            self._settled.wait(max(0.0, deadline - time.monotonic()))
        if self.is_lost:
            return "lost"
        return "stored" if self.is_ended else "late"

    def _catch_up(self, deadline: float) -> None:
        for _ in range(_MAX_STEPS):
            if self.is_ended:
                return
            if time.monotonic() > deadline:
                break
            if not self._is_begun:
                self._begin_late()
            elif self._epoch < self._log.next_epoch:
                self._begin_epoch()
            elif self._last:
                self._store_end(self._last)
            else:
                return
        raise JournalUnavailable(detail="no end of storing a run")

    def _begin_late(self) -> None:
        known = self.begin()
        if known is None:
            return
        if known.worker == self._entry.worker:
            self.adopt(known)
        else:  # another worker began the same run while the journal was away; both go on
            log_.warning("another worker generates the same run: both answers were paid for")
            self._end()

    def _begin_epoch(self) -> None:
        log = self._log
        epoch = self._journal.seize(
            self.run, self._epoch, self._seq, self._entry.worker, log.earlier(self._epoch + 1)
        )
        if epoch is None:
            self._read_position()
        else:
            self._epoch, self._seq = epoch, 0

    def _store_end(self, last: Sequence[Frame]) -> None:
        if self.temporary:
            number = len(self._log.frames_after(self._epoch, 0)) + (not self._log.closed)
            group = JournalGroup(run=self.run, epoch=self._epoch, first_seq=number, frames=last[-1:])
        else:
            frames = self._log.frames_after(self._epoch, self._seq)
            if not (frames and frames[-1].terminal):
                frames += last
            group = JournalGroup(run=self.run, epoch=self._epoch, first_seq=self._seq + 1, frames=frames)
        refusal = self._journal.end(self._entry.worker, group)
        if refusal is None:
            self._end()
        elif refusal == "unknown":
            self._is_begun = False
        else:  # perhaps `ended`, by an earlier call of ours, whose outcome was unknown
            self._read_position()

    def _read_position(self) -> None:
        row = self._journal.find(self.run)
        if row is None:
            self._is_begun = False
        else:
            self.adopt(row)

    def _lose(self) -> None:
        if not self.is_lost:
            self.is_lost = True
            on_lost = self._on_lost
            self._end()
            on_lost()

    def _end(self) -> None:
        self.is_ended = True
        # The run is kept for a while, without the memory that its record needed; and a record that knows its run would
        # keep it until the garbage collector comes.
        self._entry = msgspec.structs.replace(self._entry, request=b"")
        self._on_lost = _ignore
        self._settled.set()


def _ignore() -> None:
    """Do nothing more about a run that is settled."""

"""Takes over the runs of workers that have died: each goes on here, or ends with the text that it has.

A run is taken over once: a request that kills workers would otherwise kill one after the other.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Sequence

import msgspec

from webapp.errors import JournalUnavailable, RequestError, Unavailable
from webapp.frames import Frame, Start
from webapp.journal_records import JournalCursor, JournalRun
from webapp.logs import set_run
from webapp.measurements import Observer
from webapp.offload import start_thread
from webapp.runs.log import RunLog
from webapp.runs.lost import LostRun, Recover, Recovery, Said
from webapp.runs.lost_end import LostRunEnder, estimate_earlier
from webapp.runs.run_spec import RunSpec, TakenOver
from webapp.seams import Journal, Pricer

log_ = logging.getLogger("freshet.runs")

_CHECK_S = 1.0
_AGES_S = 1_000_000.0
_BATCH = 100  # runs in one query
_MAX_AT_ONCE = 8
_READ_BYTES = 4 * 1024 * 1024


class _StartFrame(msgspec.Struct):
    start: Start


_decode_start = msgspec.json.Decoder(_StartFrame).decode


class Patience:
    """Decides which runs a worker may take over; times are seconds since 1970.

    A worker whose lease has lapsed may be alive: while the journal was away it could not renew it, and while this process was
    frozen, or its machine asleep, others may have been, too. So nothing is taken over before others have had time to renew.
    Runs whose worker has left them on purpose need not wait for that.
    """

    def __init__(self, lease_s: float, now: float) -> None:
        self._lease_s = lease_s
        self._last = now
        self._lapsed_from = now + lease_s
        self._released_from = now

    def note_outage(self, now: float) -> None:
        """Wait two leases, after the journal was away."""
        self._released_from = now + 2 * self._lease_s
        self._lapsed_from = max(self._lapsed_from, self._released_from)

    def note_check(self, now: float) -> None:
        """Called at least twice per lease: a longer gap means that this process stood still, or that the clock was set."""
        since, self._last = now - self._last, now
        if not 0 <= since <= self._lease_s / 2 + _CHECK_S:
            self._lapsed_from = now + self._lease_s
            self._released_from = min(self._released_from, now + 2 * self._lease_s)

    def may_take_lapsed(self, now: float) -> bool:
        """Return whether runs may be taken over whose worker's lease has lapsed."""
        return now >= self._lapsed_from

    def may_take_released(self, now: float) -> bool:
        """Return whether runs may be taken over whose worker has ended its lease."""
        return now >= self._released_from


class Takeovers:
    """Looks for runs of dead workers about once a second, and takes them over.

    Args:
        lease_s: The length of all workers' leases.
        total_s: The age at which runs end; older ones are not continued.
        recover: See `lost.Recover`.
        adopt: Continues a run here. Raises `Unavailable` if the server is full or draining.
        may_start: Returns whether a run could be started now.
        prepare: Begins this worker's lease, unless it has one. Raises `JournalUnavailable`.
        may_continue: False to end all runs instead, as interrupted.
    """

    def __init__(
        self,
        journal: Journal,
        worker: str,
        lease_s: float,
        total_s: float,
        *,
        recover: Recover,
        adopt: Callable[[RunSpec, TakenOver], object],
        may_start: Callable[[], bool],
        prepare: Callable[[], None],
        pricer: Pricer,
        observer: Observer,
        may_continue: bool = True,
    ) -> None:
        self._journal = journal
        self._worker = worker
        self._lease_s = lease_s
        self._total_s = total_s
        self._recover = recover
        self._adopt = adopt
        self._may_start = may_start
        self._prepare = prepare
        self._observer = observer
        self.may_continue = may_continue
        self._closed = threading.Event()
        self._ender = LostRunEnder(journal, worker, pricer, observer, self._closed)
        self._slots = threading.BoundedSemaphore(_MAX_AT_ONCE)
        self._unsure: dict[str, LostRun] = {}  # those whose seizure the journal may have accepted

    def start(self) -> None:
        """Start looking, in a thread of its own."""
        threading.Thread(target=self._work, name="freshet-takeovers", daemon=True).start()

    def close(self) -> None:
        """Take no more runs over."""
        self._closed.set()

    def check(self, *, lapsed: bool = True) -> None:
        """Take over the runs that can be taken over now, those of lapsed leases only with `lapsed`. Raises `JournalUnavailable`."""
        self._settle_unsure()
        grace_s = 0.0 if self._may_start() else self._lease_s  # another worker may have room for them
        if not lapsed:
            grace_s = _AGES_S
        while not self._closed.is_set():
            rows = self._journal.list_lapsed(grace_s, _BATCH)
            if not rows:
                return
            self._prepare()
            random.shuffle(rows)  # so that several workers do not try the same ones
            now = self._journal.now()
            taken = sum(self._take(row, now - row.began_at) for row in rows if row.worker != self._worker)
            if len(rows) < _BATCH or not taken:
                return

    def _work(self) -> None:
        patience = Patience(self._lease_s, time.time())
        while not self._closed.wait(min(_CHECK_S, self._lease_s / 4)):
            now = time.time()
            patience.note_check(now)
            try:
                if self._journal.condition == "away":
                    patience.note_outage(now)
                if patience.may_take_released(now):
                    self.check(lapsed=patience.may_take_lapsed(now))
            except JournalUnavailable:
                patience.note_outage(time.time())
            except Exception:  # the runs of other workers depend on this thread
                log_.exception("runs of other workers could not be taken over")

    def _take(self, row: JournalRun, age_s: float) -> bool:
        """Seize a run, and end it or go on with it in a thread of its own; return whether it was seized."""
        lost = self._read(row, age_s)
        if lost is None:
            return False
        try:
            epoch = self._journal.seize(
                row.run, row.epoch, lost.row.last_seq, self._worker, lost.said.reset(lost.start)
            )
        except JournalUnavailable:
            self._unsure[row.run] = lost
            raise
        if epoch is None:
            return False
        self._go_on_apart(lost, epoch)
        return True

    def _settle_unsure(self) -> None:
        """Go on with the runs whose seizure was accepted although the call failed."""
        for run, lost in list(self._unsure.items()):
            row = self._journal.find(run)
            del self._unsure[run]
            if row is not None and (row.worker, row.epoch, row.state) == (
                self._worker,
                lost.row.epoch + 1,
                "running",
            ):
                self._go_on_apart(lost, row.epoch)

    def _read(self, row: JournalRun, age_s: float) -> LostRun | None:
        """Return what the journal has of a run; None if it has ended, or somebody else has taken it."""
        frames: list[Frame] = []
        cursor = JournalCursor()
        while True:
            update = self._journal.read({row.run: cursor}, _READ_BYTES).get(row.run)
            if update is None or update.state == "ended" or update.epoch != row.epoch:
                return None
            frames += [*update.reset, *update.frames]
            cursor = update.cursor
            if not update.more:
                break
        start = _decode_start(row.start).start
        said = _fold(start, frames)
        is_first = row.takeovers == 0 and age_s < self._total_s
        may_continue = self.may_continue and is_first and row.stop is None and bool(row.request)
        if may_continue and not said.text:
            # The model is asked anew, with the same passages, and reasons anew.
            said = Said(sources=tuple(source for source in said.sources if source.document))
        row = msgspec.structs.replace(row, last_seq=update.last_seq)
        return LostRun(row=row, start=start, said=said, age_s=max(0.0, age_s), may_continue=may_continue)

    def _go_on_apart(self, lost: LostRun, epoch: int) -> None:
        self._slots.acquire()

        def work() -> None:
            set_run(lost.row.run)
            try:
                seized = self._with_stop(lost)
                if not self._continue(seized, epoch, recovery := self._find_recovery(seized, epoch)):
                    self._ender.end(seized, epoch, recovery)
            except Exception:  # the process goes on
                log_.exception("a run of another worker could not be taken over")
            finally:
                self._slots.release()

        start_thread(work, f"takeover-{lost.row.run[:8]}")

    def _with_stop(self, lost: LostRun) -> LostRun:
        """Return a seized run with the stop that was requested while it was being seized. Later ones reach the run itself."""
        try:
            row = self._journal.find(lost.row.run)
        except JournalUnavailable:
            return lost
        if row is None or row.stop is None:
            return lost
        row = msgspec.structs.replace(lost.row, stop=row.stop)
        return msgspec.structs.replace(lost, row=row, may_continue=False)

    def _continue(self, lost: LostRun, epoch: int, recovery: Recovery) -> bool:
        """Continue a seized run here; return False if that is not possible."""
        if recovery.spec is None or recovery.stored is not None:
            return False
        said = recovery.said or lost.said
        taken = TakenOver(
            start=lost.start,
            row=msgspec.structs.replace(lost.row, worker=self._worker, epoch=epoch, last_seq=0),
            reset=lost.said.reset(lost.start),
            more=() if said == lost.said else said.reset(lost.start, replaced=True),
            age_s=lost.age_s,
            earlier=estimate_earlier(said, recovery),
        )
        try:
            self._adopt(recovery.spec, taken)
        except Unavailable:  # full or draining
            return False
        except Exception:  # it must end, or its readers would wait for ever
            log_.exception("the run of a worker that has died could not be continued")
            return False
        self._observer.run_taken_over("continued")
        return True

    def _find_recovery(self, lost: LostRun, epoch: int) -> Recovery:
        """Return how a run ends or goes on; if that cannot be found out, it ends as interrupted."""
        try:
            return self._recover(lost, epoch)
        except RequestError as error:
            log_.warning("the answer of a worker that has died is not continued: %s", error.message)
        except Exception:
            log_.exception("the answer of a worker that has died could not be recovered")
        return Recovery()


def _fold(start: Start, frames: Sequence[Frame]) -> Said:
    log = RunLog(start, reset=frames)
    return Said(text=log.text_of("text"), reasoning=log.text_of("reasoning"), sources=log.sources())

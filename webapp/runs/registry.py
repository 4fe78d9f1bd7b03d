"""The runs of this process: starts them, takes them over, checks them, and ends them when the process ends."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Container

from webapp.errors import AnswerError, Interrupted, JournalUnavailable, Unavailable
from webapp.frames import new_run
from webapp.framing import FramingRules
from webapp.journal_records import JournalRun
from webapp.logs import run_context, set_run
from webapp.measurements import NoObserver, Observer
from webapp.offload import start_thread
from webapp.runs.journaling import Journaling
from webapp.runs.lost import Recover
from webapp.runs.memory import RunMemory
from webapp.runs.pulse import Pulse
from webapp.runs.reading import RunReading
from webapp.runs.remote_run import RemoteRun
from webapp.runs.remote_runs import AnyRun, RemoteRuns, check_same
from webapp.runs.run import Run
from webapp.runs.run_limits import RunLimits
from webapp.runs.run_spec import RunSpec, TakenOver
from webapp.runs.takeover import Takeovers
from webapp.seams import Journal, Pricer

log_ = logging.getLogger("freshet.runs")

_BEGIN_S = 5.0  # for another request to begin the same run; it has about three
_STAY_S = 3.0  # after a stop signal, in which short answers end where they are; the signal is noticed within a second
_IDLE_CHECK_S = 0.05
_RETRY_AFTER_S = 5


class Runs(RunReading):
    """The runs of this process. One thread, the pulse, checks them; it starts with the first run or reader.

    With a journal, in which this process is `worker`, the runs are also stored there. The worker's name is a random one that
    no process has had before.
    """

    def __init__(
        self,
        limits: RunLimits,
        rules: FramingRules,
        pricer: Pricer,
        observer: Observer | None = None,
        journal: Journal | None = None,
        worker: str | None = None,
    ) -> None:
        super().__init__(limits, observer or NoObserver(), Pulse(self._check_all))
        self._rules = rules
        self._pricer = pricer
        self._draining = False
        self._drain_by = self._send_away_at = math.inf
        self._lock = threading.Lock()
        self.memory = RunMemory(limits, self._lock, self._runs, self._active)
        self._beginning: dict[str, threading.Event] = {}  # runs that are being stored in the journal
        self._takeovers: Takeovers | None = None
        if journal is not None:
            worker = worker or new_run()
            self._remotes = RemoteRuns(
                journal, worker, limits.max_readers, self.memory.require, self._send_readers_away
            )
            self.memory.count_remotes(self._remotes)
            self.journaling = Journaling(
                journal,
                worker,
                lease_s=limits.lease_s,
                expiry_s=limits.expiry_s,
                list_active=lambda: list(self._active),
            )

    @property
    def accepts_runs(self) -> bool:
        """Whether a new run would be started."""
        return not self._draining and len(self._active) < self.limits.max_streams

    @property
    def is_draining(self) -> bool:
        """Whether the process is shutting down."""
        return self._draining

    @property
    def accepts_readers(self) -> bool:
        """Whether another reader would be admitted."""
        return not self._draining and len(self._connections) < self.limits.max_readers

    def start(self, spec: RunSpec) -> tuple[AnyRun, bool]:
        """Start a run, or find the one with its id; return it and whether it is new.

        Raises `NotFound` for another owner's run, `Conflict` for a run that was started with another body, `Unavailable`
        when the server is full, and the exceptions of the spec's `permit`.
        """
        with self._lock:
            known = self._runs.get(spec.run)
            if known is not None:
                check_same(known, spec.owner, spec.fingerprint)
                return known, False
            begun_elsewhere = self._beginning.get(spec.run)
            if begun_elsewhere is None:
                run = self._create(spec)
                if self.journaling is None:
                    self._runs[run.id] = run
                else:
                    self._beginning[run.id] = threading.Event()
        if begun_elsewhere is not None:
            begun_elsewhere.wait(_BEGIN_S)
            return self._join_begun(spec), False
        found = self._begin(run, spec)
        if found is not None:
            return self._join_elsewhere(found, spec), False
        self._launch(run, "started")
        return run, True

    def continue_lost(self, recover: Recover, *, may_continue: bool) -> None:
        """Prepare to take over the runs of workers that have died, from `open` on; see `takeover.Takeovers`."""
        if self.journaling is not None:
            self._takeovers = Takeovers(
                self.journaling.journal,
                self.journaling.worker,
                self.limits.lease_s,
                self.limits.total_s,
                recover=recover,
                adopt=self.adopt,
                may_start=lambda: self.accepts_runs,
                prepare=self.journaling.prepare_takeovers,
                pricer=self._pricer,
                observer=self._observer,
                may_continue=may_continue,
            )

    def adopt(self, spec: RunSpec, taken: TakenOver) -> Run:
        """Go on with a run that this worker has seized in the journal. Raises `Unavailable` if the server is full or draining."""
        assert self.journaling is not None  # noqa: S101  (nothing else seizes runs)
        with self._lock:
            run = self._create(spec, taken)
            self._runs[run.id] = run
        self.journaling.take_over(run, spec, taken.row)
        self._launch(run, "taken over and continued")
        return run

    def _launch(self, run: Run, how: str) -> None:
        """Begin to produce a run, in a thread of its own."""
        self._pulse.start()
        with run_context(run.id):
            log_.info("%s with %s", how, run.describe_model())
        try:
            start_thread(lambda: self._produce(run), f"run-{run.id[:8]}")
        except RuntimeError:  # no more threads can be had
            run.fail(AnswerError("internal"))
            self._move_to_ended(run)

    def _create(self, spec: RunSpec, taken: TakenOver | None = None) -> Run:
        """Create a run and count it. Called under the lock. Raises as `start`."""
        self._check_capacity()
        self.memory.check(spec.size_bytes)
        release = None if spec.permit is None else spec.permit()
        run = Run(
            spec,
            rules=self._rules,
            max_bytes=self.limits.run_max_bytes,
            pricer=self._pricer,
            observer=self._observer,
            taken=taken,
            mirror=None if taken is None or self._remotes is None else self._remotes.hand_over(spec.run),
        )
        if release is not None:
            run.on_end(release)
        run.on_loss(self._lose)
        self._active.add(run)
        return run

    def _begin(self, run: Run, spec: RunSpec) -> JournalRun | None:
        """Store a new run in the journal; if that knows its id, forget the run and return what the journal has.

        Raises as `check_same`.
        """
        if self.journaling is None:
            return None
        is_new = False
        try:
            found = self.journaling.begin(run, spec)
            is_new = found is None
            if found is not None:
                check_same(found, spec.owner, spec.fingerprint)
            return found
        finally:
            with self._lock:
                if is_new:
                    self._runs[run.id] = run
                else:
                    self._active.discard(run)
                    run.discard()
                self._beginning.pop(run.id).set()

    def _join_begun(self, spec: RunSpec) -> AnyRun:
        """Return the run that another request has just begun. Raises as `start`."""
        run = self.find_joinable(spec.run, spec.owner, spec.fingerprint)
        if run is None:  # it was found in the journal instead, or that takes too long
            raise Unavailable(
                "The answer is being started. Try again in a moment.", retry_after_s=1, code="starting"
            )
        return run

    def _join_elsewhere(self, found: JournalRun, spec: RunSpec) -> AnyRun:
        """Return a run that another worker has begun, and whose owner and body are the spec's. Raises as `start`."""
        assert self._remotes is not None  # noqa: S101  (it was found in the journal)
        return self._remotes.join(found, spec.owner, spec.fingerprint)

    def _lose(self, run: Run) -> None:
        """Follow a run that another worker has taken over; its readers go on."""
        with self._lock:
            self._active.discard(run)
            self._runs.pop(run.id, None)
        if self._remotes is not None:
            remote = self._remotes.adopt(run)
            if run.stopped_by == "user":  # who has been told that it was stopped
                start_thread(lambda: _pass_stop_on(remote), f"stop-{run.id[:8]}")

    def change_owner(self, source: str, target: str) -> None:
        """Transfer all runs of one owner to another; their readers are not interrupted."""
        for run in list(self._runs.values()):
            if run.owner == source:
                run.change_owner(target)
        if self._remotes is not None:
            self._remotes.change_owner(source, target)
        if self.journaling is not None:
            self.journaling.watch.move_owner(source, target)

    def open_keys(self) -> set[str]:
        """Return the publishable keys of the open connections and of the runs in progress."""
        return self._connections.keys() | {run.key for run in list(self._active) if run.key is not None}

    def revoke_keys(self, keys: Container[str]) -> None:
        """End the connections of these publishable keys, and stop their runs."""
        self._connections.revoke(keys)
        for run in list(self._active):
            if run.key is not None and run.key in keys:
                run.request_stop("operator")

    def drain(self, within_s: float) -> None:
        """Start no more runs, and end those that are still in progress after `within_s`.

        Readers that can read on at another worker are sent away before.
        """
        if not self._draining:
            self._send_away_at = time.monotonic() + _STAY_S
        self._draining = True
        if self._takeovers is not None:
            self._takeovers.close()
        self._drain_by = time.monotonic() + within_s
        for connection in self._connections.list_all():
            connection.wake.set()

    def open(self) -> None:
        """Open the journal, see `Journaling.open`, and look for runs to take over."""
        if self.journaling is None:
            return
        self.journaling.open()
        is_shared = self.journaling.journal.kind != "memory"
        if self._takeovers is not None and is_shared:
            self._takeovers.start()

    def close(self, within_s: float) -> None:
        """Store what is left in the journal, for at most about `within_s`, and leave it. Called after draining."""
        if self.journaling is not None:
            self.journaling.close(within_s)

    def wait_until_idle(self, timeout_s: float) -> bool:
        """Wait until no run is in progress; return False if `timeout_s` passes first."""
        until = time.monotonic() + timeout_s
        while self._active and time.monotonic() < until:
            time.sleep(_IDLE_CHECK_S)
        return not self._active

    def _produce(self, run: Run) -> None:
        set_run(run.id)
        try:
            run.produce()
        finally:
            self._move_to_ended(run)

    def _move_to_ended(self, run: Run) -> None:
        """Move a run whose producer has returned to the ended ones, unless another worker has it."""
        if run.ended_at is None and not run.is_lost:
            run.fail(AnswerError("internal"))
            run.wait_ended()
        if run.is_lost:
            return
        with self._lock:
            self._active.discard(run)
            self.memory.keep(run)

    def check_draining(self) -> None:
        """Raise `Unavailable` while the process is shutting down."""
        if self._draining:
            raise Unavailable(
                "The server is restarting. Try again in a moment.", retry_after_s=1, code="draining"
            )

    def _check_capacity(self) -> None:
        """Raise `Unavailable` if no run can be started now. Called under the lock."""
        self.check_draining()
        if len(self._active) >= self.limits.max_streams:
            raise Unavailable(
                "The server is generating too many answers. Try again in a moment.",
                retry_after_s=_RETRY_AFTER_S,
                code="full",
            )

    def _check_all(self, now: float) -> None:
        for connection in self._connections.list_all():
            connection.check(now)
        for run in list(self._active):
            with run_context(run.id):
                self._check_run(run, now)
        self._observe()
        self.memory.expire(now)
        if self._remotes is not None:
            self._remotes.expire(now)
        if now >= self._drain_by:
            self._end_all()
        elif now >= self._send_away_at:
            self._send_resuming_away()

    def _observe(self) -> None:
        """Report the numbers of runs in progress and of connections."""
        states = [run.state for run in list(self._active)]
        self._observer.set_current(
            queued=states.count("queued"),
            streaming=states.count("streaming"),
            readers=len(self._connections),
        )
        if self.journaling is not None:
            self._observer.set_journal_lag(self.journaling.writer.lag_s())

    def _check_run(self, run: Run, now: float) -> None:
        if now - run.began_at > self.limits.total_s:
            run.request_stop("limit")
        elif self.journaling is None and run.is_orphan(now):
            run.request_stop("orphan")  # with a journal, its watch knows whether others read the run
        run.end_if_stuck(now)
        run.save_progress(now)

    def _end_all(self) -> None:
        """Leave the runs to other workers, or end them: every reader gets a terminal frame or a notice to reconnect."""
        for run in list(self._active):
            with run_context(run.id):
                if not (self._can_be_taken_over and run.leave()):
                    run.fail(Interrupted("the server was shut down"))
        for connection in self._connections.list_all():
            connection.request_reconnect()

    @property
    def _can_be_taken_over(self) -> bool:
        """Whether other workers, or a server that starts after this one, would continue this worker's runs."""
        return self._shares_runs and self._takeovers is not None and self._takeovers.may_continue


def _pass_stop_on(run: RemoteRun) -> None:
    """Stop a run that another worker has taken over, if the journal can be reached."""
    try:
        run.request_stop("user")
    except JournalUnavailable:
        pass  # logged by the journal

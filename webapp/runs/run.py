"""One run: an answer while it is generated, and until it expires."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

import msgspec

from webapp.errors import AnswerError
from webapp.frames import RunResult, Start, StoppedBy, not_saved_frame, sources_frame, start_frame
from webapp.framing import FramingRules, text_frames
from webapp.logs import run_context
from webapp.measurements import NoObserver, Observer, RunReport
from webapp.offload import start_thread
from webapp.runs.ending import close_log
from webapp.runs.log import RunLog, StaleEpoch
from webapp.runs.producer import Producer, Reason
from webapp.runs.progress import Ending, Progress, State
from webapp.runs.record import RunRecord
from webapp.runs.run_spec import STOP_S, Receipt, RunSpec, TakenOver
from webapp.seams import Pricer

log_ = logging.getLogger("freshet.runs")

_STOP_S = 0.7  # the producer's time to end a stopped run before it is ended from outside
_END_S = 1.3  # for the end from outside: the journal has a second
_SAVE_EVERY_S = 5.0
_SAVE_ALONE_EVERY_S = 1.0  # where no journal has the text: nobody else could store it
_OVERHEAD_BYTES = 4 * 1024  # of a run, besides its frames


class Run:
    """A run and its states: `queued → streaming → done | failed | cancelled | interrupted`."""

    def __init__(
        self,
        spec: RunSpec,
        *,
        rules: FramingRules,
        max_bytes: int,
        pricer: Pricer,
        observer: Observer | None = None,
        taken: TakenOver | None = None,
        mirror: RunLog | None = None,
    ) -> None:
        """Begin a run, or go on with one that was `taken` over; see `TakenOver.open_log` for its `mirror`."""
        self.id = spec.run
        self.owner = spec.owner
        self.key = spec.key
        self.fingerprint = spec.fingerprint
        self.orphan_s = spec.orphan_s
        self.log = _begin_log(spec) if taken is None else taken.open_log(mirror)
        self._epoch = self.log.epoch  # the producer's
        self._called_at = time.monotonic()
        self.began_at = self._called_at - (0.0 if taken is None else taken.age_s)
        self.ended_at: float | None = None
        self._observer = observer or NoObserver()
        self._writer = spec.writer
        self._progress = Progress(
            self.log, spec.request, spec.chain[0], pricer, None if taken is None else taken.earlier
        )
        self._producer = Producer(
            self.log, spec.request, spec.chain, self._progress, rules, max_bytes, spec.writer, self._observer
        )
        self._ended = threading.Event()
        self._result: RunResult | None = None
        self._stopping: float | None = None
        self._reason: Reason = "user"
        self._closed_ms = 0
        self._saved_at = time.monotonic()
        self._saved_bytes = self.log.size_bytes
        self._request_bytes = spec.size_bytes - len(spec.reference)
        self._reference_bytes = len(spec.reference)
        self._release: Callable[[], None] | None = None
        self._record: RunRecord | None = None
        self._when_lost: Callable[[Run], None] | None = None
        self.is_lost = False  # another worker has the run, or will take it
        self._may_be_left = taken is None and spec.owner is not None and bool(spec.reference)

    @property
    def state(self) -> State:
        """The current state."""
        if self._result is not None:
            return self._result.state
        return "streaming" if self._producer.started else "queued"

    @property
    def conversation(self) -> str | None:
        """The conversation that the answer belongs to, if any."""
        return self.log.start.conversation

    @property
    def model(self) -> str:
        """The model that is called, after a fallback the fallback's."""
        return self._progress.requested_model

    def describe_model(self) -> str:
        """Return the provider and model for a log line: a caller may have named the model, so it is quoted and escaped."""
        return f"{self._progress.provider} {msgspec.json.encode(self.model).decode()}"

    @property
    def size_bytes(self) -> int:
        """The approximate size of the run in memory."""
        sealed = self._progress.sealed or ""
        reference_bytes = self._reference_bytes if self._record is None else self._record.size_bytes
        return self.log.size_bytes + self._request_bytes + reference_bytes + len(sealed) + _OVERHEAD_BYTES

    def on_end(self, release: Callable[[], None]) -> None:
        """Call `release` when the run has ended; until then it counts against its caller's limits."""
        self._release = release

    def keep_record(self, record: RunRecord) -> None:
        """Store the run's end in the journal too. Called before `produce`."""
        self._record = record
        self._producer.keep_record(record)

    def discard(self) -> None:
        """Release a run that was never produced, because it exists elsewhere."""
        self.is_lost = True
        self._let_go()

    def on_loss(self, when_lost: Callable[[Run], None]) -> None:
        """Call `when_lost` if another worker takes the run over."""
        self._when_lost = when_lost

    def change_owner(self, owner: str) -> None:
        """Transfer the run to another owner."""
        self.owner = owner
        if self._record is not None:
            self._record.change_owner(owner)

    def produce(self) -> None:
        """Generate the answer. Called once, in the run's own thread."""
        self._producer.produce(self._finish)

    @property
    def stopped_by(self) -> Reason | None:
        """Who has asked for a stop first; None if nobody has."""
        return None if self._stopping is None else self._reason

    def request_stop(self, reason: Reason) -> None:
        """Ask the producer to stop, and return at once. If it does not stop, `end_if_stuck` ends the run."""
        if self._result is None:
            if self._stopping is None:
                self._stopping = time.monotonic()
                self._reason = reason
            self._producer.stop(reason)

    def is_orphan(self, now: float) -> bool:
        """Return whether it has had no reader on this worker for too long."""
        return self.log.readers == 0 and now - self.log.idle_since >= self.orphan_s

    @property
    def is_shared(self) -> bool:
        """Whether other workers can read its text in the journal."""
        return self._record is not None and self._record.has_text

    def save_progress(self, now: float) -> None:
        """Store the text so far: every second, or every few where the journal has it, from which others would store it."""
        if self._writer is None or self._result is not None:
            return
        if now - self._saved_at >= (_SAVE_EVERY_S if self.is_shared else _SAVE_ALONE_EVERY_S):
            self._saved_at = now
            self._save_text()

    def _save_text(self) -> None:
        """Store the text so far, if there is more than at the last time."""
        writer = self._writer
        if writer is not None and self.log.size_bytes > self._saved_bytes:
            self._saved_bytes = self.log.size_bytes
            writer.save_progress(
                self.log.text_of("text"),
                self.log.text_of("reasoning"),
                self._progress.sealed,
                epoch=self._epoch,
            )

    def end_if_stuck(self, now: float) -> None:
        """End a run whose producer has not stopped in time."""
        if self._result is None and self._stopping is not None and now - self._stopping > _STOP_S:
            self._end_stuck()

    def stop(self, by: StoppedBy) -> Receipt:
        """Stop the run and return its state, after at most `STOP_S`; if it is lost by then, it was not stopped. Idempotent."""
        if self._result is None:
            self.request_stop(by)
            if not self._ended.wait(_STOP_S):
                self._end_stuck()
                self._ended.wait(STOP_S - _STOP_S)
        return self.receipt().as_stopped()

    def lose(self) -> None:
        """Leave the run to the worker that has taken it over: append and store no more, and stop the producer."""
        if not self.is_lost and self._result is None:
            self._withdraw("another worker has taken the run over")

    def verify(self) -> None:
        """Lose the run if the journal says that another worker has it."""
        if self._record is not None:
            self._record.verify()

    def leave(self) -> bool:
        """Leave the run, as far as it is, to any worker that will take it over; return whether one can.

        Its last frames are still to be stored in the journal.
        """
        record = self._record
        is_stored = record is not None and record.is_running
        if not (self._may_be_left and is_stored) or self.is_lost or self._stopping is not None:
            return False
        try:
            self.log.reserve_end(self._epoch)
        except StaleEpoch:
            return False  # it is about to end
        self._save_text()
        self._withdraw("the run is left to another worker")
        return True

    def _withdraw(self, reason: str) -> None:
        self.is_lost = True
        self.log.fence()
        self._producer.stop("limit")
        with run_context(self.id):
            log_.warning("%s", reason)
        if self._when_lost is not None:
            self._when_lost(self)
        self._let_go()  # last: who waits for the end finds the run elsewhere

    def forget(self) -> None:
        """Try no longer to store the end of the run, which has expired."""
        if self._record is not None:
            self._record.abandon()

    def wait_ended(self) -> None:
        """Wait until the run has ended, or was lost; about two seconds at most."""
        self._ended.wait(_STOP_S + _END_S)

    def fail(self, error: AnswerError) -> None:
        """End the run with an error and stop its producer."""
        self._end_from_outside(lambda: self._progress.failed(error))
        self._producer.stop("limit")

    def receipt(self) -> Receipt:
        """Return the state of the run."""
        result = self._result
        return Receipt(
            run=self.id,
            state=self.state,
            finish_reason=result.finish_reason if result else None,
            usage=result.usage if result else None,
            cost=result.cost if result else None,
            closed_ms=self._closed_ms,
        )

    def _end_stuck(self) -> None:
        """End a run whose producer cannot be interrupted, for example during a DNS lookup."""
        reason = self._reason
        if reason == "limit":
            self._end_from_outside(lambda: self._progress.finished("length", is_complete=False))
        else:
            self._end_from_outside(lambda: self._progress.cancelled(reason))

    def _end_from_outside(self, end: Callable[[], Ending]) -> None:
        """Seize a new epoch, so that the producer's later frames are refused, and end the run in it. Never blocks."""
        try:
            epoch = self.log.seize(self._epoch)
        except StaleEpoch:
            return  # the producer has ended the run meanwhile, or another worker has it
        ending = end()
        if self._record is None:
            self._close(ending, epoch)
            return
        try:
            start_thread(lambda: self._close(ending, epoch), f"end-{self.id[:8]}")
        except RuntimeError:  # no more threads can be had
            self._close(ending, epoch)

    def _close(self, ending: Ending, epoch: int) -> None:
        """Store the answer, and append the terminal frame once the journal has it or is known to be away."""
        record, writer = self._record, self._writer
        with run_context(self.id):
            try:
                if record is not None and not record.verify_if_due():
                    return
                last = ending[1:] if self._store_answer(ending[0]) else (not_saved_frame(), ending[1])
                if close_log(self.log, epoch, last, record, is_kept=writer is not None):
                    self._finish(ending)
            except StaleEpoch:
                pass  # another worker has the run

    def _store_answer(self, result: RunResult) -> bool:
        """Store the answer in its conversation, if it has one; return False if it is not stored.

        It is stored under the producer's epoch: another worker may begin the next one before the journal accepts ours.
        """
        writer, log = self._writer, self.log
        return writer is None or writer.store_answer(
            result,
            log.text_of("text"),
            log.text_of("reasoning"),
            log.sources(),
            epoch=self._epoch,
            wait=False,
        )

    def _finish(self, ending: Ending) -> None:
        self.ended_at = time.monotonic()
        if self._stopping is not None:
            self._closed_ms = round((self.ended_at - self._stopping) * 1000)
        # What is sealed is stored by now, and may be as large as the rest of the run.
        self._progress.sealed = None
        self._result = msgspec.structs.replace(ending[0], sealed=None)
        self._let_go()
        report = self._report(self._result)
        self._observer.run_ended(report)
        with run_context(self.id):
            log_.info("%s", _describe_end(report, self.ended_at - self.began_at))

    def _let_go(self) -> None:
        """Release what only a run in progress needs, and whoever waits for its end."""
        self._writer = None
        self._progress.meter.release_request()
        self._request_bytes = self._reference_bytes = 0
        release, self._release = self._release, None
        if release is not None:
            release()
        self._ended.set()

    def _report(self, result: RunResult) -> RunReport:
        progress = self._progress
        first_at = progress.first_delta_at()
        return RunReport(
            result=result,
            requested_model=progress.requested_model,
            first_delta_s=None if first_at is None else first_at - self._called_at,
            gaps=progress.gaps,
            frames=len(self.log),
            frame_bytes=self.log.payload_bytes,
        )


def _begin_log(spec: RunSpec) -> RunLog:
    """Return the log of a new run, with its first frames."""
    first = spec.chain[0]
    start = Start(
        run=spec.run,
        provider=first.name,
        model=first.model_name,
        conversation=spec.conversation,
        message=spec.message,
        question=spec.question or msgspec.UNSET,
        images=spec.images or msgspec.UNSET,
    )
    log = RunLog(start)
    log.append(start_frame(start), log.epoch)
    for frame in text_frames(spec.prefix):
        log.append(frame, log.epoch)
    if spec.sources is not None:
        log.append(sources_frame(spec.sources), log.epoch)
    return log


def _describe_end(report: RunReport, seconds: float) -> str:
    """Return the log line of an ended run."""
    result, usage = report.result, report.result.usage
    first = "none" if report.first_delta_s is None else f"{report.first_delta_s:.2f} s"
    cost = "unknown" if result.cost is None else f"${result.cost:f}"
    reason = result.error or result.stopped_by or result.finish_reason
    return (
        f"{result.state} ({reason}) after {seconds:.2f} s, first delta {first}, {report.frames} frames, "
        f"{usage.input_tokens} tokens in, {usage.output_tokens} out, cost {cost}"
    )

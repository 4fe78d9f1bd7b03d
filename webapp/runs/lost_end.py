"""Ends a run whose worker has died and which is not continued: in its conversation, then in the journal."""

from __future__ import annotations

import logging
import threading

import msgspec

from webapp.chat import Usage, estimate_tokens
from webapp.errors import Interrupted, JournalUnavailable
from webapp.frames import not_saved_frame
from webapp.journal_records import JournalGroup
from webapp.measurements import FrameGaps, Observer, RunReport, TakeoverOutcome
from webapp.runs.log import RunLog
from webapp.runs.lost import LostRun, Recovery, Said
from webapp.runs.progress import Ending, Progress
from webapp.seams import AnswerWriter, Journal, Pricer

log_ = logging.getLogger("freshet.runs")

_RETRY_S = 0.5


class _Model(msgspec.Struct, frozen=True):
    """The names of an answer's provider and model; see `progress.NamedModel`."""

    name: str
    model_name: str


def estimate_earlier(said: Said, recovery: Recovery) -> Usage:
    """Estimate the usage of what a worker has generated before it died; nothing if it is unknown whether it called a provider."""
    output = estimate_tokens(said.text) + estimate_tokens(said.reasoning) - recovery.prefix_tokens
    return Usage(recovery.input_tokens, output, estimated=True) if output > 0 else Usage()


class LostRunEnder:
    """Ends lost runs. `closed` ends its retries."""

    def __init__(
        self, journal: Journal, worker: str, pricer: Pricer, observer: Observer, closed: threading.Event
    ) -> None:
        self._journal = journal
        self._worker = worker
        self._pricer = pricer
        self._observer = observer
        self._closed = closed

    def end(self, lost: LostRun, epoch: int, recovery: Recovery) -> None:
        """End a run that this worker has seized in `epoch`, as stopped if that was asked for, else as interrupted.

        Waits until the journal has accepted the terminal frame, or another worker has the run.
        """
        start, outcome = lost.start, self._outcome(lost, recovery)
        said = (recovery.said or lost.said) if recovery.stored is None else recovery.stored.said
        log = RunLog(start, epoch, lost.said.reset(start))
        if said != lost.said:  # the last frames before the worker's death are not in the journal
            log.extend(said.reset(start, replaced=True), epoch)
        if recovery.stored is not None:
            ending = recovery.stored.ending
        else:
            ending = self._make_ending(lost, log, said, recovery)
            if not self._store(ending, said, recovery.writer, epoch):
                log.append(not_saved_frame(), epoch)
        log.append(ending[1], epoch)
        if self._write_end(
            JournalGroup(run=start.run, epoch=epoch, first_seq=1, frames=log.frames_after(epoch, 0))
        ):
            self._report(ending, log, outcome)

    @staticmethod
    def _outcome(lost: LostRun, recovery: Recovery) -> TakeoverOutcome:
        if recovery.stored is not None:
            return "stored"
        return "interrupted" if lost.row.stop is None else "cancelled"

    def _make_ending(self, lost: LostRun, log: RunLog, said: Said, recovery: Recovery) -> Ending:
        model = _Model(lost.start.provider, lost.start.model)
        progress = Progress(log, None, model, self._pricer, estimate_earlier(said, recovery))
        if lost.row.stop is not None:
            return progress.cancelled(lost.row.stop)
        return progress.failed(Interrupted("its worker has died"))

    @staticmethod
    def _store(ending: Ending, said: Said, writer: AnswerWriter | None, epoch: int) -> bool:
        """Store the turn; return whether it is stored."""
        if writer is None:
            return True
        writer.store_question(epoch)  # the worker may have died before that
        return writer.store_answer(ending[0], said.text, said.reasoning, said.sources, epoch=epoch, wait=True)

    def _write_end(self, group: JournalGroup) -> bool:
        """Write the last frames, and return whether they were accepted. Repeats the call while the journal is away."""
        while True:
            try:
                return self._journal.end(self._worker, group) is None
            except JournalUnavailable:
                if self._closed.wait(_RETRY_S):
                    return False  # another worker ends it, once this one's lease has lapsed

    def _report(self, ending: Ending, log: RunLog, outcome: TakeoverOutcome) -> None:
        result = ending[0]
        self._observer.run_taken_over(outcome)
        self._observer.run_ended(
            RunReport(
                result=result,
                requested_model=log.start.model,
                first_delta_s=None,
                gaps=FrameGaps(),
                frames=len(log),
                frame_bytes=log.payload_bytes,
            )
        )
        log_.warning("the answer of a worker that has died: %s, %s", outcome, result.state)

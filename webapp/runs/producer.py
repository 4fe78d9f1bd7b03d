"""Generates one answer: calls the provider, frames its events and appends the frames to the run's log.

A producer is also the `Control` of its provider's call. It runs in one thread; any thread may call `stop`.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from typing import Literal

import msgspec

from webapp.chat import ModelRequest
from webapp.errors import AnswerError, RequestError, Stopped, UpstreamError, release_frames
from webapp.events import (
    Event,
    Finished,
    LogprobsFound,
    ModelLoading,
    ParameterIgnored,
    ReasoningDelta,
    ReasoningSealed,
    Source,
    SourcesFound,
    TextDelta,
    TextWasReasoning,
    UsageReport,
    merge_sources,
)
from webapp.frames import Frame, StoppedBy, not_saved_frame, notice_frame, sources_frame
from webapp.framing import Framer, FramingRules
from webapp.measurements import NoObserver, Observer
from webapp.runs.ending import close_log
from webapp.runs.fallback import FallbackEvents
from webapp.runs.log import RunLog, StaleEpoch
from webapp.runs.progress import Ending, Progress
from webapp.runs.record import RunRecord
from webapp.seams import AnswerWriter, EventStream, Provider

log_ = logging.getLogger("freshet.runs")

Reason = StoppedBy | Literal["limit"]
_SOURCES_GROWTH = 1.5
_SHORT_SLEEP_S = 0.1  # a stop may wait for the end of a sleep up to this long


class _SizeLimitReached(Exception):
    """The answer has reached `max_bytes`."""


class Producer:
    """The only writer of an epoch: a run's first, or the one in which it was taken over."""

    def __init__(
        self,
        log: RunLog,
        request: ModelRequest,
        chain: Sequence[Provider],
        progress: Progress,
        rules: FramingRules,
        max_bytes: int,
        writer: AnswerWriter | None = None,
        observer: Observer | None = None,
    ) -> None:
        self._log = log
        self._epoch = log.epoch
        self._observer = observer or NoObserver()
        self._writer = writer
        self._request: ModelRequest | None = request
        self._chain = chain
        self._framer = Framer(rules, follows_reasoning=bool(log.text_of("reasoning")))
        self._window_s = rules.window_s
        self._max_bytes = max_bytes
        self._progress = progress
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._prefix_chars = len(log.text_of("text"))  # of the answer that this one continues
        self._reason: Reason | None = None
        self._abort: Callable[[], None] | None = None
        self._first_sources = log.sources()  # of an answer that is continued
        self._sources: Sequence[Source] = ()  # those not yet framed
        self._framed_sources = 0
        self._record: RunRecord | None = None
        self.started = False

    # Called by the run.

    def keep_record(self, record: RunRecord) -> None:
        """Store the end in the journal too. Called before `produce`."""
        self._record = record

    def produce(self, on_end: Callable[[Ending], None]) -> None:
        """Generate the answer and append its terminal frame, then call `on_end` with the result. Raises nothing."""
        record = self._record
        try:
            ending = self._generate()
            self._log.reserve_end(self._epoch)
            if record is not None and not record.verify_if_due():
                return
            self._store_answer(ending)
            is_kept = self._writer is not None
            if not close_log(self._log, self._epoch, ending[1:], record, is_kept=is_kept):
                return
        except StaleEpoch:
            return  # the run was ended from another thread, or another worker has it
        on_end(ending)

    def stop(self, reason: Reason) -> None:
        """End the answer: shut the provider's socket and end every wait. Only the first call's reason counts."""
        with self._lock:
            if self._reason is None:
                self._reason = reason
            abort = self._abort
        self._stop.set()
        if abort is not None:
            abort()

    # Called by the provider; see `seams.Control`.

    def register_abort(self, abort: Callable[[], None]) -> None:
        """Store the function that ends the call, until the call is over. Raises `Stopped`."""
        with self._lock:
            self._abort = abort
            stopped = self._reason is not None
        if stopped:
            abort()
            raise Stopped

    def report_delivery(self, delivered: bool) -> None:
        """Record whether the provider may charge for the request."""
        self._progress.meter.delivered = delivered

    def report_retry(self, error: UpstreamError) -> None:
        """Log and count a failed call that is about to be repeated."""
        self._log_failure(error, repeated=True)

    def wait(self, seconds: float) -> None:
        """Sleep. Raises `Stopped` as soon as the run is stopped."""
        if self._reason is not None:
            raise Stopped
        if seconds > _SHORT_SLEEP_S:
            self._stop.wait(seconds)
        elif seconds > 0:
            time.sleep(seconds)
        if self._reason is not None:
            raise Stopped

    # Generating.

    def _generate(self) -> Ending:
        progress = self._progress
        try:
            self._store_question()
            try:
                end = self._read_provider()
            finally:
                self._abort = None  # it belongs to the call, which refers to this producer: a reference cycle
            self._append(self._framer.close())
            self._append_sources()
        except _SizeLimitReached:
            return progress.finished("length", is_complete=False)
        except Stopped as stopped:
            release_frames(stopped)
            return self._stopped(self._reason)
        except AnswerError as error:
            return self._failed(error)
        except (
            RequestError
        ) as error:  # a provider may find a request invalid that Freshet's checks have passed
            return self._failed(UpstreamError("upstream_bad_request", error.message))
        except StaleEpoch:
            raise
        except Exception:  # a bug must end the answer, or its readers would wait until they time out
            log_.exception("generating the answer failed")
            return self._failed(AnswerError("internal"))
        return progress.finished(end.finish_reason)

    def _read_provider(self) -> Finished:
        """Read and frame the provider's events up to its last one, which is returned.

        While deltas are pending, this sleeps until their window ends and then reads everything that has arrived at once,
        which costs fewer wake-ups than reading delta by delta. While deltas arrive faster than frames are sent, it also
        sleeps for one window after each frame; otherwise it blocks until the next delta.
        """
        request, self._request = self._request, None  # frees memory: the run is kept after the answer's end
        assert request is not None  # noqa: S101  (called once)
        framer, now = self._framer, time.monotonic
        is_busy = False
        with closing(FallbackEvents(self._chain, request, self, self._switch)) as calls:
            del request
            stream: EventStream = calls
            while True:
                due_at = framer.due_at()
                if due_at is None and is_busy:
                    due_at = framer.next_window_at()
                if due_at is None:
                    end = self._feed(stream.read(), now())
                    is_busy = framer.has_pending  # the delta arrived within the last frame's window
                    stream = stream.rest
                elif stream.has_more:
                    end = self._feed(stream.read(wait=False), now())
                else:
                    self.wait(due_at - now())
                    events = stream.read(wait=False)
                    is_busy = framer.has_pending or bool(events)
                    end = self._feed(events, max(due_at, now()))  # a sleep may end slightly early
                if end is not None:
                    return end

    def _feed(self, events: Iterable[Event], now: float) -> Finished | None:
        """Frame events and append the frames that are due at `now`; return the `Finished` event if it is among them."""
        framer = self._framer
        for event in events:
            kind = type(event)
            if kind is TextDelta or kind is ReasoningDelta:
                frames = framer.feed(event, now)  # type: ignore[arg-type]
                if frames:
                    self._append(frames)
            elif isinstance(event, (UsageReport, ReasoningSealed)):
                self._progress.note(event)
            elif isinstance(event, Finished):
                self._progress.note_end(event)
                return event
            elif isinstance(event, SourcesFound):
                self._add_sources(event)
            elif isinstance(event, LogprobsFound):
                self._append(framer.add_logprobs(event))
            elif isinstance(event, TextWasReasoning):
                self._append(framer.close())
                self._append(self._log.move_text(self._prefix_chars))
            elif isinstance(event, (ParameterIgnored, ModelLoading)):
                self._append([*framer.close(), _control_frame(event)])
        self._append(framer.flush(now))
        return None

    def _add_sources(self, event: SourcesFound) -> None:
        """Frame the sources once their number has grown by half. Each frame has all of them: one for each would be too much."""
        self._sources = merge_sources(self._first_sources, event.sources)
        if len(self._sources) >= _SOURCES_GROWTH * self._framed_sources:
            self._append_sources()

    def _append_sources(self) -> None:
        """Append a frame with the latest sources, unless it was appended already."""
        sources, self._sources = self._sources, ()
        if sources:
            self._framed_sources = len(sources)
            self._append([*self._framer.close(), sources_frame(sources)])

    def _store_question(self) -> None:
        """Store the question before the provider is called. If that fails the answer is generated nevertheless."""
        if self._writer is None:
            return
        if not self._writer.store_question(self._epoch):
            self._log.append(not_saved_frame(), self._epoch)
        if self._reason is not None:
            raise Stopped

    def _store_answer(self, ending: Ending) -> None:
        """Store the answer before its terminal frame is sent, or append a notice that it is not stored yet."""
        if self._writer is None:
            return
        log = self._log
        if not self._writer.store_answer(
            ending[0],
            log.text_of("text"),
            log.text_of("reasoning"),
            log.sources(),
            epoch=self._epoch,
            wait=True,
        ):
            self._log.append(not_saved_frame(), self._epoch)

    def _switch(self, error: AnswerError, provider: Provider) -> None:
        self._log_failure(error, repeated=True)
        self._progress.switch(provider)

    def _append(self, frames: Iterable[Frame]) -> None:
        log, record = self._log, self._record
        for frame in frames:
            if log.size_bytes + len(frame.payload) > self._max_bytes:
                raise _SizeLimitReached
            if record is not None and not record.is_safe():
                record.verify_if_due()  # another worker may be generating the same: the frame must wait
            log.append(frame, self._epoch)
            self.started = True
            self._progress.note_frame(frame.kind)

    def _stopped(self, reason: Reason | None) -> Ending:
        self._append_pending()
        if reason == "limit":
            return self._progress.finished("length", is_complete=False)
        return self._progress.cancelled(reason or "user")

    def _failed(self, error: AnswerError) -> Ending:
        try:
            self._append_pending()
        finally:  # the run may have been ended from outside meanwhile
            self._log_failure(error, repeated=False)
        return self._progress.failed(error)

    def _append_pending(self) -> None:
        """Append the pending deltas of an answer that broke off."""
        try:
            self._append(self._framer.close())
            self._append_sources()
        except _SizeLimitReached:
            pass

    def _log_failure(self, error: AnswerError, *, repeated: bool) -> None:
        """Log and count a failure that has been dealt with."""
        self._observer.provider_failed(self._progress.provider, error.code, repeated=repeated)
        log_.warning(
            "%s from %s %s%s %s",
            error.code,
            self._progress.provider,
            msgspec.json.encode(self._progress.model).decode(),
            ", calling again" if repeated else "",
            getattr(error, "detail", ""),
        )
        release_frames(error)


def _control_frame(event: ParameterIgnored | ModelLoading) -> Frame:
    match event:
        case ParameterIgnored(name):
            return notice_frame("parameter_ignored", parameter=name)
        case ModelLoading():
            return notice_frame("loading_model")

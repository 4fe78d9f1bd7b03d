"""Generates one answer: calls the provider, frames its events and appends the frames to the run's log.

A producer is also the `Control` that its provider's call talks to. One thread runs it; `stop` may come from any other.
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
from webapp.errors import AnswerError, RequestError, Stopped, UpstreamError
from webapp.events import Event, Finished, ReasoningDelta, TextDelta, UsageReport
from webapp.frames import Frame, StoppedBy, not_saved_frame
from webapp.framing import Framer, Rules
from webapp.runs.fallback import FallbackEvents
from webapp.runs.log import RunLog, StaleEpoch
from webapp.runs.progress import Ending, Progress
from webapp.seams import AnswerWriter, Provider

log_ = logging.getLogger("freshet.runs")

Reason = StoppedBy | Literal["limit"]
_SHORT_S = 0.1  # up to here a stop may wait for a sleep to end


class _Full(Exception):
    """The answer has reached its limit of bytes."""


class Producer:
    """The one writer of a run's first epoch."""

    def __init__(
        self,
        log: RunLog,
        request: ModelRequest,
        chain: Sequence[Provider],
        progress: Progress,
        rules: Rules,
        max_bytes: int,
        writer: AnswerWriter | None = None,
    ) -> None:
        self._log = log
        self._writer = writer
        self._request: ModelRequest | None = request
        self._chain = chain
        self._framer = Framer(rules)
        self._window_s = rules.window_s
        self._max_bytes = max_bytes
        self._progress = progress
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._reason: Reason | None = None
        self._abort: Callable[[], None] | None = None
        self.started = False

    # What the run calls.

    def produce(self, on_end: Callable[[Ending], None]) -> None:
        """Generate the answer and append its terminal frame, then call `on_end` with the result. Raises nothing."""
        try:
            ending = self._generate()
            self._store(ending)
            self._log.append(ending[1], epoch=1)
        except StaleEpoch:
            return  # somebody else has ended the run; this frame comes too late
        on_end(ending)

    def stop(self, reason: Reason) -> None:
        """End the answer: the provider's socket is shut, every wait ends. The first reason counts."""
        with self._lock:
            if self._reason is None:
                self._reason = reason
            abort = self._abort
        self._stop.set()
        if abort is not None:
            abort()

    # What the provider's call uses; see `seams.Control`.

    def opened(self, abort: Callable[[], None]) -> None:
        """Store the function that ends the call."""
        with self._lock:
            self._abort = abort
            stopped = self._reason is not None
        if stopped:
            abort()
            raise Stopped

    def asked(self, taken: bool) -> None:
        """Note whether the provider may charge for the request."""
        self._progress.meter.taken = taken

    def wait(self, seconds: float) -> None:
        """Sleep; raises `Stopped` as soon as the run is stopped."""
        if self._reason is not None:
            raise Stopped
        if seconds > _SHORT_S:
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
            end = self._follow_provider()
            self._append(self._framer.close())
        except _Full:
            return progress.finished("length", is_complete=False)
        except Stopped:
            return self._stopped(self._reason)
        except AnswerError as error:
            return self._failed(error)
        except RequestError as error:  # found out only by the provider's own form
            return self._failed(UpstreamError("upstream_bad_request", error.message))
        except StaleEpoch:
            raise
        except Exception:  # the top of a run: a bug must end the answer, not the reader's patience
            log_.exception("run %s failed", self._log.start.run)
            return self._failed(AnswerError("internal"))
        return progress.finished(end.finish_reason)

    def _follow_provider(self) -> Finished:
        """Read the provider's events at the pace of frames, up to its end.

        What is held waits for its window without a look at the socket, then all that has come is read in one go. While
        deltas come faster than frames leave, one window is slept after each frame; else the next delta is waited for.
        """
        request, self._request = self._request, None  # a run is kept for longer than it needs this
        assert request is not None  # noqa: S101  (an answer is generated once)
        framer, now = self._framer, time.monotonic
        is_busy = False
        with closing(FallbackEvents(self._chain, request, self, self._switch)) as stream:
            del request
            while True:
                due = framer.due()
                if due is None and is_busy:
                    due = framer.next_window()
                if due is None:
                    end = self._feed(stream.read(), now())
                    is_busy = framer.is_holding  # it came within the window of the last frame
                elif stream.has_more:
                    end = self._feed(stream.read(wait=False), now())
                else:
                    self.wait(due - now())
                    events = stream.read(wait=False)
                    is_busy = framer.is_holding or bool(events)
                    end = self._feed(events, max(due, now()))  # a sleep may end a moment too early
                if end is not None:
                    return end

    def _feed(self, events: Iterable[Event], now: float) -> Finished | None:
        """Frame events and append what leaves at `now`; returns the last event of the answer."""
        framer = self._framer
        for event in events:
            kind = type(event)
            if kind is TextDelta or kind is ReasoningDelta:
                frames = framer.feed(event, now)  # type: ignore[arg-type]
                if frames:
                    self._append(frames)
            elif isinstance(event, UsageReport):
                self._progress.meter.report(event)
            elif isinstance(event, Finished):
                self._progress.note_end(event)
                return event
        self._append(framer.flush(now))
        return None

    def _store_question(self) -> None:
        """Store the question before anybody is paid for its answer; where that fails the answer is generated anyway."""
        if self._writer is None:
            return
        if not self._writer.begin():
            self._log.append(not_saved_frame(), 1)
        if self._reason is not None:
            raise Stopped

    def _store(self, ending: Ending) -> None:
        """Store the answer before its terminal frame leaves, or append that it is not stored yet."""
        if self._writer is None or self._log.epoch != 1 or self._log.closed:
            return
        if not self._writer.end(
            ending[0], self._log.text_of("text"), self._log.text_of("reasoning"), wait=True
        ):
            self._log.append(not_saved_frame(), 1)

    def _switch(self, error: AnswerError, provider: Provider) -> None:
        self._log_failure(error)
        self._progress.switch(provider)

    def _append(self, frames: Iterable[Frame]) -> None:
        log = self._log
        for frame in frames:
            if log.size_bytes + len(frame.payload) > self._max_bytes:
                raise _Full
            log.append(frame, 1)
            self.started = True
            self._progress.note_frame(frame.kind)

    def _stopped(self, reason: Reason | None) -> Ending:
        self._append_rest()
        if reason == "limit":
            return self._progress.finished("length", is_complete=False)
        return self._progress.cancelled(reason or "user")

    def _failed(self, error: AnswerError) -> Ending:
        self._append_rest()
        self._log_failure(error)
        return self._progress.failed(error)

    def _append_rest(self) -> None:
        """Append what was held when the answer broke off."""
        try:
            self._append(self._framer.close())
        except _Full:
            pass

    def _log_failure(self, error: AnswerError) -> None:
        log_.warning(
            "run %s: %s from %s %s %s",
            self._log.start.run[:8],
            error.code,
            self._progress.provider,
            msgspec.json.encode(self._progress.model).decode(),
            getattr(error, "detail", ""),
        )

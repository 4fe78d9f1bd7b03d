"""Makes one answer: drives the provider, frames what it says and appends it to the run's log.

A producer is also the `Control` that its provider's transport talks to. One thread runs it; `stop` may
come from any other.
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
from webapp.errors import AnswerError, Interrupted, RequestError, Stopped, UpstreamError
from webapp.events import Finished, ReasoningDelta, TextDelta, UsageReport
from webapp.frames import Frame, StoppedBy, not_saved_frame
from webapp.framing import Framer, Rules
from webapp.providers.fallback import ask
from webapp.runs.ending import Ending, UsageMeter, cancelled, failed, finished, kept
from webapp.runs.log import RunLog, StaleEpoch
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
        tally: UsageMeter,
        rules: Rules,
        max_bytes: int,
        keeper: AnswerWriter | None = None,
    ) -> None:
        self._log = log
        self._keeper = keeper
        self._request: ModelRequest | None = request
        self._chain = chain
        self._framer = Framer(rules)
        self._max_bytes = max_bytes
        self._tally = tally
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._reason: Reason | None = None
        self._abort: Callable[[], None] | None = None
        self._left = False
        self.started = False
        self.window_s = rules.window_s

    # What the engine calls.

    def produce(self, ended: Callable[[Ending], None]) -> None:
        """Make the answer and append its terminal frame; `ended` is told how it ended. Raises nothing."""
        try:
            ending = self._made()
            self._keep(ending)
            self._log.append(ending.frame, epoch=1)
        except StaleEpoch:
            return  # somebody else has ended the run; this frame comes too late
        ended(ending)

    def stop(self, reason: Reason) -> None:
        """End the answer: the provider's socket is shut, every wait ends. The first reason counts."""
        with self._lock:
            if self._reason is None:
                self._reason = reason
            abort = self._abort
        self._stop.set()
        if abort is not None:
            abort()

    # What the transport calls; see `seams.Control`.

    def drained(self) -> bool:
        """Let go what is held, when its time has come; the transport is about to wait anyway."""
        due = self._framer.due()
        if due is not None:
            now = time.monotonic()
            if due > now:
                time.sleep(due - now)
            self._append(self._framer.flush(max(due, now)))
        left, self._left = self._left, False
        return left

    def opened(self, abort: Callable[[], None]) -> None:
        """Keep the way to shut the provider's socket."""
        with self._lock:
            self._abort = abort
            stopped = self._reason is not None
        if stopped:
            abort()
            raise Stopped

    def asked(self, taken: bool) -> None:
        """Note whether the provider may count the request."""
        self._tally.taken = taken

    def wait(self, seconds: float) -> None:
        """Sleep, letting go on time what is held; ended early by a stop."""
        due = self._framer.due()
        if due is not None:
            pause = max(0.0, due - time.monotonic())
            if pause <= seconds:
                time.sleep(pause)
                self._append(self._framer.flush(max(due, time.monotonic())))
                seconds -= pause
        if self._reason is not None:
            raise Stopped
        if seconds > _SHORT_S:
            self._stop.wait(seconds)
        elif seconds > 0:
            time.sleep(seconds)
        if self._reason is not None:
            raise Stopped

    # The making.

    def _made(self) -> Ending:
        try:
            end = self._ask()
            self._append(self._framer.close())
        except _Full:
            return finished(self._log, self._tally, "length", cut=True)
        except Stopped:
            return self._ended_by(self._reason)
        except AnswerError as error:
            return self._failed(error)
        except RequestError as error:  # found out only by the provider's own form
            return self._failed(UpstreamError("upstream_bad_request", error.message))
        except StaleEpoch:
            raise
        except Exception:  # the top of a run: a bug must end the answer, not the reader's patience
            log_.exception("run %s failed", self._log.start.run)
            return self._failed(AnswerError("internal"))
        return finished(self._log, self._tally, end.finish_reason)

    def _ask(self) -> Finished:
        self._keep_question()
        feed, now = self._framer.feed, time.monotonic
        request, self._request = self._request, None  # a run is remembered for longer than it needs this
        assert request is not None  # noqa: S101  (an answer is made once)
        with closing(ask(self._chain, request, self, self._switched)) as events:
            for event in events:
                kind = type(event)
                if kind is TextDelta or kind is ReasoningDelta:
                    frames = feed(event, now())  # type: ignore[arg-type]
                    if frames:
                        self.started = True
                        self._append(frames)
                elif isinstance(event, UsageReport):
                    self._tally.report(event)
                elif isinstance(event, Finished):
                    self._tally.end(event)
                    return event
        raise Interrupted("the provider stopped without an end")

    def _keep_question(self) -> None:
        """Keep what is asked before anybody is paid for it; where that fails the answer is made all the same."""
        if self._keeper is None:
            return
        if not self._keeper.begin():
            self._log.append(not_saved_frame(), 1)
        if self._reason is not None:
            raise Stopped

    def _keep(self, ending: Ending) -> None:
        """Keep the answer before its terminal frame leaves, or say right before it that it is not kept yet."""
        if self._keeper is None or self._log.epoch != 1 or self._log.closed:
            return
        if not kept(self._log, self._tally, ending, self._keeper, wait=True):
            self._log.append(not_saved_frame(), 1)

    def _switched(self, error: AnswerError, following: Provider) -> None:
        self._tell(error)
        self._tally.switch(following.name, following.model_name)

    def _append(self, frames: Iterable[Frame]) -> None:
        log = self._log
        for frame in frames:
            if log.size_bytes + len(frame.payload) > self._max_bytes:
                raise _Full
            log.append(frame, 1)
            self._tally.heard(frame.kind)
            self._left = True

    def _ended_by(self, reason: Reason | None) -> Ending:
        self._close_quietly()
        if reason == "limit":
            return finished(self._log, self._tally, "length", cut=True)
        return cancelled(self._log, self._tally, reason or "user")

    def _failed(self, error: AnswerError) -> Ending:
        self._close_quietly()
        self._tell(error)
        return failed(self._log, self._tally, error)

    def _close_quietly(self) -> None:
        """Keep what was held when the answer broke off."""
        try:
            self._append(self._framer.close())
        except _Full:
            pass

    def _tell(self, error: AnswerError) -> None:
        detail = getattr(error, "detail", "")
        log_.warning(
            "run %s: %s from %s %s %s",
            self._log.start.run[:8],
            error.code,
            self._tally.provider,
            msgspec.json.encode(self._tally.model).decode(),
            detail,
        )

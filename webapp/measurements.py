"""What the engine measures of the answers, and the interface through which it reports it."""

from __future__ import annotations

from bisect import bisect_left
from typing import Literal, Protocol

import msgspec

from webapp.frames import RunResult

GAP_BOUNDS_S = (0.02, 0.03, 0.04, 0.05, 0.075, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""The upper bounds of the intervals in which gaps between frames are counted; one more interval has no bound."""

ResumeKind = Literal["continued", "reset", "joined", "at_end"]
"""How a reader came to a run that had readers before: after its cursor, with a reset, from the first frame, or with nothing left to read."""


TakeoverOutcome = Literal["continued", "interrupted", "cancelled", "stored"]
"""What became of the run of a worker that has died: it goes on, ended with the text it had, ended because somebody had asked to
stop it, or had ended already as its conversation shows."""


class FrameGaps:
    """Counts the times between the frames of one run. It is updated once per frame: the hot path."""

    __slots__ = ("_last", "counts", "total_s")

    def __init__(self) -> None:
        self._last = 0.0
        self.counts = [0] * (len(GAP_BOUNDS_S) + 1)
        self.total_s = 0.0

    def note(self, now: float) -> None:
        """Record a frame."""
        last, self._last = self._last, now
        if last:
            gap = now - last
            self.counts[bisect_left(GAP_BOUNDS_S, gap)] += 1
            self.total_s += gap


class RunReport(msgspec.Struct, frozen=True, kw_only=True):
    """An ended run. `first_delta_s` is the time from its start to its first delta; None without one."""

    result: RunResult
    requested_model: str
    first_delta_s: float | None
    gaps: FrameGaps
    frames: int
    frame_bytes: int


class Observer(Protocol):
    """Receives what the engine measures. No method blocks or raises."""

    def run_ended(self, report: RunReport) -> None:
        """Count an ended run."""

    def provider_failed(self, provider: str, code: str, *, repeated: bool) -> None:
        """Count a failed call; `repeated` if another attempt or provider follows."""

    def resumed(self, kind: ResumeKind) -> None:
        """Count a reader that came back, or joined."""

    def run_taken_over(self, outcome: TakeoverOutcome) -> None:
        """Count a run of another worker that has died."""

    def set_current(self, *, queued: int, streaming: int, readers: int) -> None:
        """Set the numbers of runs in progress and of connections. Called by the pulse."""

    def set_journal_lag(self, seconds: float) -> None:
        """Set how far the journal is behind the runs of this worker. Called by the pulse."""


class NoObserver:
    """An observer that counts nothing."""

    def run_ended(self, report: RunReport) -> None:
        """See `Observer`."""

    def provider_failed(self, provider: str, code: str, *, repeated: bool) -> None:
        """See `Observer`."""

    def resumed(self, kind: ResumeKind) -> None:
        """See `Observer`."""

    def run_taken_over(self, outcome: TakeoverOutcome) -> None:
        """See `Observer`."""

    def set_current(self, *, queued: int, streaming: int, readers: int) -> None:
        """See `Observer`."""

    def set_journal_lag(self, seconds: float) -> None:
        """See `Observer`."""

"""Those who follow answers: a follower is one connection, a reader is its place in one run's log."""

from __future__ import annotations

import time
from collections.abc import Callable

from webapp.frames import Cursor, Frame
from webapp.runs.log import RunLog, Wake

_SPOKEN_S = 0.2

Delivery = tuple[Frame, bytes | None]


class ReaderConnection:
    """One connection. Its own thread waits on `wake`; the engine's pulse rings it after a silence.

    `hung_up` asks, without blocking, whether the other side has left; None where that cannot be known. `session`
    is the sign-in session that it came by: when that ends, so does the connection. `share` is whose part of all
    readers it takes.
    """

    def __init__(
        self,
        heartbeat_s: float,
        hung_up: Callable[[], bool] | None = None,
        wake: Wake | None = None,
        session: str | None = None,
        share: str | None = None,
    ) -> None:
        self.wake = wake or Wake()
        self.gone = False
        self.away = False  # the server is going: whoever can come back should
        self.session = session
        self.share = share
        self.signed_out = False
        self._heartbeat_s = heartbeat_s
        self._hung_up = hung_up
        self._spoke_at = time.monotonic()
        self._rung = False

    def spoke(self) -> None:
        """Note that something was written; the silence begins anew."""
        self._spoke_at = time.monotonic()
        self._rung = False

    def silent(self) -> bool:
        """Tell whether a heartbeat is due."""
        return time.monotonic() - self._spoke_at >= self._heartbeat_s

    def send_away(self) -> None:
        """Ask the connection to end and come back, to another process."""
        self.away = True
        self.wake.set()

    def sign_out(self) -> None:
        """End the connection, because the session that it came by has ended."""
        self.signed_out = True
        self.gone = True
        self.wake.set()

    def check(self, now: float) -> None:
        """Ring when the other side has left or has heard nothing for too long. The pulse calls it."""
        silent_s = now - self._spoke_at
        if silent_s < _SPOKEN_S:
            return  # a write has just shown that the other side is there
        if self._hung_up is not None and not self.gone and self._hung_up():
            self.gone = True
            self.wake.set()
        elif not self._rung and silent_s >= self._heartbeat_s:
            self._rung = True
            self.wake.set()


class Reader:
    """A place in a run's log. `take` gives what is new; it never waits and never touches the producer."""

    def __init__(self, log: RunLog, cursor: Cursor | None, *, prove: bool) -> None:
        """Begin after `cursor`, or at the first frame when it is None.

        `prove` False means that what the other side has is unknown: it is sent a reset.
        """
        self._log = log
        self._epoch = log.epoch
        self._prefix = b""
        self._enter(log.epoch)
        at = log.begin(log.epoch) if log.epoch == 1 else None
        if cursor is not None:
            at = log.after(cursor)
        self._at = at if prove and at is not None else -1
        self.ended = False

    @property
    def at_end(self) -> bool:
        """Whether the terminal frame has been read already."""
        return self._log.closed and self._at == len(self._log)

    def take(self) -> list[Delivery]:
        """Give the frames that are new, each with its id."""
        log = self._log
        if self._at < 0:
            return self._reset()
        frames = log.since(self._at)
        if self._epoch != log.epoch:  # asked after the frames were taken: they may be of the next epoch
            return self._reset()
        if not frames:
            return []
        seq = self._at - self._begin
        self._at += len(frames)
        prefix = self._prefix
        if len(frames) == 1:
            frame = frames[0]
            self.ended = frame.terminal
            return [(frame, b"%b%d" % (prefix, seq + 1))]
        self.ended = frames[-1].terminal
        return [(frame, b"%b%d" % (prefix, seq + place)) for place, frame in enumerate(frames, 1)]

    def _enter(self, epoch: int) -> None:
        self._epoch = epoch
        self._begin = self._log.begin(epoch)
        self._prefix = f"{self._log.start.run}:{epoch}:".encode()

    def _reset(self) -> list[Delivery]:
        """Fold everything up to the terminal frame, or to now, into a reset."""
        self._enter(self._log.epoch)
        end = len(self._log)
        if self._log.closed:
            end -= 1
        folded = self._log.folded(end)
        last = b"%b%d" % (self._prefix, end - self._begin)
        self._at = end
        return [*((frame, None) for frame in folded[:-1]), (folded[-1], last), *self.take()]

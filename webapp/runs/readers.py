"""Who reads answers: a reader is a place in one run's log, and one connection may carry several."""

from __future__ import annotations

import time
from collections.abc import Callable

from webapp.frames import Cursor, Frame
from webapp.offload import Wake
from webapp.runs.log import RunLog

_JUST_WROTE_S = 0.2

Delivery = tuple[Frame, bytes | None]


class ReaderConnection:
    """One connection of a client. Its own thread waits on `wake`, which is set for new frames and due heartbeats.

    `has_hung_up` tells, without blocking, whether the client has left; None where that cannot be known. `session` is
    the sign-in session that it came by: when that ends, so does the connection. `share` is whose share of all readers
    it counts against.
    """

    def __init__(
        self,
        heartbeat_s: float,
        has_hung_up: Callable[[], bool] | None = None,
        wake: Wake | None = None,
        session: str | None = None,
        share: str | None = None,
    ) -> None:
        self.wake = wake or Wake()
        self.gone = False
        self.leaving = False  # the server is shutting down: a client that can come back should
        self.session = session
        self.share = share
        self.signed_out = False
        self._heartbeat_s = heartbeat_s
        self._has_hung_up = has_hung_up
        self._wrote_at = time.monotonic()
        self._heartbeat_asked = False

    def wrote(self) -> None:
        """Note that something was written: the next heartbeat is due later."""
        self._wrote_at = time.monotonic()
        self._heartbeat_asked = False

    def is_silent(self) -> bool:
        """Return whether a heartbeat is due."""
        return time.monotonic() - self._wrote_at >= self._heartbeat_s

    def send_away(self) -> None:
        """End the connection, so that its client comes back to another process."""
        self.leaving = True
        self.wake.set()

    def sign_out(self) -> None:
        """End the connection, because the session that it came by has ended."""
        self.signed_out = True
        self.gone = True
        self.wake.set()

    def check(self, now: float) -> None:
        """Wake the connection's thread when the client has left, or a heartbeat is due. Called by the pulse."""
        silent_s = now - self._wrote_at
        if silent_s < _JUST_WROTE_S:
            return  # a write has just shown that the client is there
        if self._has_hung_up is not None and not self.gone and self._has_hung_up():
            self.gone = True
            self.wake.set()
        elif not self._heartbeat_asked and silent_s >= self._heartbeat_s:
            self._heartbeat_asked = True
            self.wake.set()


class Reader:
    """A place in a run's log. It copies frames out of the log, never waits, and never touches the producer."""

    def __init__(self, log: RunLog, cursor: Cursor | None, *, prove: bool) -> None:
        """Start after `cursor`, or at the first frame where it is None.

        `prove` False means that it is unknown what the client has: it is sent a reset.
        """
        self._log = log
        self._epoch = log.epoch
        self._prefix = b""
        self._enter(log.epoch)
        at = log.epoch_start(log.epoch) if log.epoch == 1 else None
        if cursor is not None:
            at = log.after(cursor)
        self._at = at if prove and at is not None else -1
        self.ended = False

    @property
    def at_end(self) -> bool:
        """Whether the terminal frame has been read already."""
        return self._log.closed and self._at == len(self._log)

    def take(self) -> list[Delivery]:
        """Return the frames that are new, each with its id."""
        log = self._log
        if self._at < 0:
            return self._reset()
        frames = log.since(self._at)
        if self._epoch != log.epoch:  # read after the frames: they may be of the next epoch
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
        self._begin = self._log.epoch_start(epoch)
        self._prefix = f"{self._log.start.run}:{epoch}:".encode()

    def _reset(self) -> list[Delivery]:
        """Return a reset that holds everything up to the terminal frame, or to now."""
        self._enter(self._log.epoch)
        end = len(self._log)
        if self._log.closed:
            end -= 1
        folded = self._log.reset(end)
        last = b"%b%d" % (self._prefix, end - self._begin)
        self._at = end
        return [*((frame, None) for frame in folded[:-1]), (folded[-1], last), *self.take()]

"""Readers of answers: a reader is a position in one run's log; a connection may have several readers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

from webapp.frames import Cursor, Frame, encode_sse, encode_sse_records
from webapp.offload import Wake
from webapp.runs.log import RunLog
from webapp.runs.sse_blocks import BLOCK_FRAMES, encode_block

_RECENT_WRITE_S = 0.2
_FIRST_PIECE_FRAMES = 8  # 64 KiB at most, however large they are

Delivery = tuple[Frame, bytes | None]


class ReaderConnection:
    """A client's connection. Its thread waits on `wake`, which is set for new frames and due heartbeats.

    Args:
        has_hung_up: Returns, without blocking, whether the client has disconnected. None if that cannot be detected.
        session: The sign-in session of the connection, which ends with it.
        key: The publishable key of the connection, which ends with it, too.
        quota_name: The name of the caller whose quota of readers the connection counts against.
        can_resume: Whether the client comes back to what it reads, on any worker.
    """

    def __init__(
        self,
        heartbeat_s: float,
        has_hung_up: Callable[[], bool] | None = None,
        wake: Wake | None = None,
        session: str | None = None,
        key: str | None = None,
        quota_name: str | None = None,
        *,
        can_resume: bool = False,
    ) -> None:
        self.wake = wake or Wake()
        self.gone = False
        self.must_reconnect = False  # the server is shutting down
        self.session = session
        self.key = key
        self.quota_name = quota_name
        self.can_resume = can_resume
        self.signed_out = False
        self._heartbeat_s = heartbeat_s
        self._has_hung_up = has_hung_up
        self._written_at = time.monotonic()
        self._is_heartbeat_requested = False

    def note_write(self) -> None:
        """Record a write, which postpones the next heartbeat."""
        self._written_at = time.monotonic()
        self._is_heartbeat_requested = False

    def is_heartbeat_due(self) -> bool:
        """Return whether a heartbeat is due."""
        return time.monotonic() - self._written_at >= self._heartbeat_s

    def request_reconnect(self) -> None:
        """End the connection, so that the client reconnects to another process."""
        self.must_reconnect = True
        self.wake.set()

    def sign_out(self) -> None:
        """End the connection, because its sign-in session or its key has ended."""
        self.signed_out = True
        self.gone = True
        self.wake.set()

    def check(self, now: float) -> None:
        """Wake the connection's thread if the client has disconnected or a heartbeat is due. Called by the pulse."""
        silent_s = now - self._written_at
        if silent_s < _RECENT_WRITE_S:
            return  # a recent write has shown that the client is connected
        if self._has_hung_up is not None and not self.gone and self._has_hung_up():
            self.gone = True
            self.wake.set()
        elif not self._is_heartbeat_requested and silent_s >= self._heartbeat_s:
            self._is_heartbeat_requested = True
            self.wake.set()


class Reader:
    """A position in a run's log. It copies frames from the log without waiting or affecting the producer."""

    def __init__(self, log: RunLog, cursor: Cursor | None, *, resumable: bool) -> None:
        """Start after `cursor`, with None at the first frame.

        `resumable` False means that it is unknown which frames the client has: it gets a reset.
        """
        self._log = log
        self._epoch = log.epoch
        self._prefix = b""
        self._enter(log.epoch)
        at = log.epoch_start(log.epoch) if log.epoch == 1 else None
        if cursor is not None:
            at = log.index_after(cursor)
        self._at = at if resumable and at is not None else -1
        self.ended = False

    @property
    def needs_reset(self) -> bool:
        """Whether the first frame will be a reset, because it is unknown which frames the client has."""
        return self._at < 0

    @property
    def at_end(self) -> bool:
        """Whether the terminal frame has already been read."""
        return self._log.closed and self._at == len(self._log)

    def take(self) -> list[Delivery]:
        """Return the new frames, each with its id."""
        frames = self._take_frames()
        if frames is None:
            return self._reset()
        prefix = self._prefix
        seq = self._at - self._epoch_start - len(frames)
        if len(frames) == 1:
            return [(frames[0], b"%b%d" % (prefix, seq + 1))]
        return [(frame, b"%b%d" % (prefix, seq + number)) for number, frame in enumerate(frames, 1)]

    def take_sse(self, piece_bytes: int) -> Iterator[bytes]:
        """Yield the new frames as SSE records, whole ones, in pieces of about `piece_bytes`; a piece may be larger.

        A reader that comes back may have missed megabytes: large pieces of memory would have to be mapped for it each time.
        """
        frames = self._take_frames()
        if frames is None:
            yield from [encode_sse(*delivery) for delivery in self._reset()]
            return
        seq = self._at - self._epoch_start - len(frames) + 1
        start, count = 0, _FIRST_PIECE_FRAMES
        while start < len(frames):
            piece = encode_sse_records(frames[start : start + count], self._prefix, seq + start)
            start += count
            yield piece
            count = max(1, count * piece_bytes // len(piece))
            if count >= BLOCK_FRAMES:
                yield from self._take_blocks(frames[start:], seq + start, piece_bytes)
                return

    def _take_blocks(self, frames: Sequence[Frame], seq: int, piece_bytes: int) -> Iterator[bytes]:
        """Yield small frames, of which the first has the number `seq`, in the blocks that all readers share."""
        start = -(seq - 1) % BLOCK_FRAMES
        pieces = [encode_sse_records(frames[:start], self._prefix, seq)]
        size = len(pieces[0])
        while start + BLOCK_FRAMES < len(frames):
            block = frames[start : start + BLOCK_FRAMES]
            pieces.append(encode_block(self._log, block, self._prefix, self._epoch, seq + start))
            start += BLOCK_FRAMES
            size += len(pieces[-1])
            if size >= piece_bytes:
                yield b"".join(pieces)
                pieces, size = [], 0
        pieces.append(encode_sse_records(frames[start:], self._prefix, seq + start))
        yield b"".join(pieces)

    def _take_frames(self) -> list[Frame] | None:
        """Return the new frames; None if a reset is due."""
        log = self._log
        if self._at < 0:
            return None
        frames = log.frames_from(self._at)
        if self._epoch != log.epoch:  # checked after the frames are copied: they may be of the next epoch
            return None
        if frames:
            self._at += len(frames)
            self.ended = frames[-1].terminal
        return frames

    def _enter(self, epoch: int) -> None:
        self._epoch = epoch
        self._epoch_start = self._log.epoch_start(epoch)
        self._prefix = f"{self._log.start.run}:{epoch}:".encode()

    def _reset(self) -> list[Delivery]:
        """Return all frames so far as a reset, followed by the terminal frame if there is one."""
        epoch, end, frames = self._log.fold()
        self._enter(epoch)
        last_id = b"%b%d" % (self._prefix, end - self._epoch_start)
        self._at = end
        return [*((frame, None) for frame in frames[:-1]), (frames[-1], last_id), *self.take()]

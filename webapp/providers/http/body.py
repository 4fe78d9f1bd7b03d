"""The body of a provider's response, read when the caller wants it: what has come by now, or waiting for more.

It is delimited in one of HTTP's three ways (RFC 9112, section 6.3): chunks, a length, or the end of the connection.
"""

from __future__ import annotations

import time
from typing import Protocol

import msgspec

from webapp.errors import AnswerError, Interrupted, UpstreamError
from webapp.providers.http.chunked import BadChunk, ChunkedDecoder
from webapp.providers.http.connections import ConnectionPool, StopHandle
from webapp.providers.http.head import ResponseHead
from webapp.providers.http.sockets import READ_BYTES, Connection, may_hold_more
from webapp.seams import Control

# After so many bytes without a rest, others get as long as reading them took.
_MIN_REST_S, _MAX_REST_S = 0.001, 0.02


class _Framing(Protocol):
    """One of the three ways. `ended` is true once all content has come."""

    ended: bool

    def decode(self, raw: bytes) -> bytes: ...

    def cut(self) -> str | None:
        """Return what is wrong with a connection that ends now; None where that is the end of the body."""


class BodyLimits(msgspec.Struct, frozen=True, kw_only=True):
    """How much of a body is read, and how long its reader waits between two bytes."""

    idle_s: float
    max_bytes: int


class ResponseBody:
    """The content of one response. `ended` is true once all of it was read."""

    def __init__(
        self,
        connection: Connection,
        head: ResponseHead,
        first: bytes,
        control: Control,
        limits: BodyLimits,
        pool: ConnectionPool,
        stop: StopHandle,
    ) -> None:
        """Read the body behind `head`, of which `first` has come with it."""
        self._pool = pool
        self._stop = stop
        self.connection = connection
        self._control = control
        self._limits = limits
        self._framing: _Framing = _framing_of(head)
        self._first = first
        self._is_waiting_for_first = True
        self._bytes_left = limits.max_bytes
        self._is_full = False  # the last read did not take all that had come
        self._start_counting()
        self._keeps_alive = head.keeps_alive
        self._is_closed = False

    @property
    def ended(self) -> bool:
        """Whether all content was read."""
        return self._framing.ended

    @property
    def has_more(self) -> bool:
        """Whether the last read did not take all that had come."""
        return self._is_full

    def read(self, *, wait: bool = True) -> bytes:
        """Return all content that has come, at most about 64 KiB.

        With `wait` it waits until there is some, at most for the time between two bytes; else it returns b"" where
        none has come. b"" is also the end, then `ended` is true. Raises `Interrupted` for a body that is cut,
        `UpstreamError` for silence and for too many bytes, and `Stopped`.
        """
        while not self.ended:
            raw = self._receive(wait=wait)
            if raw is None:
                return b""
            content = self._decode(raw)
            if content or not wait:
                return content
        return b""

    def close(self, *, reuse: bool) -> None:
        """Release the connection; with `reuse` for another call, once the rest of the body has come."""
        if self._is_closed:
            return
        self._is_closed = True
        self._stop.release()
        if not (reuse and self._keeps_alive):
            self._pool.discard(self.connection)
        elif self.ended:
            self._pool.release(self.connection)
        else:
            self._pool.release_later(self)

    def skip_rest(self) -> bool | None:
        """Read what has come behind the content; return True at the end of the body, None while it is incomplete.

        False means that the connection is of no use any more. Never waits.
        """
        try:
            while not self.ended:
                raw = self.connection.receive_now()
                if raw is None:
                    return None
                if not raw or self._framing.decode(raw):
                    return False
        except (OSError, BadChunk):
            return False
        return not self.connection.has_news()

    def _receive(self, *, wait: bool) -> bytes | None:
        """Return all raw bytes that have come; None where none has and `wait` is false, b"" at the end."""
        connection = self.connection
        if self._first:
            raw, self._first = self._first, b""
            self._note_read()
            return raw
        if self._since_rest_bytes >= READ_BYTES:
            if wait or self._is_full:
                self._rest()
            else:
                self._start_counting()  # the caller has slept since the last read
        try:
            found = connection.receive_now() if self._is_full or not wait else None
            if found is not None:
                raw = found
            else:
                if not wait:
                    self._is_full = False
                    return None
                asked_at = time.monotonic()
                raw = connection.receive()
                if time.monotonic() - asked_at > _MIN_REST_S:
                    self._start_counting()
            if may_hold_more(raw):
                raw = self._receive_more(raw)
        except OSError as error:
            self._control.wait(0)  # a stop looks like a broken connection
            raise self._late() or Interrupted(type(error).__name__) from error
        self._is_full = len(raw) >= READ_BYTES
        self._since_rest_bytes += len(raw)
        if raw:
            self._note_read()
        return raw

    def _note_read(self) -> None:
        """Let the watchdog shut the connection when no more bytes come for too long."""
        is_first, self._is_waiting_for_first = self._is_waiting_for_first, False
        self.connection.deadline = time.monotonic() + self._limits.idle_s
        if is_first:  # until now there was the deadline of the first byte, which may be later
            self._pool.check_by(self.connection.deadline)

    def _receive_more(self, raw: bytes) -> bytes:
        pieces, size = [raw], len(raw)
        while size < READ_BYTES and may_hold_more(pieces[-1]):
            piece = self.connection.receive_now()
            if not piece:
                break  # nothing more, or the end, which the next read meets again
            pieces.append(piece)
            size += len(piece)
        return b"".join(pieces)

    def _rest(self) -> None:
        took_s = time.monotonic() - self._rested_at
        time.sleep(min(max(took_s, _MIN_REST_S), _MAX_REST_S))
        self._start_counting()

    def _start_counting(self) -> None:
        """Note that others have just had their turn."""
        self._since_rest_bytes, self._rested_at = 0, time.monotonic()

    def _decode(self, raw: bytes) -> bytes:
        if not raw:
            self._control.wait(0)
            problem = self._framing.cut()
            if problem is not None:
                raise self._late() or Interrupted(problem)
            self._keeps_alive = False
            return b""
        self._bytes_left -= len(raw)
        if self._bytes_left < 0:
            raise UpstreamError(
                "upstream_protocol", detail=f"the answer is over {self._limits.max_bytes} bytes"
            )
        try:
            return self._framing.decode(raw)
        except BadChunk as error:
            raise Interrupted(str(error)) from error

    def _late(self) -> AnswerError | None:
        if not self.connection.expired:
            return None
        return UpstreamError("upstream_timeout" if self._is_waiting_for_first else "upstream_stalled")


def _framing_of(head: ResponseHead) -> _Framing:
    if head.status in (204, 304):
        return _Sized(0)
    if head.is_chunked:
        return _Chunks()
    length = head.length
    return _UntilClosed() if length is None else _Sized(length)


class _Chunks(ChunkedDecoder):
    def cut(self) -> str | None:
        return "the body was cut inside a chunk"


class _Sized:
    def __init__(self, length: int) -> None:
        self._left = length
        self.ended = length == 0

    def decode(self, raw: bytes) -> bytes:
        content = raw[: self._left]
        self._left -= len(content)
        self.ended = self._left == 0
        return content

    def cut(self) -> str | None:
        return "the body was shorter than it said"


class _UntilClosed:
    def __init__(self) -> None:
        self.ended = False

    def decode(self, raw: bytes) -> bytes:
        return raw

    def cut(self) -> str | None:
        self.ended = True
        return None

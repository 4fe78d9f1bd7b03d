"""The body of a provider's response, read with or without waiting.

Its end is marked in one of HTTP's three ways (RFC 9112, section 6.3): chunks, a length, or the end of the connection.
"""

from __future__ import annotations

import math
import time
from typing import Protocol

import msgspec

from webapp.errors import AnswerError, Interrupted, UpstreamError, release_frames
from webapp.providers.http.chunked import BadChunk, ChunkedDecoder
from webapp.providers.http.connection_pool import ConnectionPool, StopHandle
from webapp.providers.http.content_coding import BadCoding, ContentDecoder
from webapp.providers.http.head import ResponseHead
from webapp.providers.http.sockets import EMPTYING_READ_BYTES, READ_BYTES, Connection
from webapp.seams import Control

# A reader that never blocks sleeps after every `READ_BYTES` for as long as reading them took, so that others can run.
_MIN_PAUSE_S, _MAX_PAUSE_S = 0.001, 0.02


class _Framing(Protocol):
    """Decodes one of the three forms. `ended` is true after the last byte of the content."""

    ended: bool

    def decode(self, raw: bytes) -> bytes: ...

    def end_of_connection(self) -> str | None:
        """Return an error message if the connection's end truncates the body; None if it is the body's end."""


class BodyLimits(msgspec.Struct, frozen=True, kw_only=True):
    """The maximum size of a body, and the longest wait between two bytes."""

    idle_s: float
    max_bytes: int


class ResponseBody:
    """The content of one response; see `seams.Body`."""

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
        """Read the body that follows `head`; `first` are its bytes that have already been received.

        Raises `BadCoding` for a body that is compressed in a form that is not supported.
        """
        self._content = ContentDecoder(head.headers.get("content-encoding", ""))
        self._pool = pool
        self._stop = stop
        self.connection = connection
        self._control = control
        self._limits = limits
        self._framing: _Framing = _framing_of(head)
        self._first = first
        self._is_waiting_for_first = True
        self._bytes_left = limits.max_bytes
        self._is_full = False  # the last read has left received bytes over
        self._failure: OSError | None = None  # raised by the next read, after what arrived before it
        self._end_at = math.inf
        self._reset_pause()
        self._keeps_alive = head.keeps_alive
        self._is_closed = False

    @property
    def ended(self) -> bool:
        """Whether all content has been read."""
        return self._framing.ended and not self._content.rest

    @property
    def has_more(self) -> bool:
        """Whether the last read has left received bytes over."""
        return self._is_full or bool(self._content.rest)

    def read(self, *, wait: bool = True) -> bytes:
        """Return the content that has arrived, at most about 64 KiB; see `seams.Body`.

        With `wait`, waits at most `idle_s`. Raises `Interrupted` for a truncated body, `UpstreamError` after the wait and
        for a body over `max_bytes`, and `Stopped`.
        """
        framing, coding = self._framing, self._content
        while True:
            if coding.rest:
                content = self._inflate_rest()
            elif framing.ended:
                return b""
            else:
                raw = self._receive(wait=wait)
                if raw is None:
                    return b""
                content = self._decode(raw)
                if not coding.is_plain:
                    content = self._inflate(content)
            if content or not wait:
                return content

    def end_within(self, seconds: float) -> None:
        """Set a deadline for the body, `seconds` from now: later reads raise `UpstreamError`."""
        now = time.monotonic()
        self._end_at = now + seconds
        self.connection.deadline = min(now + self._limits.idle_s, self._end_at)
        self._pool.check_by(self.connection.deadline)

    def close(self, *, reuse: bool) -> None:
        """Release the connection; with `reuse` for another call, as soon as the end of the body has arrived."""
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

    def skip_to_end(self) -> bool | None:
        """Read the bytes that have arrived after the content, without waiting.

        Return True at the end of the body, None before it, and False if the connection cannot be reused.
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
        return not self.connection.is_readable()

    def _inflate_rest(self) -> bytes:
        """Return more content of what was received: a few bytes may hold much."""
        if self._bytes_since_pause >= READ_BYTES:
            self._pause()
        content = self._inflate(b"")
        self._bytes_since_pause += len(content)
        return content

    def _receive(self, *, wait: bool) -> bytes | None:
        """Return the raw bytes that have arrived; None if there are none and `wait` is false, b"" at the end."""
        if self._first:
            raw, self._first = self._first, b""
            self._note_read()
            return raw
        if self._failure is not None:
            raise self._connection_error(self._failure) from self._failure
        if self._bytes_since_pause >= READ_BYTES:
            if wait or self._is_full:
                self._pause()
            else:
                self._reset_pause()  # the caller has slept since the last read
        try:
            received = self.connection.receive_now() if self._is_full or not wait else None
            if received is None and not wait:
                self._is_full = False
                return None
            raw = self._wait_for_data() if received is None else received
            if len(raw) >= EMPTYING_READ_BYTES:
                raw = self._receive_more(raw)
        except OSError as error:
            raise self._connection_error(error) from error
        self._is_full = len(raw) >= READ_BYTES
        self._bytes_since_pause += len(raw)
        if raw:
            self._note_read()
        return raw

    def _wait_for_data(self) -> bytes:
        started_at = time.monotonic()
        raw = self.connection.receive()
        if time.monotonic() - started_at > _MIN_PAUSE_S:
            self._reset_pause()
        return raw

    def _note_read(self) -> None:
        """Set the deadline of the next byte, after which the watchdog shuts the connection."""
        is_first, self._is_waiting_for_first = self._is_waiting_for_first, False
        self.connection.deadline = min(time.monotonic() + self._limits.idle_s, self._end_at)
        if is_first:  # the new deadline may be earlier than that of the first byte
            self._pool.check_by(self.connection.deadline)

    def _receive_more(self, raw: bytes) -> bytes:
        pieces, size = [raw], len(raw)
        while size < READ_BYTES and len(pieces[-1]) >= EMPTYING_READ_BYTES:
            try:
                piece = self.connection.receive_now()
            except OSError as error:  # a reset after the last burst: what has arrived is used first
                release_frames(error)
                self._failure = error
                break
            if not piece:
                break  # no more bytes, or the end, which the next read detects again
            pieces.append(piece)
            size += len(piece)
        return b"".join(pieces)

    def _connection_error(self, error: OSError) -> AnswerError:
        """Return the error for a broken connection. Raises `Stopped` if a stop has shut it."""
        self._control.wait(0)
        return self._timeout_error() or Interrupted(type(error).__name__)

    def _pause(self) -> None:
        took_s = time.monotonic() - self._paused_at
        time.sleep(min(max(took_s, _MIN_PAUSE_S), _MAX_PAUSE_S))
        self._reset_pause()

    def _reset_pause(self) -> None:
        """Record that other threads have just had the chance to run."""
        self._bytes_since_pause, self._paused_at = 0, time.monotonic()

    def _decode(self, raw: bytes) -> bytes:
        if not raw:
            self._control.wait(0)
            problem = self._framing.end_of_connection()
            if problem is not None:
                raise self._timeout_error() or Interrupted(problem)
            self._keeps_alive = False
            return b""
        self._count(len(raw))
        try:
            return self._framing.decode(raw)
        except BadChunk as error:
            raise Interrupted(str(error)) from error

    def _inflate(self, raw: bytes) -> bytes:
        try:
            content = self._content.decode(raw)
        except BadCoding as error:
            raise Interrupted(str(error)) from error
        if len(content) > len(raw):
            self._count(len(content) - len(raw))
        return content

    def _count(self, size: int) -> None:
        self._bytes_left -= size
        if self._bytes_left < 0:
            raise UpstreamError(
                "upstream_protocol", detail=f"the response is larger than {self._limits.max_bytes} bytes"
            )

    def _timeout_error(self) -> AnswerError | None:
        """Return the error if the watchdog has shut the connection."""
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
    def end_of_connection(self) -> str | None:
        return "the body was truncated inside a chunk"


class _Sized:
    def __init__(self, length: int) -> None:
        self._left = length
        self.ended = length == 0

    def decode(self, raw: bytes) -> bytes:
        content = raw[: self._left]
        self._left -= len(content)
        self.ended = self._left == 0
        return content

    def end_of_connection(self) -> str | None:
        return "the body was shorter than its Content-Length"


class _UntilClosed:
    def __init__(self) -> None:
        self.ended = False

    def decode(self, raw: bytes) -> bytes:
        return raw

    def end_of_connection(self) -> str | None:
        self.ended = True
        return None

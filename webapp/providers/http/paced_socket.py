"""A socket that is read at the pace of frames, put under `requests` through urllib3's connection classes.

The reader wakes when the first bytes come; after a frame has left it waits one window, then reads all
that the kernel holds in one go. So the cost grows with frames and not with deltas, and nothing falls
behind: one TLS read returns one record, which is one delta, hence the reading until it would block.
"""

from __future__ import annotations

import io
import math
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import msgspec

from webapp.errors import UpstreamError
from webapp.seams import Control

_READ_BYTES = 64 * 1024
# Up to here one read took all. Of a larger backlog the other side may hold a rest until the kernel has room.
_SMALL_BYTES = 4 * 1024
# A flood that makes no frames is never waited on: after a full read it rests as long as that took, for the others.
_LEAST_REST_S, _MOST_REST_S = 0.001, 0.02


class Timeouts(msgspec.Struct, frozen=True, kw_only=True):
    """How long, in seconds, to wait for a provider, and how much to take from it, in bytes."""

    connect_s: float = 10.0
    first_byte_s: float = 300.0
    idle_s: float = 120.0
    quiet_s: float = 600.0
    max_line_bytes: int = 8 * 1024 * 1024
    max_body_bytes: int = 1024 * 1024 * 1024


class Exchange:
    """One call in progress: who controls it and the socket it came to use."""

    def __init__(self, control: Control, patience: Timeouts) -> None:
        self.control = control
        self.patience = patience
        self.reader: PacedSocket | None = None


current: ContextVar[Exchange] = ContextVar("exchange")


@contextmanager
def exchanging(exchange: Exchange) -> Iterator[None]:
    """Make `exchange` the one that connections opened in this thread belong to."""
    token = current.set(exchange)
    try:
        yield
    finally:
        current.reset(token)


def shut(sock: socket.socket) -> None:
    """End a connection under whoever reads it; works from any thread or greenlet, plain and TLS."""
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except (OSError, ValueError):
        pass  # it is gone already


class PacedSocket:
    """A connected socket as `http.client` sees it, which hands the body over to `read`."""

    def __init__(self, sock: socket.socket, exchange: Exchange) -> None:
        self._sock = sock
        self._exchange = exchange
        self._deadline = time.monotonic() + exchange.patience.first_byte_s
        self._idle_s = exchange.patience.idle_s
        self._head: io.BufferedReader | None = None
        self._raw: _HeadReader | None = None
        self._plain = not isinstance(sock, ssl.SSLSocket)
        self._begun = False  # a byte of the body has come: until then the first byte's limit holds
        self._busy = False  # bytes come faster than frames leave
        self._full = False  # the last read did not take all there was
        self._left_at = -math.inf  # when the last frame left
        self._share()
        sock.settimeout(exchange.patience.first_byte_s)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    def settimeout(self, timeout: float | None) -> None:
        """Keep our own deadlines: urllib3 sets one for each read, which a slow drip never trips."""

    def makefile(self, mode: str, buffering: int | None = None) -> io.BufferedReader:
        """Give `http.client` the file it reads the status and the headers from."""
        self._raw = _HeadReader(self._sock.makefile("rb", buffering=0), self._sock, self._deadline)
        self._head = io.BufferedReader(self._raw)
        return self._head

    def hurry(self, seconds: float) -> None:
        """Wait no longer than this for what still comes: it is not worth more."""
        self._idle_s = seconds
        self._deadline = time.monotonic() + seconds

    def leftover(self) -> bytes:
        """Take what came in one read with the headers. Call it once, before `read`."""
        if self._head is None or self._raw is None:
            return b""
        self._raw.done = True
        chunk = self._head.read1(io.DEFAULT_BUFFER_SIZE)
        self._begun = bool(chunk)
        return chunk

    def read(self) -> bytes:
        """Wait for bytes and return all that have come; b"" is the end.

        Raises `UpstreamError` for silence, `Stopped`, and `OSError` for a connection that broke.
        """
        if self._unshared_bytes >= _READ_BYTES:
            took_s = time.monotonic() - self._shared_at
            time.sleep(min(max(took_s, _LEAST_REST_S), _MOST_REST_S))
            self._share()
        piece = self._first()
        pieces, size = [piece], len(piece)
        while self._busy and piece and size < _READ_BYTES and not (self._plain and len(piece) < _SMALL_BYTES):
            following = self._try()
            if not following:
                break  # it would block, or it is the end, which the next read meets again
            piece = following
            pieces.append(piece)
            size += len(piece)
        self._full = size >= _READ_BYTES
        self._unshared_bytes += size
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _first(self) -> bytes:
        """Wait for what begins the next frame.

        A busy connection is left alone for one window after a frame, then read to its end. A calm one is
        waited on at once; bytes that come within the window make it busy. After a full buffer nothing is
        waited for.
        """
        control = self._exchange.control
        if self._full:
            chunk = self._try()
            if chunk is not None:
                return chunk
        if control.drained():
            self._left_at = time.monotonic()
            if self._busy:
                control.wait(control.window_s)
                self._share()
        if self._busy:
            chunk = self._try()
            if chunk is not None:
                return chunk
        chunk = self._block()
        rest_s = self._left_at + control.window_s - time.monotonic()
        self._busy = rest_s > 0
        if self._busy and chunk:
            control.wait(rest_s)
            self._share()
        return chunk

    def _share(self) -> None:
        """Note that all others have just had their turn; what is read from now on is counted."""
        self._unshared_bytes, self._shared_at = 0, time.monotonic()

    def _block(self) -> bytes:
        first = not self._begun
        limit_s = max(0.001, self._deadline - time.monotonic()) if first else self._idle_s
        self._sock.settimeout(limit_s)
        asked_at = time.monotonic()
        try:
            chunk = self._sock.recv(_READ_BYTES)
        except TimeoutError as error:
            raise UpstreamError("upstream_timeout" if first else "upstream_stalled") from error
        self._begun = True
        if time.monotonic() - asked_at > _LEAST_REST_S:
            self._share()
        return chunk

    def _try(self) -> bytes | None:
        self._sock.settimeout(0)
        try:
            return self._sock.recv(_READ_BYTES)
        except (BlockingIOError, ssl.SSLWantReadError):
            return None


class _HeadReader(io.RawIOBase):
    """What `http.client` reads the headers through, bounded by one deadline for all of them.

    It holds the socket's own file, which keeps the socket open until the response is closed.
    """

    def __init__(self, file: io.RawIOBase, sock: socket.socket, deadline: float) -> None:
        self._file = file
        self._sock = sock
        self._deadline = deadline
        self.done = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self.done:
            return None
        self._sock.settimeout(max(0.001, self._deadline - time.monotonic()))
        return self._sock.recv_into(buffer)

    def close(self) -> None:
        self._file.close()
        super().close()

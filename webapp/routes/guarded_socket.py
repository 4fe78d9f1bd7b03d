"""The socket under a WebSocket: one writer at a time, complete writes with a deadline, and checked messages.

Three layers are involved. simple-websocket parses frames and assembles messages, but calls `send` once, from two threads,
and ignores how much was sent; flask-sock creates its server, so it cannot be subclassed. `GuardedSocket` replaces its
socket: it writes everything under a lock and counts memory. `codecs/websocket.py` checks sizes, masks and rates of
received bytes before simple-websocket buffers them.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from typing import Any

from webapp.codecs.websocket import Inspector, Violation
from webapp.errors import TooManyRequests, Unavailable
from webapp.offload import Wake

_WRITE_BYTES = 64 * 1024  # at once: other streams go on in between
_LINGER_S = 1.0
_COUNT_STEP_BYTES = 64 * 1024
_COPIES = 2  # the raw bytes, and what they are decoded to
_LINGER_BYTES = 32 * 1024 * 1024


class ReceiveEvent:
    """Replaces simple-websocket's event for a new message: wakes the endpoint, which waits for frames at the same time."""

    def __init__(self) -> None:
        self.wake = Wake()

    def set(self) -> None:
        """Wake the endpoint."""
        self.wake.set()

    def clear(self) -> None:
        """Do nothing: a `Wake` is reset when its wait ends."""

    def wait(self, timeout: float | None = None) -> bool:  # noqa: ARG002  (an event's signature)
        """Return at once: the endpoint waits for `wake` instead."""
        return False


class GuardedSocket:
    """Wraps gunicorn's socket while the WebSocket is open; gunicorn closes the wrapped socket."""

    def __init__(
        self,
        sock: Any,
        inspector: Inspector,
        write_s: float,
        reserve: Callable[[int], None],
        release: Callable[[int], None],
    ) -> None:
        """Wrap `sock`. `reserve` and `release` count the memory of messages; `reserve` may raise `Unavailable` and
        `TooManyRequests`.
        """
        self._sock = sock
        self._reserve = reserve
        self._release = release
        self._reserved_bytes = 0
        self._uncounted_bytes = 0
        self._inspector = inspector
        self._lock = threading.Lock()
        self._finishing = False
        self._ended = Wake()  # set when simple-websocket's reader has ended
        self.violation: Violation | None = None
        self.broken = False
        self.received = False  # since the endpoint last cleared this
        sock.settimeout(write_s)

    def recv(self, size: int) -> bytes:
        """Wait for bytes and return them; b"" after the client has left or `violation` was set."""
        while not self.broken and self.violation is None and not self._finishing:
            try:
                raw: bytes = self._sock.recv(size)
            except TimeoutError:
                continue
            except ValueError:  # raised by gevent for a TLS connection that was closed meanwhile
                break
            try:
                self._inspector.feed(raw, time.monotonic())
                self._count(len(raw))
            except Violation as violation:
                self.violation = violation
                break
            except (Unavailable, TooManyRequests):
                self.violation = Violation(1013, "the server's memory is full")
                break
            self.received = True
            if not self._finishing:
                return raw
        self._discard()
        return b""

    def _count(self, size_bytes: int) -> None:
        """Reserve memory for received bytes, in steps. Raises `Unavailable` and `TooManyRequests`."""
        self._uncounted_bytes += size_bytes
        if self._uncounted_bytes >= _COUNT_STEP_BYTES:
            counted, self._uncounted_bytes = self._uncounted_bytes * _COPIES, 0
            self._reserve(counted)
            self._reserved_bytes += counted

    def set_limits(
        self, max_message_bytes: int, reserve: Callable[[int], None], release: Callable[[int], None]
    ) -> None:
        """Allow larger messages and count them against another caller, after the client has authenticated."""
        reserved, self._reserved_bytes = self._reserved_bytes, 0
        self._release(reserved)
        self._reserve, self._release = reserve, release
        self._inspector.allow(max_message_bytes)

    def release_memory(self) -> None:
        """Release the memory of processed messages; nothing is released in the middle of a message."""
        if self._reserved_bytes and (self.broken or self._inspector.is_between):
            reserved, self._reserved_bytes = self._reserved_bytes, 0
            self._release(reserved)

    def send(self, raw: bytes) -> int:
        """Write all of `raw`; shut the connection if one write misses its deadline. Raises `OSError`."""
        with self._lock:
            if self.broken:
                raise OSError("the connection is broken")
            try:
                for start in range(0, len(raw), _WRITE_BYTES):
                    self._sock.sendall(raw[start : start + _WRITE_BYTES])
            except OSError:
                self.shut()
                raise
        return len(raw)

    def shut(self) -> None:
        """Shut the connection down; safe while other threads read or write it."""
        self.broken = True
        try:
            self._sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # already closed

    def finish(self) -> None:
        """Shut down writing and wait until the client has closed, at most `_LINGER_S`.

        Closing with unread bytes would reset the connection, and the client would not read the close frame.
        """
        self._finishing = True
        try:
            self._sock.shutdown(socket.SHUT_WR)
        except OSError:
            return  # already closed
        self._ended.wait(_LINGER_S)

    def _discard(self) -> None:
        """Read and discard remaining bytes, at most `_LINGER_BYTES` and `_LINGER_S`."""
        deadline, left = time.monotonic() + _LINGER_S, _LINGER_BYTES
        try:
            while not self.broken and left > 0 and time.monotonic() < deadline:
                self._sock.settimeout(_LINGER_S)
                count = len(self._sock.recv(64 * 1024))
                if not count:
                    return
                left -= count
        except OSError:
            pass  # closed, or no more bytes within the time

    def close(self) -> None:
        """Mark the reader as ended; simple-websocket's reader thread calls this. gunicorn closes the socket."""
        self._ended.set()

    def is_overdue(self, limit_s: float) -> bool:
        """Return whether a message has been incomplete for longer than `limit_s`."""
        return self._inspector.is_overdue(time.monotonic(), limit_s)

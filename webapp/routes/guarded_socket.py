"""The socket under a WebSocket: one writer at a time, complete writes with a deadline, and checked messages.

Three parts share the work. simple-websocket parses frames and assembles messages, but calls `send` once, from two threads,
and ignores how much was sent; flask-sock creates its server, so it cannot be subclassed. `GuardedSocket` is what it gets
for a socket: it writes everything under a lock and counts memory. `codecs/websocket.py` checks what comes before
simple-websocket buffers it: sizes, masks, rates.
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

_WRITE_BYTES = 8 * 1024
_LINGER_S = 1.0
_COUNTED_BYTES = 64 * 1024
_COPIES = 2  # the bytes as they came, and what is made of them
_LINGER_BYTES = 32 * 1024 * 1024


class ReceiveEvent:
    """The event that simple-websocket sets for a new message: it wakes the endpoint, which waits for frames anyway."""

    def __init__(self) -> None:
        self.wake = Wake()

    def set(self) -> None:
        """Wake the endpoint."""
        self.wake.set()

    def clear(self) -> None:
        """Do nothing: a bell is silent once it was received."""

    def wait(self, timeout: float | None = None) -> bool:  # noqa: ARG002  (an event's signature)
        """Return at once: the endpoint reads messages when it is woken."""
        return False


class GuardedSocket:
    """Wraps gunicorn's socket for as long as the WebSocket is open; gunicorn closes the real one."""

    def __init__(
        self,
        sock: Any,
        inspector: Inspector,
        write_s: float,
        hold: Callable[[int], None],
        release: Callable[[int], None],
    ) -> None:
        """Wrap `sock`; `hold` and `release` count the memory of messages, and `hold` may raise `Unavailable`."""
        self._sock = sock
        self._hold = hold
        self._release = release
        self._held_bytes = 0
        self._uncounted_bytes = 0
        self._inspector = inspector
        self._lock = threading.Lock()
        self._finishing = False
        self._ended = Wake()  # set when simple-websocket's reader has ended
        self.violation: Violation | None = None
        self.broken = False
        self.received = False  # whether anything came since this was last read
        sock.settimeout(write_s)

    def recv(self, size: int) -> bytes:
        """Wait for bytes; return b"" once the client has left or has broken a rule."""
        while not self.broken and self.violation is None and not self._finishing:
            try:
                raw: bytes = self._sock.recv(size)
            except TimeoutError:
                continue
            except ValueError:  # what gevent raises for a TLS connection that was closed meanwhile
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
        """Count memory for received bytes, in steps. Raises `Unavailable`."""
        self._uncounted_bytes += size_bytes
        if self._uncounted_bytes >= _COUNTED_BYTES:
            counted, self._uncounted_bytes = self._uncounted_bytes * _COPIES, 0
            self._hold(counted)
            self._held_bytes += counted

    def set_limits(
        self, max_message_bytes: int, hold: Callable[[int], None], release: Callable[[int], None]
    ) -> None:
        """Allow larger messages, and count them against another caller, once the client has authenticated."""
        held, self._held_bytes = self._held_bytes, 0
        self._release(held)
        self._hold, self._release = hold, release
        self._inspector.allow(max_message_bytes)

    def release_memory(self) -> None:
        """Release the memory of messages, once all that came was processed, or the connection ends."""
        if self._held_bytes and (self.broken or self._inspector.is_between):
            held, self._held_bytes = self._held_bytes, 0
            self._release(held)

    def send(self, raw: bytes) -> int:
        """Write all of it, or break the connection when one write is not taken within the deadline."""
        with self._lock:
            if self.broken:
                raise OSError("the connection is broken")
            try:
                for at in range(0, len(raw), _WRITE_BYTES):
                    self._sock.sendall(raw[at : at + _WRITE_BYTES])
            except OSError:
                self.shut()
                raise
        return len(raw)

    def shut(self) -> None:
        """End the connection, also while others read or write it."""
        self.broken = True
        try:
            self._sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it is closed already

    def finish(self) -> None:
        """Wait until the client has read the close frame: closing with unread bytes would reset the connection."""
        self._finishing = True
        try:
            self._sock.shutdown(socket.SHUT_WR)
        except OSError:
            return  # it is closed already
        self._ended.wait(_LINGER_S)

    def _discard(self) -> None:
        """Read and discard what still comes, within bounds."""
        until, left = time.monotonic() + _LINGER_S, _LINGER_BYTES
        try:
            while not self.broken and left > 0 and time.monotonic() < until:
                self._sock.settimeout(_LINGER_S)
                taken = len(self._sock.recv(64 * 1024))
                if not taken:
                    return
                left -= taken
        except OSError:
            pass  # it is closed, or silent

    def close(self) -> None:
        """Leave closing to gunicorn; simple-websocket's reader calls this when it ends."""
        self._ended.set()

    def overdue(self, limit_s: float) -> bool:
        """Tell whether a message was begun and not finished for too long."""
        return self._inspector.overdue(time.monotonic(), limit_s)

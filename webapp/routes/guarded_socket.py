"""The socket under a WebSocket: one writer at a time, whole writes with a deadline, and an eye on what comes.

simple-websocket calls `send` once and ignores how much was sent, from two threads; and it takes whatever
comes. It is given this socket instead of the real one.
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


class Bell:
    """What simple-websocket takes for its event: it rings the bell that the door waits on anyway."""

    def __init__(self) -> None:
        self.wake = Wake()

    def set(self) -> None:
        """Ring."""
        self.wake.set()

    def clear(self) -> None:
        """Do nothing: a bell is silent once it was heard."""

    def wait(self, timeout: float | None = None) -> bool:  # noqa: ARG002  (an event's signature)
        """Never wait here; the door looks for messages when its bell rings."""
        return False


class GuardedSocket:
    """Wraps gunicorn's socket for as long as the WebSocket lives; gunicorn closes the real one."""

    def __init__(
        self,
        sock: Any,
        inspector: Inspector,
        write_s: float,
        hold: Callable[[int], None],
        let_go: Callable[[int], None],
    ) -> None:
        """Wrap `sock`; `hold` and `let_go` count the memory of messages, and `hold` may raise `Unavailable`."""
        self._sock = sock
        self._hold = hold
        self._let_go = let_go
        self._held_bytes = 0
        self._unheld_bytes = 0
        self._inspector = inspector
        self._lock = threading.Lock()
        self._finishing = False
        self._ended = Wake()  # rings when simple-websocket's reader has ended
        self.violation: Violation | None = None
        self.broken = False
        self.heard = False  # whether anything came since this was last looked at
        sock.settimeout(write_s)

    def recv(self, size: int) -> bytes:
        """Wait for bytes; b"" once the other side has left or has gone too far."""
        while not self.broken and self.violation is None and not self._finishing:
            try:
                raw: bytes = self._sock.recv(size)
            except TimeoutError:
                continue
            except ValueError:  # gevent's word for a TLS connection that was closed meanwhile
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
            self.heard = True
            if not self._finishing:
                return raw
        self._discard()
        return b""

    def _count(self, size_bytes: int) -> None:
        """Count memory for what came, in steps. Raises `Unavailable`."""
        self._unheld_bytes += size_bytes
        if self._unheld_bytes >= _COUNTED_BYTES:
            counted, self._unheld_bytes = self._unheld_bytes * _COPIES, 0
            self._hold(counted)
            self._held_bytes += counted

    def allow(
        self, max_message_bytes: int, hold: Callable[[int], None], let_go: Callable[[int], None]
    ) -> None:
        """Take larger messages from now on, and count them otherwise: it is known who sends them."""
        held, self._held_bytes = self._held_bytes, 0
        self._let_go(held)
        self._hold, self._let_go = hold, let_go
        self._inspector.allow(max_message_bytes)

    def forget_heard(self) -> None:
        """Release what messages took, once all that came has been dealt with, or the connection ends."""
        if self._held_bytes and (self.broken or self._inspector.is_between):
            held, self._held_bytes = self._held_bytes, 0
            self._let_go(held)

    def send(self, raw: bytes) -> int:
        """Write all of it, or break the connection when not one write is taken within the deadline."""
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
        """End the connection under whoever reads or writes it."""
        self.broken = True
        try:
            self._sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it is gone already

    def finish(self) -> None:
        """Let the other side read our last word: closing on unread bytes would reset the connection."""
        self._finishing = True
        try:
            self._sock.shutdown(socket.SHUT_WR)
        except OSError:
            return  # it is gone already
        self._ended.wait(_LINGER_S)

    def _discard(self) -> None:
        """Read and forget what still comes, within bounds."""
        until, left = time.monotonic() + _LINGER_S, _LINGER_BYTES
        try:
            while not self.broken and left > 0 and time.monotonic() < until:
                self._sock.settimeout(_LINGER_S)
                taken = len(self._sock.recv(64 * 1024))
                if not taken:
                    return
                left -= taken
        except OSError:
            pass  # it is gone, or silent

    def close(self) -> None:
        """Leave the closing to gunicorn; simple-websocket's reader calls this when it ends."""
        self._ended.set()

    def overdue(self, limit_s: float) -> bool:
        """Tell whether a message was begun and not finished for too long."""
        return self._inspector.overdue(time.monotonic(), limit_s)

"""A TCP proxy between a reader and the server, which misbehaves as real ones do.

    with Proxy(server.address, cut_after_bytes=900) as proxy:
        SseReader(proxy.address, …)

The settings count what goes down, from the server to the reader. They may be changed between connections.
"""

import contextlib
import select
import socket
import threading
import time
from dataclasses import dataclass, field
from typing import Self

from tests.support.rawhttp import Address
from tests.support.script import reset


@dataclass(slots=True)
class Habits:
    """What a proxy does to the bytes from the server; all off by default."""

    cut_after_bytes: int | None = None
    cut_by_reset: bool = False
    hold_back_bytes: int = 0
    cut_after_silence_s: float | None = None
    cut_after_s: float | None = None
    swallow_sse: bool = False


@dataclass(slots=True)
class _Pair:
    down: socket.socket
    up: socket.socket
    habits: Habits
    began: float = field(default_factory=time.monotonic)
    passed_bytes: int = 0
    held: bytes = b""
    head: bytes | None = b""
    swallowing: bool = False


class Proxy:
    """Forwards connections by its habits; one thread per connection."""

    def __init__(self, target: Address, **habits: object) -> None:
        self._target = target
        self.habits = Habits(**habits)  # type: ignore[arg-type]
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.address: Address = ("127.0.0.1", self._listener.getsockname()[1])
        self.cuts: list[str] = []
        self._lock = threading.Lock()
        self._sockets: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._acceptor = threading.Thread(target=self._accept, name="proxy", daemon=True)

    def __enter__(self) -> Self:
        self._acceptor.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._acceptor.join(5)
        with self._lock:
            for sock in self._sockets:
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)
        assert not any(thread.is_alive() for thread in self._threads)

    def _accept(self) -> None:
        while True:
            try:
                down, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(down,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, down: socket.socket) -> None:
        try:
            up = socket.create_connection(self._target, 5)
        except OSError:
            down.close()
            return
        for sock in (down, up):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._lock:
            self._sockets |= {down, up}
        pair = _Pair(down, up, self.habits)
        try:
            self._shuttle(pair)
        except OSError:
            pass  # one side is closed, so the other is closed too
        finally:
            self._end(pair)

    def _end(self, pair: _Pair) -> None:
        with self._lock:
            self._sockets -= {pair.down, pair.up}
        for sock in (pair.down, pair.up):
            if sock.fileno() >= 0:
                sock.close()

    def _shuttle(self, pair: _Pair) -> None:
        heard = time.monotonic()
        poll = select.poll()
        for sock in (pair.down, pair.up):
            poll.register(sock, select.POLLIN)
        while True:
            ready = {fd for fd, _ in poll.poll(self._patience(pair, heard) * 1000)}
            why = self._overdue(pair, heard) if pair.up.fileno() not in ready else None
            if why:
                self.cuts.append(why)
                return
            if pair.down.fileno() in ready:
                chunk = pair.down.recv(65536)
                if not chunk:
                    return
                pair.up.sendall(chunk)
            if pair.up.fileno() in ready:
                chunk = pair.up.recv(65536)
                if not chunk:
                    pair.down.sendall(pair.held)
                    return
                heard = time.monotonic()
                if not self._pass_down(pair, chunk):
                    return

    def _patience(self, pair: _Pair, heard: float) -> float:
        now, habits = time.monotonic(), pair.habits
        left = 60.0
        if habits.cut_after_silence_s is not None:
            left = min(left, heard + habits.cut_after_silence_s - now)
        if habits.cut_after_s is not None:
            left = min(left, pair.began + habits.cut_after_s - now)
        return max(0.0, left)

    def _overdue(self, pair: _Pair, heard: float) -> str | None:
        now, habits = time.monotonic(), pair.habits
        if habits.cut_after_silence_s is not None and now >= heard + habits.cut_after_silence_s:
            return "silence"
        if habits.cut_after_s is not None and now >= pair.began + habits.cut_after_s:
            return "age"
        return None

    def _pass_down(self, pair: _Pair, chunk: bytes) -> bool:
        """Forward what the habits allow; return False to end the connection."""
        if pair.swallowing:
            return True
        if pair.habits.swallow_sse and pair.head is not None:
            chunk = self._look_at_head(pair, chunk)
        if pair.habits.hold_back_bytes:
            pair.held += chunk
            if len(pair.held) < pair.habits.hold_back_bytes:
                return True
            chunk, pair.held = pair.held, b""
        limit = pair.habits.cut_after_bytes
        if limit is not None and pair.passed_bytes + len(chunk) >= limit:
            pair.down.sendall(chunk[: limit - pair.passed_bytes])
            self.cuts.append("bytes")
            if pair.habits.cut_by_reset:
                reset(pair.down)
            return False
        pair.down.sendall(chunk)
        pair.passed_bytes += len(chunk)
        return True

    def _look_at_head(self, pair: _Pair, chunk: bytes) -> bytes:
        assert pair.head is not None
        pair.head += chunk
        if b"\r\n\r\n" not in pair.head:
            return b""
        whole, pair.head = pair.head, None
        head, separator, _ = whole.partition(b"\r\n\r\n")
        if b"text/event-stream" not in head.lower():
            return whole
        pair.swallowing = True
        return head + separator

"""A proxy between the browser and the server that can cut, withhold and refuse connections.

Browsers reuse connections, so faults apply to streamed responses only: a page's bytes pass, those of an event
stream or a WebSocket are cut or withheld.
"""

import contextlib
import socket
import threading
from typing import Self

from tests.support.rawhttp import Address


class Network:
    """Forwards bytes with two threads per connection.

    `cut_after_bytes` ends a connection after that many bytes of a streamed response; `withhold_sse` forwards the
    head of an event stream but not its body; `is_down` refuses new connections.
    """

    def __init__(self, target: Address) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._lock = threading.Lock()
        self._pairs: set[tuple[socket.socket, socket.socket]] = set()
        self._threads: list[threading.Thread] = []
        self.cut_after_bytes: int | None = None
        self.withhold_sse = False
        self.is_down = False
        self.cuts = 0
        self._streams: dict[tuple[socket.socket, socket.socket], int] = {}
        self._spawn(self._accept)

    @property
    def port(self) -> int:
        """The port it listens on."""
        port: int = self._listener.getsockname()[1]
        return port

    @property
    def stream_ports(self) -> list[int]:
        """The ports from which it is connected to the server for event streams, the newest last."""
        with self._lock:
            return list(self._streams.values())

    @property
    def url(self) -> str:
        """The URL for the browser."""
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._shut_all()
        for thread in self._threads:
            thread.join(5)
        assert not any(thread.is_alive() for thread in self._threads)

    def go_down(self) -> None:
        """Cut every connection and refuse new ones."""
        self.is_down = True
        self._shut_all()

    def restore(self) -> None:
        """Forward new connections."""
        self.is_down = False

    def retarget(self, target: Address) -> None:
        """Cut every connection and forward new ones to another server."""
        self._target = target
        self._shut_all()

    def _spawn(self, run: object, *arguments: object) -> None:
        thread = threading.Thread(target=run, args=arguments, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                down, _ = self._listener.accept()
            except OSError:
                return
            if self.is_down:
                down.close()
                continue
            pair = (down, socket.create_connection(self._target, 5))
            for sock in pair:
                sock.settimeout(None)  # the timeout is for connecting only
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._pairs.add(pair)
            self._spawn(self._up, pair)
            self._spawn(self._down, pair)

    def _up(self, pair: tuple[socket.socket, socket.socket]) -> None:
        with contextlib.suppress(OSError):
            while chunk := pair[0].recv(65536):
                pair[1].sendall(chunk)
        self._shut(pair)

    def _down(self, pair: tuple[socket.socket, socket.socket]) -> None:
        with contextlib.suppress(OSError):
            self._pass_down(*pair)
        self._shut(pair)

    def _pass_down(self, down: socket.socket, up: socket.socket) -> None:
        streamed: int | None = None
        withheld = False
        while chunk := up.recv(65536):
            if chunk.startswith(b"HTTP/1.1 ") and streamed is None:
                head, separator, body = chunk.partition(b"\r\n\r\n")
                is_sse = b"text/event-stream" in head.lower()
                if is_sse:
                    self._note_stream((down, up))
                if is_sse or head.startswith(b"HTTP/1.1 101"):
                    down.sendall(head + separator)
                    chunk, streamed, withheld = body, 0, is_sse and self.withhold_sse
            if withheld:
                continue
            if streamed is not None and self.cut_after_bytes is not None:
                if streamed + len(chunk) >= self.cut_after_bytes:
                    down.sendall(chunk[: max(0, self.cut_after_bytes - streamed)])
                    self.cuts += 1
                    return
                streamed += len(chunk)
            down.sendall(chunk)

    def _note_stream(self, pair: tuple[socket.socket, socket.socket]) -> None:
        with self._lock:
            if pair in self._pairs:
                self._streams[pair] = pair[1].getsockname()[1]

    def _shut_all(self) -> None:
        with self._lock:
            pairs = list(self._pairs)
        for pair in pairs:
            self._shut(pair)

    def _shut(self, pair: tuple[socket.socket, socket.socket]) -> None:
        with self._lock:
            self._pairs.discard(pair)
            self._streams.pop(pair, None)
        for sock in pair:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()

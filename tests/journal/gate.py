"""A gate in front of a server: it lets connections through, or does to them what a broken server or network does."""

import contextlib
import select
import socket
import ssl
import threading
from collections.abc import Callable
from typing import Self

TICK_S = 0.1
Habit = Callable[["Gate", socket.socket, socket.socket], bool]
"""Handle what a client has sent and the server may have answered; return whether the connection goes on."""


def passing(gate: "Gate", down: socket.socket, up: socket.socket) -> bool:
    """Pass bytes on in both directions."""
    pending = isinstance(down, ssl.SSLSocket) and down.pending() > 0
    ready = [down] if pending else select.select([down, up], [], [], TICK_S)[0]
    for source, target in ((down, up), (up, down)):
        if source in ready:
            data = source.recv(65_536)
            if not data:
                return False
            target.sendall(data)
    return True


def slow(seconds: float) -> Habit:
    """Pass bytes on, and hold each response back for some seconds."""

    def handle(gate: "Gate", down: socket.socket, up: socket.socket) -> bool:
        ready = select.select([down, up], [], [], TICK_S)[0]
        if up in ready and gate.closing.wait(seconds):
            return False
        return passing(gate, down, up)

    return handle


def replying(content: bytes) -> Habit:
    """Reply to whatever arrives with the same bytes."""

    def handle(gate: "Gate", down: socket.socket, up: socket.socket) -> bool:
        if select.select([down], [], [], TICK_S)[0]:
            if not down.recv(65_536):
                return False
            down.sendall(content)
        return True

    return handle


def dripping(gate: "Gate", down: socket.socket, up: socket.socket) -> bool:
    """Send a byte every tenth of a second, which never become a response."""
    down.sendall(b"+")
    return not gate.closing.wait(TICK_S)


def closing(gate: "Gate", down: socket.socket, up: socket.socket) -> bool:
    """Close the connection."""
    return False


class Gate:
    """Listens in front of a server, as a context. With `tls` clients must speak TLS."""

    def __init__(self, port: int, habit: Habit = passing, tls: ssl.SSLContext | None = None) -> None:
        self._target = ("127.0.0.1", port)
        self._tls = tls
        self._habit = habit
        self.closing = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._listener.settimeout(TICK_S)
        self.port: int = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        for thread in self._threads:
            thread.join(10)
        self._listener.close()
        assert not any(thread.is_alive() for thread in self._threads)

    def behave(self, habit: Habit) -> None:
        """Close all connections, and treat later ones by another habit."""
        self._habit = habit

    def _accept(self) -> None:
        while not self.closing.is_set():
            with contextlib.suppress(TimeoutError):
                down, _ = self._listener.accept()
                thread = threading.Thread(target=self._serve, args=(down,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _serve(self, plain: socket.socket) -> None:
        habit = self._habit
        with contextlib.suppress(OSError), contextlib.ExitStack() as sockets:
            sockets.callback(plain.close)
            plain.settimeout(5)
            down = plain if self._tls is None else self._tls.wrap_socket(plain, server_side=True)
            sockets.callback(down.close)
            up = sockets.enter_context(socket.create_connection(self._target, 5))
            while habit is self._habit and not self.closing.is_set() and habit(self, down, up):
                pass

"""The fake provider: one loop, plain and TLS; each delta is one record, one chunk, one TLS record.

`python -m tests.bench.provider CERT_PEM` prints `{"plain": port, "tls": port}` and serves until it is ended.
It knows streams and their times; the bytes are `answer.py`'s.
"""

import contextlib
import gc
import heapq
import json
import select
import socket
import ssl
import sys
import time

from tests.bench.answer import NOT_FOUND, Script
from tests.bench.question import Order, read_order

_READ_BYTES = 65_536
_MAX_WAIT_S = 0.5
_CALLS_EVERY_NS = 1_000_000  # look for new requests at least so often, however many deltas are due


class Connection:
    """A client's socket, with the bytes received (`inbox`) and the bytes that wait to be sent (`outbox`)."""

    __slots__ = ("closed", "greeted", "inbox", "outbox", "sock")

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.inbox = b""
        self.outbox = b""
        self.closed = False
        self.greeted = not isinstance(sock, ssl.SSLSocket)


class Playing:
    """An answer in progress: `number` deltas were sent, the next is due at `due_ns`."""

    __slots__ = ("connection", "due_ns", "interval_ns", "number", "order", "script")

    def __init__(self, connection: Connection, order: Order) -> None:
        self.connection = connection
        self.order = order
        self.script = Script()
        self.interval_ns = 1_000_000_000 // order.rate if order.rate else 0  # 0: all at once
        self.number = 0
        self.due_ns = time.monotonic_ns()

    def advance(self, now_ns: int) -> bool:
        """Schedule the next delta; return False when there is none."""
        if not self.interval_ns:
            self.due_ns = now_ns
        elif self.number == 1:
            late_ns = (now_ns - self.order.phase_us * 1000) % self.interval_ns
            self.due_ns = now_ns - late_ns + self.interval_ns
        else:
            self.due_ns += self.interval_ns
        return self.number < self.order.deltas

    def __lt__(self, other: "Playing") -> bool:
        return self.due_ns < other.due_ns


class Provider:
    """All clients and answers, driven by one epoll and one heap of due times."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        self._tls = tls
        self._epoll = select.epoll()
        self._listeners = {listener.fileno(): (listener, secure) for listener, secure in _listeners()}
        self._callers: dict[int, Connection] = {}
        self._due: list[Playing] = []
        for number in self._listeners:
            self._epoll.register(number, select.EPOLLIN)

    def ports(self) -> dict[str, int]:
        """Return the listening ports."""
        return {
            "tls" if secure else "plain": listener.getsockname()[1]
            for listener, secure in self._listeners.values()
        }

    def serve(self) -> None:
        """Serve until the process ends."""
        while True:
            self._play(time.monotonic_ns() + _CALLS_EVERY_NS)
            wait_s = _MAX_WAIT_S
            if self._due:
                wait_s = max(0.0, (self._due[0].due_ns - time.monotonic_ns()) / 1e9)
            # epoll waits in whole milliseconds, select in microseconds; an epoll can itself be selected.
            ready, _, _ = select.select((self._epoll,), (), (), min(wait_s, _MAX_WAIT_S))
            if ready:
                self._answer_calls()

    def _play(self, until_ns: int) -> None:
        due = self._due
        while due and due[0].due_ns <= (now_ns := time.monotonic_ns()) < until_ns:
            playing = due[0]
            if playing.connection.closed:
                heapq.heappop(due)
                continue
            playing.number += 1
            self._send(playing.connection, playing.script.delta(playing.number, now_ns))
            if playing.advance(now_ns):
                heapq.heapreplace(due, playing)
            else:
                heapq.heappop(due)
                self._send(playing.connection, playing.script.closing(playing.number))

    def _answer_calls(self) -> None:
        for number, event in self._epoll.poll(0):
            if number in self._listeners:
                self._accept(*self._listeners[number])
                continue
            caller = self._callers.get(number)
            if caller is None:
                continue
            if event & select.EPOLLOUT and caller.greeted:
                self._flush(caller)
            if event & (select.EPOLLIN | select.EPOLLHUP | select.EPOLLERR) or not caller.greeted:
                self._hear(caller)

    def _accept(self, listener: socket.socket, secure: bool) -> None:
        while True:
            try:
                sock, _ = listener.accept()
            except BlockingIOError:
                return
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if secure:
                sock = self._tls.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
            self._callers[sock.fileno()] = Connection(sock)
            self._epoll.register(sock.fileno(), select.EPOLLIN)

    def _hear(self, caller: Connection) -> None:
        try:
            if not caller.greeted and isinstance(caller.sock, ssl.SSLSocket):
                caller.sock.do_handshake()
                caller.greeted = True
            while True:
                heard = caller.sock.recv(_READ_BYTES)
                if not heard:
                    self._close(caller)
                    return
                caller.inbox += heard
                self._take_request(caller)
                if caller.closed:
                    return
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return
        except OSError:
            self._close(caller)

    def _take_request(self, caller: Connection) -> None:
        head, blank, rest = caller.inbox.partition(b"\r\n\r\n")
        if not blank:
            return
        size = 0
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                size = int(value)
        if len(rest) < size:
            return
        caller.inbox = rest[size:]
        order = read_order(rest[:size])
        if order is None:
            self._send(caller, NOT_FOUND)
            return
        playing = Playing(caller, order)
        self._send(caller, playing.script.opening())
        heapq.heappush(self._due, playing)

    def _send(self, caller: Connection, piece: bytes) -> None:
        if caller.outbox or caller.closed:
            caller.outbox += piece
            return
        try:
            sent = caller.sock.send(piece)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            sent = 0
        except OSError:
            self._close(caller)
            return
        if sent < len(piece):
            caller.outbox = piece[sent:]
            self._epoll.modify(caller.sock.fileno(), select.EPOLLIN | select.EPOLLOUT)

    def _flush(self, caller: Connection) -> None:
        waiting, caller.outbox = caller.outbox, b""
        if waiting:
            self._send(caller, waiting)
        if not caller.outbox and not caller.closed:
            self._epoll.modify(caller.sock.fileno(), select.EPOLLIN)

    def _close(self, caller: Connection) -> None:
        if not caller.closed:
            caller.closed = True
            number = caller.sock.fileno()
            with contextlib.suppress(OSError):
                self._epoll.unregister(number)
            self._callers.pop(number, None)
            caller.sock.close()


def _listeners() -> list[tuple[socket.socket, bool]]:
    listeners = []
    for secure in (False, True):
        listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
        listener.setblocking(False)
        listeners.append((listener, secure))
    return listeners


def main(cert: str) -> None:
    """Serve with the certificate chain and key in `cert`."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(cert)
    provider = Provider(tls)
    print(json.dumps(provider.ports()), flush=True)
    gc.disable()  # no cycles are made here, and a collection would look like a late delta
    provider.serve()


if __name__ == "__main__":
    main(sys.argv[1])

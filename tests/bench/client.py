"""A client for many streams on one thread: it records every read with its time; parsing happens afterwards."""

import contextlib
import select
import socket
import time
from collections.abc import Callable

from tests.bench.dialects import END_MARKS, Dialect, first_words, next_words
from tests.bench.question import Order

_READ_BYTES = 65_536
_HTTP_END = b"0\r\n\r\n"


class Stream:
    """One stream as received: `reads` are (time in ns, bytes)."""

    __slots__ = ("asked_ns", "dialect", "failure", "more", "order", "over", "reads", "sock", "words")

    def __init__(self, dialect: Dialect, order: Order, port: int) -> None:
        self.dialect = dialect
        self.order = order
        self.words = first_words(dialect, order, port)
        self.more = next_words(dialect, order)
        self.reads: list[tuple[int, bytes]] = []
        self.asked_ns = 0
        self.over = False
        self.failure = ""
        self.sock: socket.socket | None = None


class Client:
    """All streams of one measurement, against one port unless said otherwise. Call `turn` until `open_streams` is 0 or the time is up."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._epoll = select.epoll()
        self._streams: dict[int, Stream] = {}

    @property
    def open_streams(self) -> int:
        """Return how many streams are neither complete nor failed."""
        return len(self._streams)

    def open(self, stream: Stream, port: int | None = None) -> None:
        """Start a stream: connect, to another port if one is given, and send the request once connected."""
        stream.asked_ns = time.monotonic_ns()
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.connect_ex(("127.0.0.1", port or self._port))
        stream.sock = sock
        self._streams[sock.fileno()] = stream
        self._epoll.register(sock.fileno(), select.EPOLLOUT)

    def turn(self, wait_s: float) -> None:
        """Wait for bytes for at most this long, and read what has arrived."""
        streams, now_ns = self._streams, time.monotonic_ns
        for number, event in self._epoll.poll(max(0.0, wait_s)):
            stream = streams[number]
            sock = stream.sock
            assert sock is not None
            try:
                if event & select.EPOLLOUT:
                    sock.sendall(stream.words)
                    self._epoll.modify(number, select.EPOLLIN)
                    continue
                heard = sock.recv(_READ_BYTES)
            except OSError as error:
                self._end(stream, failure=str(error))
                continue
            stream.reads.append((now_ns(), heard))
            if not heard:
                self._end(stream)
            elif stream.more:
                sock.sendall(stream.more)
                stream.more = b""
            elif heard.endswith(_HTTP_END) or self._is_last(stream, heard):
                self._end(stream)

    def wait(self, until_ns: int, enough: Callable[[], bool] = lambda: False) -> None:
        """Read until a time, or until a condition holds."""
        while (left_ns := until_ns - time.monotonic_ns()) > 0 and not enough():
            self.turn(left_ns / 1e9)

    def finish(self, until_ns: int) -> None:
        """Wait until all streams have ended, at most until a time, then close them."""
        self.wait(until_ns, lambda: not self._streams)
        self.close()

    def cut(self, failure: str) -> None:
        """Close the streams that are still open; they count as failed."""
        for stream in list(self._streams.values()):
            self._end(stream, failure=failure)

    def close(self) -> None:
        """Close the client; streams that are still open count as failed."""
        self.cut("still open at the deadline")
        self._epoll.close()

    def _is_last(self, stream: Stream, heard: bytes) -> bool:
        if stream.dialect == "websocket":
            return END_MARKS["websocket"] in heard
        if len(heard) >= len(_HTTP_END) or len(stream.reads) < 2:
            return False
        return (stream.reads[-2][1] + heard).endswith(_HTTP_END)

    def _end(self, stream: Stream, failure: str = "") -> None:
        assert stream.sock is not None
        number = stream.sock.fileno()
        with contextlib.suppress(OSError):
            self._epoll.unregister(number)
        del self._streams[number]
        stream.sock.close()
        stream.over = not failure
        stream.failure = failure

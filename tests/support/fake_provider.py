"""A scripted provider, over plain HTTP or TLS, in this process.

    with FakeProvider(Answer(steps=openai(["Hel", "lo"]))) as provider:
        provider.url      # "http://127.0.0.1:40123"
        provider.calls    # every request so far

One thread a connection, at most `limit` of them. Scripts are made of script.py and dialects.py.
"""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from tests.support.dialects import openai
from tests.support.script import Answer, Call, Player

Answers = Answer | Sequence[Answer] | Callable[[Call], Answer]
REQUEST_LIMIT_BYTES = 64 * 2**20


class FakeProvider:
    """Answers requests by a script: one for all, one a call (the last repeats), or a function of the call."""

    def __init__(
        self,
        answers: Answers | None = None,
        *,
        tls: ssl.SSLContext | None = None,
        limit: int = 2048,
        send_buffer: int | None = None,
        models: Answers | None = None,
    ) -> None:
        self._answers: Answers = answers if answers is not None else Answer(steps=openai(["Hello"]))
        self._models: Answers = (
            models if models is not None else Answer(status=404, content_type="text/plain")
        )
        self._tls = tls
        self._limit = limit
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        if send_buffer is not None:  # small, so that `sent_bytes` is about what the other side has read
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
        self._port: int = self._listener.getsockname()[1]
        self._changed = threading.Condition()
        self._sockets: set[socket.socket] = set()
        self._threads: set[threading.Thread] = set()
        self.calls: list[Call] = []
        self.listing_calls: list[Call] = []  # those that ask which models there are, which `calls` leaves out
        self.failures: list[str] = []
        self._acceptor = threading.Thread(target=self._accept, name="fake-provider", daemon=True)

    @property
    def url(self) -> str:
        """The address without a path."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self._port}"

    @property
    def open_connections(self) -> int:
        """How many connections are open now."""
        with self._changed:
            return len(self._sockets)

    def __enter__(self) -> Self:
        self._acceptor.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._acceptor.join(5)
        self.hang_up()
        with self._changed:
            threads = list(self._threads)
        for thread in threads:
            thread.join(5)
        assert not any(thread.is_alive() for thread in threads), "a connection's thread did not end"

    def play(self, answers: Answers) -> None:
        """Change the script and forget the calls so far."""
        with self._changed:
            self._answers = answers
            self.calls = []

    def hang_up(self) -> None:
        """Shut every open connection."""
        with self._changed:
            for sock in self._sockets:
                try:
                    socket.socket.shutdown(sock, socket.SHUT_RDWR)
                except OSError:
                    continue

    def wait_calls(self, count: int, timeout_s: float = 10.0) -> list[Call]:
        """Wait until at least `count` requests have come."""
        with self._changed:
            met = self._changed.wait_for(lambda: len(self.calls) >= count, timeout_s)
            assert met, f"{len(self.calls)} calls in {timeout_s} s, not {count}"
            return list(self.calls)

    def wait_closed(self, timeout_s: float = 10.0) -> float:
        """Wait until no connection is open; return the seconds it took."""
        began = time.monotonic()
        with self._changed:
            met = self._changed.wait_for(lambda: not self._sockets, timeout_s)
            assert met, f"{len(self._sockets)} connections still open after {timeout_s} s"
        return time.monotonic() - began

    def wait_left(self) -> None:
        """Wait until the last answer has ended because the client left before its end."""
        self.wait_closed()
        assert self.calls[-1].outcome == "left", self.calls[-1].outcome

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(sock,), daemon=True)
            with self._changed:
                if len(self._sockets) >= self._limit:
                    sock.close()
                    self.failures.append("too many connections")
                    continue
                self._sockets.add(sock)
                self._threads = {known for known in self._threads if known.is_alive()} | {thread}
                thread.start()

    def _serve(self, sock: socket.socket) -> None:
        wrapped, call = sock, None
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls:
                wrapped = self._secure(sock)
            call = self._receive(wrapped)
            if call is not None:
                Player(wrapped, call).play(self._choose(call))
        except OSError:
            pass  # the client left before it sent a request: nothing to record
        finally:
            self._end(wrapped, sock, polite=call is not None and call.outcome == "played")

    def _secure(self, sock: socket.socket) -> ssl.SSLSocket:
        assert self._tls is not None
        sock.settimeout(10)
        wrapped = self._tls.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        with self._changed:
            self._sockets = (self._sockets - {sock}) | {wrapped}
        try:
            wrapped.do_handshake()
        except OSError:
            self._end(wrapped, sock)
            raise
        wrapped.settimeout(None)
        return wrapped

    def _end(self, wrapped: socket.socket, sock: socket.socket, *, polite: bool = False) -> None:
        try:
            wrapped.settimeout(0.2)
            if isinstance(wrapped, ssl.SSLSocket) and polite:
                wrapped.unwrap()
            socket.socket.shutdown(wrapped, socket.SHUT_WR)
            while socket.socket.recv(wrapped, 65536):  # unread bytes would turn the FIN into a reset
                pass
        except (OSError, ValueError):
            pass
        wrapped.close()
        with self._changed:
            self._sockets -= {wrapped, sock}
            self._changed.notify_all()

    def _receive(self, sock: socket.socket) -> Call | None:
        buffer = b""
        while b"\r\n\r\n" not in buffer:
            chunk = sock.recv(65536)
            if not chunk:
                return None
            buffer += chunk
        head, _, body = buffer.partition(b"\r\n\r\n")
        request, *lines = head.decode("latin-1").split("\r\n")
        method, path, _ = request.split(" ", 2)
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        pieces, received = [body], len(body)
        expected = min(int(headers.get("content-length", "0")), REQUEST_LIMIT_BYTES)
        while received < expected:
            chunk = sock.recv(65536)
            if not chunk:
                return None
            pieces.append(chunk)
            received += len(chunk)
        return self._record(method, path, headers, b"".join(pieces))

    def _record(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Call:
        with self._changed:
            calls = self.listing_calls if is_listing(method, path) else self.calls
            call = Call(len(calls), method, path, headers, body, time.monotonic())
            calls.append(call)
            self._changed.notify_all()
            return call

    def _choose(self, call: Call) -> Answer:
        answers = self._models if is_listing(call.method, call.path) else self._answers
        if isinstance(answers, Answer):
            return answers
        if callable(answers):
            return answers(call)
        return answers[min(call.number, len(answers) - 1)]


def is_listing(method: str, path: str) -> bool:
    """Return whether a request asks which models there are, or about one of them."""
    bare = path.partition("?")[0]
    return (method == "GET" and bare.endswith(("/models", "/api/tags", "/api/ps"))) or bare.endswith(
        "/api/show"
    )


def closed_port() -> int:
    """Return a port without a listener."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port

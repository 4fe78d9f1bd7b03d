"""Opens connections for a call: names, sockets, TLS, each of which a stop can end at any moment."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from webapp.providers.http.paced_socket import Exchange, PacedSocket, current, shut


def _resolve(connection: HTTPConnection, host: str, exchange: Exchange) -> list[Any]:
    """Look a name up. Nothing can interrupt that, so a thread of its own does it, and may be left behind."""
    answers: list[list[Any] | OSError | UnicodeError] = []
    answered = threading.Event()

    def look() -> None:
        try:
            answers.append(socket.getaddrinfo(host, connection.port, 0, socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            answers.append(error)
        answered.set()

    exchange.control.opened(answered.set)
    threading.Thread(target=look, name="freshet-resolve", daemon=True).start()
    answered.wait(exchange.patience.connect_s)
    exchange.control.wait(0)
    answer = answers[0] if answers else socket.gaierror(socket.EAI_AGAIN, "the name's lookup took too long")
    if isinstance(answer, list):
        return answer
    failure = answer if isinstance(answer, socket.gaierror) else socket.gaierror(str(answer))
    raise NameResolutionError(connection.host, connection, failure) from answer


def _connect(connection: HTTPConnection, host: str, exchange: Exchange) -> socket.socket:
    """Open a socket that a stop can shut at any moment, the TLS handshake included."""
    deadline = time.monotonic() + exchange.patience.connect_s
    found = _resolve(connection, host, exchange)
    last: OSError = OSError("the name has no address")
    for family, kind, protocol, _, address in found:
        sock = socket.socket(family, kind, protocol)
        exchange.control.opened(partial(shut, sock))
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.settimeout(max(0.001, deadline - time.monotonic()))
            sock.connect(address)
        except OSError as error:
            sock.close()
            exchange.control.wait(0)
            last = error
        else:
            return sock
    if isinstance(last, TimeoutError):
        raise ConnectTimeoutError(connection, "connecting took too long") from last
    raise NewConnectionError(connection, "connecting failed") from last


class _PacedHTTPConnection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _connect(self, self._dns_host, current.get())

    def connect(self) -> None:
        super().connect()
        _adopt(self, current.get())


class _PacedHTTPSConnection(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        exchange = current.get()
        sock = _connect(self, self._dns_host, exchange)
        # The handshake takes the socket over; a second handle on the same connection can still shut it.
        self._handle = socket.socket(fileno=os.dup(sock.fileno()))
        exchange.control.opened(partial(shut, self._handle))
        return sock

    def connect(self) -> None:
        try:
            super().connect()
            _adopt(self, current.get())
        finally:
            if hasattr(self, "_handle"):
                self._handle.close()
                del self._handle


def _adopt(connection: HTTPConnection, exchange: Exchange) -> None:
    sock: socket.socket = connection.sock
    exchange.control.opened(partial(shut, sock))
    exchange.control.asked(True)
    exchange.reader = PacedSocket(sock, exchange)
    connection.sock = exchange.reader


class _PacedHTTPPool(HTTPConnectionPool):
    ConnectionCls = _PacedHTTPConnection


class _PacedHTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _PacedHTTPSConnection


pool_classes: dict[str, Callable[..., HTTPConnectionPool]] = {
    "http": _PacedHTTPPool,
    "https": _PacedHTTPSPool,
}

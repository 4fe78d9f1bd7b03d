"""Opens connections to providers, each of which a stop can end at any moment, and keeps idle ones for the next call.

One watchdog thread shuts connections whose deadline has passed; a timer for each read would cost more than the read.
"""

from __future__ import annotations

import logging
import math
import socket
import ssl
import threading
import time
from collections.abc import Callable, Hashable
from typing import Any, Protocol

import msgspec

from webapp.providers.http.sockets import Connection
from webapp.seams import Control

log_ = logging.getLogger("freshet.providers")

MAX_IDLE = 32
MAX_IDLE_S = 15.0
MIN_IDLE_S = 0.05  # servers that close a connection behind their response without a word do so before
_UNFINISHED_S = 1.0  # the longest wait for the end of a body whose content is complete
_CHECK_UNFINISHED_S = 0.05
_CHECK_IDLE_S = 1.0
_MIN_SLEEP_S = 0.02


class UnfinishedBody(Protocol):
    """A body whose content was read, but not yet what delimits it."""

    connection: Connection

    def skip_rest(self) -> bool | None:
        """Read what has come; return True at the end, None before it, False where the connection is of no use."""


class Address(msgspec.Struct, frozen=True):
    """Where a connection goes: scheme, host and port of a URL."""

    secure: bool
    host: str
    port: int


class NameNotResolved(OSError):
    """The host has no address, or its lookup took too long."""


class ConnectFailed(OSError):
    """No address of the host accepts connections in time."""


class ConnectionPool:
    """Idle connections by address and credentials, at most `MAX_IDLE`, each for at most `MAX_IDLE_S`.

    May be shared by threads; `close` it when done.
    """

    def __init__(self, context: ssl.SSLContext, connect_s: float) -> None:
        self._context = context
        self._connect_s = connect_s
        self._lock = threading.Lock()
        self._idle: dict[Hashable, list[Connection]] = {}
        self._unfinished: dict[UnfinishedBody, float] = {}
        self._active: set[Connection] = set()
        self._watching = False
        self._next_check = math.inf
        self._earlier = threading.Event()
        self._closed = False

    def take(self, address: Address, credentials: Hashable, stop: StopHandle) -> Connection:
        """Return an idle connection, or open a new one.

        Raises `NameNotResolved`, `ConnectFailed`, `ssl.SSLError`, other `OSError`, and `Stopped`.
        """
        key = (address, credentials)
        while (connection := self._take_idle(key)) is not None:
            if not connection.has_news():
                connection.is_reused = True
                self.watch(connection)
                stop.use(connection.shut)
                return connection
            connection.close()
        return self.open(address, credentials, stop)

    def open(self, address: Address, credentials: Hashable, stop: StopHandle) -> Connection:
        """Open a new connection. Raises as `take`."""
        deadline = time.monotonic() + self._connect_s
        connection = Connection(_connect(address, deadline, stop), (address, credentials))
        connection.deadline = deadline
        self.watch(connection)
        try:
            stop.use(connection.shut)
            if address.secure:
                connection.start_tls(self._context, address.host)
        except BaseException:
            self.discard(connection)
            if connection.expired:
                raise ConnectFailed("the TLS handshake took too long") from None
            raise
        return connection

    def watch(self, connection: Connection) -> None:
        """Let the watchdog shut a connection when its `deadline` has passed."""
        with self._lock:
            self._active.add(connection)
        self.check_by(connection.deadline)

    def check_by(self, deadline: float) -> None:
        """Let the watchdog look no later than at `deadline`."""
        if deadline >= self._next_check and self._watching:
            return
        with self._lock:
            start, self._watching = not self._watching, True
            self._next_check = min(self._next_check, deadline)
        if start:
            threading.Thread(target=self._watch, name="freshet-connections", daemon=True).start()
        else:
            self._earlier.set()

    def release(self, connection: Connection) -> None:
        """Keep a connection whose response was read to its end for another call."""
        with self._lock:
            self._active.discard(connection)
            count = sum(map(len, self._idle.values()))
            keep = not self._closed and not connection.expired and count < MAX_IDLE
            if keep:
                connection.idle_since = time.monotonic()
                self._idle.setdefault(connection.key, []).append(connection)
        if keep:
            self.check_by(time.monotonic() + _CHECK_IDLE_S)
        else:
            connection.close()

    def release_later(self, body: UnfinishedBody) -> None:
        """Keep a connection once the rest of its body has come, which holds no more content; else close it."""
        now = time.monotonic()
        with self._lock:
            self._active.discard(body.connection)
            self._unfinished[body] = now + _UNFINISHED_S
        self.check_by(now + _CHECK_UNFINISHED_S)

    def discard(self, connection: Connection) -> None:
        """Close a connection that its call is done with."""
        with self._lock:
            self._active.discard(connection)
        connection.close()

    def close(self) -> None:
        """Close the idle connections; calls in progress go on."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, {}
        for connections in idle.values():
            for connection in connections:
                connection.close()

    def _take_idle(self, key: Hashable) -> Connection | None:
        with self._lock:
            connections = self._idle.get(key)
            if not connections:
                return None
            latest = time.monotonic() - MIN_IDLE_S
            connection = next((each for each in reversed(connections) if each.idle_since <= latest), None)
            if connection is not None:
                connections.remove(connection)
                if not connections:
                    del self._idle[key]
            return connection

    def _watch(self) -> None:
        while True:
            self._earlier.wait(max(_MIN_SLEEP_S, min(self._next_check - time.monotonic(), 60.0)))
            self._earlier.clear()
            if time.monotonic() < self._next_check:
                continue
            try:
                if not self._check():
                    return
            except Exception:  # the top of a thread that all calls need
                log_.exception("connections to providers could not be checked")

    def _check(self) -> bool:
        """Shut what is late and close what is idle for too long; return whether anything is left to watch."""
        with self._lock:
            self._next_check = math.inf
        now, next_check = time.monotonic(), math.inf
        for connection in list(self._active):
            if now >= connection.deadline:
                connection.expired = True
                connection.shut()
            else:
                next_check = min(next_check, connection.deadline)
        if self._unfinished:
            self._finish(now)
            next_check = min(next_check, now + _CHECK_UNFINISHED_S)
        if self._idle:
            self._close_idle(now)
            next_check = min(next_check, now + _CHECK_IDLE_S)
        with self._lock:
            if not (self._active or self._unfinished or self._idle):
                self._watching = False
                return False
            self._next_check = min(self._next_check, next_check)
        return True

    def _finish(self, now: float) -> None:
        for body, deadline in list(self._unfinished.items()):
            finished = body.skip_rest()
            if finished is None and now < deadline:
                continue
            with self._lock:
                if self._unfinished.pop(body, None) is None:
                    continue
            if finished:
                self.release(body.connection)
            else:
                body.connection.close()

    def _close_idle(self, now: float) -> None:
        for key, connections in list(self._idle.items()):
            for connection in list(connections):
                if now - connection.idle_since < MAX_IDLE_S and not connection.has_news():
                    continue
                with self._lock:
                    if connection not in connections:
                        continue  # taken meanwhile
                    connections.remove(connection)
                    if not connections:
                        self._idle.pop(key, None)
                connection.close()


class StopHandle:
    """Lets a run's stop end whatever its call is waiting for; after `release` a late stop reaches nothing."""

    def __init__(self, control: Control) -> None:
        self._lock = threading.Lock()
        self._end: Callable[[], None] | None = None
        self._control = control
        control.opened(self._stop)

    def use(self, end: Callable[[], None]) -> None:
        """Let a stop call `end` from now on. Raises `Stopped` when the run is stopped already."""
        with self._lock:
            self._end = end
        self._control.wait(0)

    def release(self) -> None:
        """Let a stop reach nothing from now on."""
        with self._lock:
            self._end = None

    def _stop(self) -> None:
        with self._lock:
            if self._end is not None:
                self._end()


def _connect(address: Address, deadline: float, stop: StopHandle) -> socket.socket:
    last: OSError = ConnectFailed("the host has no address")
    for family, kind, protocol, _, where in _resolve(address, deadline, stop):
        sock = socket.socket(family, kind, protocol)
        try:
            stop.use(_shutter(sock))
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.settimeout(max(0.001, deadline - time.monotonic()))
            sock.connect(where)
        except OSError as error:
            sock.close()
            stop.use(_nothing)
            last = error
        except BaseException:
            sock.close()
            raise
        else:
            return sock
    raise ConnectFailed(str(last)) from last


def _shutter(sock: socket.socket) -> Callable[[], None]:
    def shut() -> None:
        try:
            sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it is not connected yet, or closed

    return shut


def _nothing() -> None:
    """Be what a stop calls where nothing is waited for."""


def _resolve(address: Address, deadline: float, stop: StopHandle) -> list[Any]:
    """Return the addresses of a host.

    Nothing can interrupt a lookup, so a thread of its own does it, and may be left behind; a host that is an address
    already needs none. Raises `NameNotResolved`.
    """
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, address.host)
        except (OSError, UnicodeError, ValueError):
            continue  # a name, or an address of the other family
        return [(family, socket.SOCK_STREAM, 0, "", (address.host, address.port))]
    found: list[list[Any] | OSError | UnicodeError] = []
    done = threading.Event()

    def look_up() -> None:
        try:
            found.append(socket.getaddrinfo(address.host, address.port, 0, socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            found.append(error)
        done.set()

    stop.use(done.set)
    threading.Thread(target=look_up, name="freshet-resolve", daemon=True).start()
    done.wait(max(0.0, deadline - time.monotonic()))
    stop.use(_nothing)
    answer = found[0] if found else TimeoutError("the name's lookup took too long")
    if isinstance(answer, list):
        return answer
    raise NameNotResolved(str(answer)) from answer

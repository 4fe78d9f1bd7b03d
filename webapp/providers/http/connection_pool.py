"""Opens connections to providers, which a stop can end at any moment, and keeps idle ones for further calls.

One watchdog thread shuts connections whose deadline has passed, because a timer for each read would cost more than the
read itself.
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
MIN_IDLE_S = (
    0.05  # servers that close a connection after a response without announcing it do so within this time
)
_MAX_UNFINISHED_S = 1.0  # the longest wait for the end of a body whose content is complete
_CHECK_UNFINISHED_S = 0.05
_CHECK_IDLE_S = 1.0
_MIN_SLEEP_S = 0.02


class UnfinishedBody(Protocol):
    """A body whose content has been read, but not the mark of its end."""

    connection: Connection

    def skip_to_end(self) -> bool | None:
        """Read without waiting; return True at the end, None before it, False if the connection cannot be reused."""


class Address(msgspec.Struct, frozen=True):
    """The scheme, host and port of a URL."""

    secure: bool
    host: str
    port: int


class NameNotResolved(OSError):
    """The host has no address, or its lookup took too long."""


class ConnectFailed(OSError):
    """No address of the host accepts connections in time."""


class ConnectionPool:
    """Keeps idle connections by address and credentials, at most `MAX_IDLE`, each for at most `MAX_IDLE_S`.

    Thread-safe; the caller closes it.
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
        self._has_earlier_check = threading.Event()
        self._closed = False

    def acquire(self, address: Address, credentials: Hashable, stop: StopHandle) -> Connection:
        """Return an idle connection, or open a new one.

        Raises `NameNotResolved`, `ConnectFailed`, `ssl.SSLError`, other `OSError`, and `Stopped`.
        """
        key = (address, credentials)
        while (connection := self._take_idle(key)) is not None:
            if not connection.is_readable():
                connection.is_reused = True
                self.watch(connection)
                stop.set_target(connection.shut)
                return connection
            connection.close()
        return self.open(address, credentials, stop)

    def open(self, address: Address, credentials: Hashable, stop: StopHandle) -> Connection:
        """Open a new connection. Raises as `acquire`."""
        deadline = time.monotonic() + self._connect_s
        connection = Connection(_connect(address, deadline, stop), (address, credentials))
        connection.deadline = deadline
        self.watch(connection)
        try:
            stop.set_target(connection.shut)
            if address.secure:
                connection.start_tls(self._context, address.host)
        except BaseException:
            self.discard(connection)
            if connection.expired:
                raise ConnectFailed("the TLS handshake took too long") from None
            raise
        return connection

    def watch(self, connection: Connection) -> None:
        """Have the watchdog shut a connection when its `deadline` has passed."""
        with self._lock:
            self._active.add(connection)
        self.check_by(connection.deadline)

    def check_by(self, deadline: float) -> None:
        """Have the watchdog check the connections at `deadline` at the latest."""
        if deadline >= self._next_check and self._watching:
            return
        with self._lock:
            start, self._watching = not self._watching, True
            self._next_check = min(self._next_check, deadline)
        if start:
            threading.Thread(target=self._watch, name="freshet-connections", daemon=True).start()
        else:
            self._has_earlier_check.set()

    def release(self, connection: Connection) -> None:
        """Keep a connection for another call. Its response must have been read to the end."""
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
        """Keep a connection for another call if the end of its body arrives soon, else close it."""
        now = time.monotonic()
        with self._lock:
            self._active.discard(body.connection)
            self._unfinished[body] = now + _MAX_UNFINISHED_S
        self.check_by(now + _CHECK_UNFINISHED_S)

    def discard(self, connection: Connection) -> None:
        """Close an active connection."""
        with self._lock:
            self._active.discard(connection)
        connection.close()

    def close(self) -> None:
        """Close the idle connections; calls in progress continue."""
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
            self._has_earlier_check.wait(max(_MIN_SLEEP_S, min(self._next_check - time.monotonic(), 60.0)))
            self._has_earlier_check.clear()
            if time.monotonic() < self._next_check:
                continue
            try:
                if not self._check():
                    return
            except Exception:  # all calls depend on this thread
                log_.exception("connections to providers could not be checked")

    def _check(self) -> bool:
        """Shut expired connections and close old idle ones; return whether any connection is left to watch."""
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
            self._check_unfinished(now)
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

    def _check_unfinished(self, now: float) -> None:
        for body, deadline in list(self._unfinished.items()):
            finished = body.skip_to_end()
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
                if now - connection.idle_since < MAX_IDLE_S and not connection.is_readable():
                    continue
                with self._lock:
                    if connection not in connections:
                        continue  # acquired by a call meanwhile
                    connections.remove(connection)
                    if not connections:
                        self._idle.pop(key, None)
                connection.close()


class StopHandle:
    """Connects a run's stop to the operation that its call is waiting for."""

    def __init__(self, control: Control) -> None:
        self._lock = threading.Lock()
        self._abort: Callable[[], None] | None = None
        self._control = control
        control.register_abort(self._stop)

    def set_target(self, abort: Callable[[], None]) -> None:
        """Have a stop call `abort`. Raises `Stopped` if the run is already stopped."""
        with self._lock:
            self._abort = abort
        self._control.wait(0)

    def release(self) -> None:
        """Have a stop do nothing, because the connection may serve another call now."""
        with self._lock:
            self._abort = None

    def _stop(self) -> None:
        with self._lock:
            if self._abort is not None:
                self._abort()


def _connect(address: Address, deadline: float, stop: StopHandle) -> socket.socket:
    last_error: OSError = ConnectFailed("the host has no address")
    for family, kind, protocol, _, socket_address in _resolve(address, deadline, stop):
        sock = socket.socket(family, kind, protocol)
        try:
            stop.set_target(_shutdown_of(sock))
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.settimeout(max(0.001, deadline - time.monotonic()))
            sock.connect(socket_address)
        except OSError as error:
            sock.close()
            stop.set_target(_do_nothing)
            last_error = error.with_traceback(None)  # its traceback has this frame: a reference cycle
        except BaseException:
            sock.close()
            raise
        else:
            return sock
    raise ConnectFailed(str(last_error)) from last_error


def _shutdown_of(sock: socket.socket) -> Callable[[], None]:
    def shut() -> None:
        try:
            sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # not connected yet, or already closed

    return shut


def _do_nothing() -> None:
    """Do nothing: a stop finds no operation to end."""


def _resolve(address: Address, deadline: float, stop: StopHandle) -> list[Any]:
    """Return the addresses of a host. Raises `NameNotResolved`.

    A lookup cannot be interrupted, so it runs in a thread of its own, which is abandoned on a timeout or stop. An IP address
    needs no lookup.
    """
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, address.host)
        except (OSError, UnicodeError, ValueError):
            continue  # a name, or an IP address of the other family
        return [(family, socket.SOCK_STREAM, 0, "", (address.host, address.port))]
    found: list[list[Any] | OSError | UnicodeError] = []
    done = threading.Event()

    def look_up() -> None:
        try:
            found.append(socket.getaddrinfo(address.host, address.port, 0, socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            found.append(error)
        done.set()

    stop.set_target(done.set)
    threading.Thread(target=look_up, name="freshet-resolve", daemon=True).start()
    done.wait(max(0.0, deadline - time.monotonic()))
    stop.set_target(_do_nothing)
    result = found[0] if found else TimeoutError("the DNS lookup took too long")
    if isinstance(result, list):
        return result
    raise NameNotResolved(str(result)) from result

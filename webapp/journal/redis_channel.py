"""One connection to Redis: opened when it is needed, and again after a failure. All that a call does has one deadline.

It uses redis-py's connection without its client, which would retry, and wait for longer than a call may take.
"""

from __future__ import annotations

import hashlib
import re
import socket
import threading
import time
from collections.abc import Sequence
from typing import Any

from redis.connection import Connection, SSLConnection, parse_url
from redis.exceptions import NoScriptError, RedisError, ResponseError

from webapp.errors import JournalUnavailable
from webapp.journal.redis_scripts import PREFIX, SCRIPTS, SHARED_KEYS

_DIGESTS = {name: hashlib.sha1(script.encode()).hexdigest() for name, script in SCRIPTS.items()}  # noqa: S324  (Redis names scripts so)
Argument = bytes | str | int

_CERTIFICATE_ADVICE = "; ?ssl_cert_reqs=none at the end of REDIS_URL accepts any certificate"


class RedisChannel:
    """A connection, for one thread at a time. `limit_s` is how long one call may take."""

    def __init__(self, url: str, limit_s: float, *, verify: bool) -> None:
        """Take a URL that `settings.parsers.redis_url` accepts; with `verify` False, any certificate will do."""
        self._options = _connection_options(url, verify=verify)
        self._limit_s = limit_s
        self._connection: Any = None
        self._thread = 0

    def run(self, name: str, runs: Sequence[str], arguments: Sequence[Argument]) -> Any:
        """Run a script of `SCRIPTS` on the keys of these runs. Raises `JournalUnavailable`; the next call then connects again."""
        keys = [*SHARED_KEYS]
        for run in runs:
            keys += (f"{PREFIX}run:{run}", f"{PREFIX}frames:{run}")
        rest = (len(keys), *keys, *arguments)
        deadline = time.monotonic() + self._limit_s
        try:
            return self._send(deadline, "EVALSHA", _DIGESTS[name], *rest)
        except NoScriptError:
            pass  # Redis was restarted or flushed since
        except (RedisError, OSError) as error:
            raise self._fail(error) from None
        try:
            return self._send(deadline, "EVAL", SCRIPTS[name], *rest)
        except (RedisError, OSError) as error:
            raise self._fail(error) from None

    def wait(self, cursors: Sequence[tuple[str, str]], wait_s: float) -> None:
        """Wait until the stream of a run has an entry after its id. Raises `JournalUnavailable`."""
        streams = [f"{PREFIX}frames:{run}" for run, _ in cursors]
        milliseconds = max(1, round(wait_s * 1_000))  # 0 would wait for ever
        ids = [after for _, after in cursors]
        deadline = time.monotonic() + wait_s + self._limit_s
        try:
            self._send(deadline, "XREAD", "COUNT", 1, "BLOCK", milliseconds, "STREAMS", *streams, *ids)
        except (RedisError, OSError) as error:
            raise self._fail(error) from None

    def close(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.disconnect()

    def _send(self, deadline: float, *command: Argument) -> Any:
        try:
            connection = self._open(deadline)
            connection.send_command(*command, check_health=False)
            return connection.read_response()
        except ResponseError:
            raise
        except BaseException:  # the response may still come, and would be taken for the next one's
            self.close()
            raise

    def _open(self, deadline: float) -> Any:
        """Return the connection with a new deadline, opened unless it is."""
        if self._connection is not None:
            self._connection.deadline = deadline
            # gevent's sockets belong to the thread that opened them; a readable connection is one that Redis has closed
            if self._thread != threading.get_native_id() or _is_closed(self._connection):
                self.close()
        if self._connection is None:
            self._connection, self._thread = _make_connection(self._options), threading.get_native_id()
            self._connection.deadline = deadline
            self._connection.connect()
        return self._connection

    def _fail(self, error: Exception) -> JournalUnavailable:
        if isinstance(error, ResponseError) and str(error).startswith("OUTDATED "):
            found = str(error).removeprefix("OUTDATED ")
            return JournalUnavailable(
                detail=f"the journal is for the versions {found[:20]!r}", code="journal_outdated"
            )
        self.close()
        return JournalUnavailable(detail=_describe(error))


class _LimitedConnection(Connection):
    """A connection that gives up at its deadline, however often a byte arrives."""

    deadline = 0.0

    def left_s(self) -> float:
        """Return the time until the deadline. Raises `TimeoutError` after it."""
        left_s = self.deadline - time.monotonic()
        if left_s <= 0:
            raise TimeoutError("no response in time")
        return left_s

    def _connect(self) -> Any:
        self.socket_timeout = self.socket_connect_timeout = self.left_s()
        connect: Any = super()._connect
        return _LimitedSocket(connect(), self)


class _LimitedTlsConnection(_LimitedConnection, SSLConnection):
    """The same with TLS."""


class _LimitedSocket:
    """The part of a socket that redis-py uses, with the deadline of its connection."""

    def __init__(self, sock: socket.socket, connection: _LimitedConnection) -> None:
        self._sock = sock
        self._connection = connection
        self._blocking = True
        self.shutdown, self.close = sock.shutdown, sock.close
        self.getsockname, self.getpeername = sock.getsockname, sock.getpeername

    def settimeout(self, seconds: float | None) -> None:
        """Note whether reads may block; how long they do is the connection's to say."""
        self._blocking = seconds != 0

    def recv(self, size: int) -> bytes:
        """Receive at most `size` bytes."""
        self._sock.settimeout(self._connection.left_s() if self._blocking else 0)
        return self._sock.recv(size)

    def sendall(self, data: bytes) -> None:
        """Send all bytes."""
        self._sock.settimeout(self._connection.left_s())
        self._sock.sendall(data)


def _make_connection(options: dict[str, Any]) -> Any:
    kinds: dict[bool, Any] = {True: _LimitedTlsConnection, False: _LimitedConnection}
    return kinds["ssl_cert_reqs" in options](**options)


def _connection_options(url: str, *, verify: bool) -> dict[str, Any]:
    parse: Any = parse_url
    options: dict[str, Any] = parse(url)
    if options.pop("connection_class", None) is not None:
        options.setdefault("ssl_cert_reqs", "required" if verify else "none")
    # Without these redis-py would ask for the version of its protocol and announce its own version first.
    return options | {"protocol": 2, "driver_info": None}


def _is_closed(connection: Any) -> bool:
    """Return whether Redis has closed an idle connection, or sent what nobody asked for."""
    try:
        return bool(connection.can_read(0))
    except RedisError:
        return True


def _describe(error: Exception) -> str:
    """Return an error as one line for the log. Redis repeats the arguments of a command that it does not know."""
    line = next(iter(str(error).splitlines()), "").partition(", with args")[0]
    line = re.sub(r"^.*@user_script: ?\d+: -?", "", line)
    advice = _CERTIFICATE_ADVICE if "certificate verify failed" in line else ""
    return f"{type(error).__name__}: {line[:200]}{advice}"

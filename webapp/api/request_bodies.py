"""Request bodies: read within a deadline and at a least rate, few at a time, and counted in the server's memory.

Nothing is refused before an endpoint begins to read: most requests have no body, or one that came with the head.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from webapp.errors import TooManyRequests, TooSlow, Unavailable
from webapp.runs.registry import Runs

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

log_ = logging.getLogger("freshet.http")

TOO_MANY = "too_many_requests"  # its connection is let go, so that it holds no place
UNKNOWN = "sockets that have not said who they are"
_PATIENCE_S = 30.0
_SLOWEST_BYTES_PER_S = 64 * 1024
_LOOK_S = 1.0
_STEP_BYTES = 256 * 1024  # memory is counted in steps of this size
_COPIES = 2  # the bytes as they came, and what is made of them
_RETRY_AFTER_S = 5


class RequestBodies:
    """The bodies that are being read in this process.

    At most `most_waiting` at a time, and a quarter of these from one address, whose bodies may take three quarters of the
    memory that all runs and requests have together. `address_of` names the address of a request, or None where nothing
    is counted. Bodies over `usual_bytes` are an import's, of which few are read at a time.
    """

    def __init__(
        self,
        runs: Runs,
        *,
        most_waiting: int,
        usual_bytes: int,
        address_of: Callable[[WSGIEnvironment], str | None],
    ) -> None:
        self._runs = runs
        self._most_waiting = most_waiting
        self.usual_bytes = usual_bytes
        self._address_of = address_of
        self._most_of_address = runs.limits.log_max_bytes * 3 // 4
        self._most_of_unknown = runs.limits.log_max_bytes // 8
        self._waiting: set[_Body] = set()
        self._by_address: dict[str, int] = {}
        self._lock = threading.Lock()
        self._watching = False

    def guard(self, application: WSGIApplication) -> WSGIApplication:
        """Put the guard before an application. What it refuses is raised where the application reads."""

        def guarded(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            if environ.get("CONTENT_LENGTH") in (None, "", "0") and "HTTP_TRANSFER_ENCODING" not in environ:
                return application(environ, start_response)
            body = _Body(self, environ, self._address_of(environ))
            environ["wsgi.input"] = body
            try:
                return application(environ, start_response)
            finally:
                body.close()  # the answer may go on for long; the request was read

        return guarded

    def enter(self, body: _Body) -> None:
        """Admit a body that is about to be read. Raises `Unavailable`."""
        with self._lock:
            if len(self._waiting) >= self._most_waiting:
                raise Unavailable(
                    "Too many requests are being received at the moment.",
                    code="full",
                    retry_after_s=_RETRY_AFTER_S,
                )
            if body.address is not None and self._waiting_of(body.address) >= max(8, self._most_waiting // 4):
                raise TooManyRequests(
                    "Too many requests are being received from your address at the moment.",
                    code=TOO_MANY,
                    retry_after_s=_RETRY_AFTER_S,
                )
            self._waiting.add(body)
            begin, self._watching = not self._watching, True
        if begin:
            threading.Thread(target=self._watch, name="freshet-bodies", daemon=True).start()

    def _waiting_of(self, address: str) -> int:
        return sum(1 for body in self._waiting if body.address == address)

    def leave(self, body: _Body) -> None:
        """Note that a body has been read, or never will be."""
        with self._lock:
            self._waiting.discard(body)

    def hold(self, address: str | None, size_bytes: int) -> None:
        """Count memory for a body, or for what `UNKNOWN` sockets send. Raises `Unavailable` and `TooManyRequests`."""
        most = self._most_of_unknown if address == UNKNOWN else self._most_of_address
        with self._lock:
            held = self._by_address.get(address, 0) if address is not None else 0
            if held + size_bytes > most and address is not None:
                raise TooManyRequests(
                    "Too much is being received from your address at once.",
                    code=TOO_MANY,
                    retry_after_s=_RETRY_AFTER_S,
                )
            self._runs.hold(size_bytes)
            if address is not None:
                self._by_address[address] = held + size_bytes

    def let_go(self, address: str | None, size_bytes: int) -> None:
        """End what `hold` began."""
        self._runs.release(size_bytes)
        if address is None:
            return
        with self._lock:
            left = self._by_address.get(address, 0) - size_bytes
            if left > 0:
                self._by_address[address] = left
            else:
                self._by_address.pop(address, None)

    def _watch(self) -> None:
        """Cut what comes too slowly; one thread for as long as the process lives."""
        while True:
            time.sleep(_LOOK_S)
            now = time.monotonic()
            for body in list(self._waiting):
                try:
                    body.check(now)
                except Exception:  # the top of a thread that everybody needs
                    log_.exception("a request's body could not be looked at")


class _Body:
    """What stands for `wsgi.input` while a request is answered."""

    def __init__(self, bodies: RequestBodies, environ: WSGIEnvironment, address: str | None) -> None:
        self._bodies = bodies
        self._stream: Any = environ["wsgi.input"]
        self._sock: Any = environ.get("gunicorn.socket")
        self.address = address
        declared = str(environ.get("CONTENT_LENGTH") or "")
        self._length = int(declared) if declared.isascii() and declared.isdigit() else None
        self._copies = 1 if (self._length or 0) > bodies.usual_bytes else _COPIES
        self._began_at = 0.0
        self._read_bytes = 0
        self._held_bytes = 0
        self._is_cut = False

    def read(self, size: int = -1) -> bytes:
        """Read up to `size` bytes, or all. Raises `Unavailable`, `TooManyRequests` and `TooSlow`."""
        if size is None or size < 0:
            return b"".join(iter(lambda: self.read(_STEP_BYTES), b""))
        return self._read(self._stream.read, min(size, _STEP_BYTES))

    def readline(self, size: int = -1) -> bytes:
        """Read a line, or a part of it."""
        return self._read(
            self._stream.readline, _STEP_BYTES if size is None or size < 0 else min(size, _STEP_BYTES)
        )

    def readlines(self, hint: int = -1) -> list[bytes]:
        """Read lines, at least `hint` bytes of them or all."""
        lines: list[bytes] = []
        while (line := self.readline()) and (hint < 0 or sum(map(len, lines)) < hint):
            lines.append(line)
        return lines

    def __iter__(self) -> Any:
        return iter(self.readline, b"")

    def check(self, now: float) -> None:
        """Cut the body when it has taken its time and come too slowly; wakes whoever reads it."""
        taken_s = now - self._began_at if self._began_at else 0.0
        if taken_s > _PATIENCE_S and self._read_bytes < taken_s * _SLOWEST_BYTES_PER_S:
            self._is_cut = True
            try:
                self._sock.shutdown(socket.SHUT_RD)
            except (OSError, AttributeError):
                pass  # it is gone already, or no socket

    def close(self) -> None:
        """Release what was held."""
        self._bodies.leave(self)
        self._keep(0)

    def _read(self, read: Callable[[int], bytes], size: int) -> bytes:
        self._hold(self._read_bytes + size)
        if not self._began_at:
            self._bodies.enter(self)
            self._began_at = time.monotonic()
        try:
            piece = read(size)
        except Exception as error:
            if self._is_cut or isinstance(error, TimeoutError):
                raise _too_slow() from error
            raise
        if self._is_cut:
            raise _too_slow()
        self._read_bytes += len(piece)
        if not piece or self._read_bytes == self._length:
            self._bodies.leave(self)
            self._keep(self._read_bytes * self._copies)
        return piece

    def _hold(self, size_bytes: int) -> None:
        """Count memory for as much as will have been read; it grows in steps, up to what was announced."""
        wanted = -(-size_bytes // _STEP_BYTES) * _STEP_BYTES
        if self._length is not None:
            wanted = min(wanted, self._length)
        if wanted * self._copies > self._held_bytes:
            self._bodies.hold(self.address, wanted * self._copies - self._held_bytes)
            self._held_bytes = wanted * self._copies

    def _keep(self, size_bytes: int) -> None:
        """Release what is held beyond so much."""
        surplus = self._held_bytes - size_bytes
        if surplus > 0:
            self._held_bytes = size_bytes
            self._bodies.let_go(self.address, surplus)


def _too_slow() -> TooSlow:
    return TooSlow("The request's body came too slowly.")

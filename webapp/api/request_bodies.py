"""WSGI middleware that limits request bodies: their number, their memory, and how slowly they may arrive.

The limits apply when an endpoint begins to read: most requests have no body, or one that came with the head.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from webapp.errors import TooLarge, TooManyRequests, TooSlow, Unavailable
from webapp.offload import yield_control
from webapp.runs.memory import RunMemory

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

log_ = logging.getLogger("freshet.http")

TOO_MANY = "too_many_requests"  # `error_responses.py` closes the connection of such a request
UNAUTHENTICATED = "unauthenticated sockets"  # stands for the address of all WebSockets before authentication
_GRACE_S = 30.0  # before the minimum rate applies
_MIN_BYTES_PER_S = 64 * 1024
_CHECK_INTERVAL_S = 1.0
_RESERVE_STEP_BYTES = 256 * 1024  # also the largest read
_COPIES = 2  # the raw bytes, and what they are decoded to
_RETRY_AFTER_S = 5
# The rest of a refused body, after the response.
_OVERLOAD = (
    "408",
    "429",
    "503",
)  # after these nothing is discarded: a full server must not be held by refused clients
_DISCARD_BYTES = 256 * 1024 * 1024
_DISCARD_S = 5.0
_DISCARD_IDLE_S = 1.0
_DISCARD_STEP_BYTES = 64 * 1024


class RequestBodies:
    """The bodies that are being read in this process.

    At most `max_waiting` are read at a time, and at most a quarter of these from one address. The bodies of one address
    may take three quarters of the memory that all runs and requests share. `address_of` returns the address of a
    request; None means that it is not counted per address. A body over `usual_bytes` is an import, which is counted
    once instead of twice: few are read at a time.
    """

    def __init__(
        self,
        memory: RunMemory,
        *,
        max_waiting: int,
        usual_bytes: int,
        address_of: Callable[[WSGIEnvironment], str | None],
    ) -> None:
        self._memory = memory
        self._max_waiting = max_waiting
        self.usual_bytes = usual_bytes
        self._address_of = address_of
        self._max_address_bytes = memory.max_bytes * 3 // 4
        self._max_unauthenticated_bytes = memory.max_bytes // 8
        self._waiting: set[_Body] = set()
        self._by_address: dict[str, int] = {}
        self._lock = threading.Lock()
        self._is_watching = False

    def guard(self, application: WSGIApplication) -> WSGIApplication:
        """Wrap an application. Its reads of `wsgi.input` raise `Unavailable`, `TooManyRequests` and `TooSlow`."""

        def guarded(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            if environ.get("CONTENT_LENGTH") in (None, "", "0") and "HTTP_TRANSFER_ENCODING" not in environ:
                return application(environ, start_response)
            body = _Body(self, environ, self._address_of(environ))
            environ["wsgi.input"] = body

            def start(status: str, *rest: Any) -> Any:
                body.keeps_client = not status.startswith(_OVERLOAD)
                return start_response(status, *rest)

            try:
                response = application(environ, start)
            finally:
                body.close()  # a streamed response may go on for long after the request was read
            return response if body.is_complete else _DiscardingResponse(response, body)

        return guarded

    def enter(self, body: _Body) -> None:
        """Admit a body that is about to be read. Raises `Unavailable` and `TooManyRequests`."""
        with self._lock:
            if len(self._waiting) >= self._max_waiting:
                raise Unavailable(
                    "The server is receiving too many requests: try again in a few seconds.",
                    code="full",
                    retry_after_s=_RETRY_AFTER_S,
                )
            if body.address is not None and self._count_waiting(body.address) >= max(
                8, self._max_waiting // 4
            ):
                raise TooManyRequests(
                    "Too many requests are being sent from your address: try again in a few seconds.",
                    code=TOO_MANY,
                    retry_after_s=_RETRY_AFTER_S,
                )
            self._waiting.add(body)
            start_watching, self._is_watching = not self._is_watching, True
        if start_watching:
            threading.Thread(target=self._watch, name="freshet-bodies", daemon=True).start()

    def _count_waiting(self, address: str) -> int:
        return sum(1 for body in self._waiting if body.address == address)

    def leave(self, body: _Body) -> None:
        """Remove a body that was read or given up; idempotent."""
        with self._lock:
            self._waiting.discard(body)

    def reserve(self, address: str | None, size_bytes: int) -> None:
        """Reserve memory for a body, a WebSocket's messages or a response. Raises `Unavailable` and `TooManyRequests`."""
        max_bytes = self._max_unauthenticated_bytes if address == UNAUTHENTICATED else self._max_address_bytes
        with self._lock:
            reserved = self._by_address.get(address, 0) if address is not None else 0
            if reserved + size_bytes > max_bytes and address is not None:
                raise TooManyRequests(
                    "Too much data is being sent from your address at once: try again in a few seconds.",
                    code=TOO_MANY,
                    retry_after_s=_RETRY_AFTER_S,
                )
            self._memory.reserve(size_bytes)
            if address is not None:
                self._by_address[address] = reserved + size_bytes

    def release(self, address: str | None, size_bytes: int) -> None:
        """Release memory that was reserved."""
        self._memory.release(size_bytes)
        if address is None:
            return
        with self._lock:
            left = self._by_address.get(address, 0) - size_bytes
            if left > 0:
                self._by_address[address] = left
            else:
                self._by_address.pop(address, None)

    def _watch(self) -> None:
        """Abort bodies that arrive too slowly; one thread runs this until the process ends."""
        while True:
            time.sleep(_CHECK_INTERVAL_S)
            now = time.monotonic()
            for body in list(self._waiting):
                try:
                    body.check(now)
                except Exception:  # the thread must survive: nothing else aborts slow bodies
                    log_.exception("checking a request body failed")


class _DiscardingResponse:
    """A response after which the rest of the request's body is discarded."""

    def __init__(self, response: Iterable[bytes], body: _Body) -> None:
        self._response = response
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._response)

    def close(self) -> None:
        """Close the response, which has been sent, and discard the body."""
        try:
            getattr(self._response, "close", lambda: None)()
        finally:
            self._body.discard()


class _Body:
    """The `wsgi.input` of one request: an input stream that applies the limits."""

    def __init__(self, bodies: RequestBodies, environ: WSGIEnvironment, address: str | None) -> None:
        self._bodies = bodies
        self._stream: Any = environ["wsgi.input"]
        self._sock: Any = environ.get("gunicorn.socket")
        self.address = address
        content_length = str(environ.get("CONTENT_LENGTH") or "")
        self._length = int(content_length) if content_length.isascii() and content_length.isdigit() else None
        self._copies = 1 if (self._length or 0) > bodies.usual_bytes else _COPIES
        self._started_at = 0.0
        self._read_bytes = 0
        self._reserved_bytes = 0
        self._is_aborted = False
        self._max_bytes: int | None = None
        self._must_close = False
        self.keeps_client = True  # false: the response asks the client to come back later
        self.is_complete = False

    def limit(self, max_bytes: int) -> None:
        """Make reads beyond `max_bytes` raise `TooLarge`: a body without Content-Length shows its size only then."""
        self._max_bytes = max_bytes

    def close_after_response(self) -> None:
        """Close the connection once the response has been sent and a bounded rest of the body was discarded."""
        self._must_close = True
        if self.is_complete:
            self._shut()

    def read(self, size: int = -1) -> bytes:
        """Read up to `size` bytes, or all. Raises `Unavailable`, `TooManyRequests` and `TooSlow`."""
        if size is None or size < 0:
            return b"".join(iter(lambda: self.read(_RESERVE_STEP_BYTES), b""))
        return self._read(self._stream.read, min(size, _RESERVE_STEP_BYTES))

    def readline(self, size: int = -1) -> bytes:
        """Read a line, or at most `size` bytes of it."""
        return self._read(
            self._stream.readline,
            _RESERVE_STEP_BYTES if size is None or size < 0 else min(size, _RESERVE_STEP_BYTES),
        )

    def readlines(self, hint: int = -1) -> list[bytes]:
        """Read lines until they have `hint` bytes, or all."""
        lines: list[bytes] = []
        while (line := self.readline()) and (hint < 0 or sum(map(len, lines)) < hint):
            lines.append(line)
        return lines

    def __iter__(self) -> Any:
        return iter(self.readline, b"")

    def check(self, now: float) -> None:
        """Abort the body if it arrives below the minimum rate; wakes the thread that is reading it."""
        elapsed_s = now - self._started_at if self._started_at else 0.0
        if elapsed_s > _GRACE_S and self._read_bytes < elapsed_s * _MIN_BYTES_PER_S:
            self._is_aborted = True
            self._shut()

    def discard(self) -> None:
        """Read and drop the rest of the body, or shut the connection where that exceeds a limit.

        Closing a connection with unread bytes resets it, and a client that is still sending would lose the response.
        """
        if self._sock is not None and self.keeps_client and not self._is_aborted:
            timer = threading.Timer(_DISCARD_S, self._shut)  # a read waits for all of its bytes, however slow
            timer.start()
            try:
                self._read_rest()
            except Exception as error:  # noqa: BLE001  (malformed, cut, silent or closed; gunicorn's errors share no base)
                log_.debug("discarding a request body ended early: %s", type(error).__name__)
            finally:
                timer.cancel()
        if self._must_close or not self.is_complete:
            self._shut()

    def _read_rest(self) -> None:
        left = _DISCARD_BYTES
        timeout_s = self._sock.gettimeout()
        self._sock.settimeout(_DISCARD_IDLE_S)
        try:
            while left > 0:
                count = len(self._stream.read(_DISCARD_STEP_BYTES))
                if not count:
                    self.is_complete = True
                    return
                left -= count
                yield_control()
        finally:
            self._sock.settimeout(
                timeout_s
            )  # or waiting for the next request would fail, and be logged as an error

    def _shut(self) -> None:
        """Shut the connection for reading; this also wakes the thread that is reading it."""
        try:
            self._sock.shutdown(socket.SHUT_RD)
        except (OSError, AttributeError):
            pass  # the client has left, or there is no socket

    def close(self) -> None:
        """Release the body's memory and its place."""
        self._bodies.leave(self)
        self._shrink(0)

    def _read(self, read: Callable[[int], bytes], size: int) -> bytes:
        self._reserve(self._read_bytes + size)
        if not self._started_at:
            self._bodies.enter(self)
            self._started_at = time.monotonic()
        try:
            piece = read(size)
        except (
            Exception
        ) as error:  # passed on, but for what a deadline has caused; gunicorn's errors share no base
            if self._is_aborted or isinstance(error, TimeoutError):
                raise _too_slow() from error
            raise
        if self._is_aborted:
            raise _too_slow()
        self._read_bytes += len(piece)
        if self._max_bytes is not None and self._read_bytes > self._max_bytes:
            raise TooLarge("The request body is larger than this server accepts.", code="body_too_large")
        if (not piece and size) or self._read_bytes == self._length:
            self.is_complete = True
            self._bodies.leave(self)
            self._shrink(self._read_bytes * self._copies)
        return piece

    def _reserve(self, size_bytes: int) -> None:
        """Reserve memory for `size_bytes` read in all, rounded up to a step, at most the Content-Length."""
        target_bytes = -(-size_bytes // _RESERVE_STEP_BYTES) * _RESERVE_STEP_BYTES
        if self._length is not None:
            target_bytes = min(target_bytes, self._length)
        if target_bytes * self._copies > self._reserved_bytes:
            self._bodies.reserve(self.address, target_bytes * self._copies - self._reserved_bytes)
            self._reserved_bytes = target_bytes * self._copies

    def _shrink(self, size_bytes: int) -> None:
        """Release all reserved memory beyond `size_bytes`."""
        surplus = self._reserved_bytes - size_bytes
        if surplus > 0:
            self._reserved_bytes = size_bytes
            self._bodies.release(self.address, surplus)


def _too_slow() -> TooSlow:
    return TooSlow("The request body arrived too slowly: send it again over a faster connection.")

"""Response bodies that follow a run: the iterator that gunicorn writes from, and how its reader is released."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from typing import Any

from flask import Response, request

from webapp.frames import Cursor
from webapp.routes.authentication import principal
from webapp.runs.readers import Delivery, Reader, ReaderConnection
from webapp.runs.run import Run
from webapp.services import Services

WRITE_BYTES = 8 * 1024  # one write must be taken within the deadline, also by a slow reader

Encode = Callable[[Reader, ReaderConnection], Iterator[bytes]]


def has_hung_up(sock: Any) -> Callable[[], bool] | None:
    """Return a function that tells, without blocking, whether the other side of a socket has left.

    None where that cannot be known.
    """
    if not hasattr(sock, "recv") or hasattr(sock, "cipher"):
        return None  # not gunicorn's, or TLS, whose records cannot be peeked into

    def check() -> bool:
        timeout = sock.gettimeout()
        try:
            sock.settimeout(0)
            return len(sock.recv(1, socket.MSG_PEEK)) == 0
        except BlockingIOError:
            return False
        except OSError:
            return True
        finally:
            sock.settimeout(timeout)

    return check


def admit_reader(services: Services) -> ReaderConnection:
    """Admit the present request as a reader, before a run is started that nobody could read.

    `Runs.leave` must be called for it. Raises `Unavailable` and `TooManyRequests`.
    """
    caller = principal()
    return services.runs.connect(
        has_hung_up(request.environ.get("gunicorn.socket")),
        session=caller.session,
        share=services.limiter.readers(caller),
    )


class RunBody:
    """The body of a streaming response. The server iterates over it once and calls `close`, whatever happens."""

    def __init__(
        self,
        services: Services,
        run: Run,
        cursor: Cursor | None,
        encode: Encode,
        *,
        prove: bool = True,
        stop: bool = False,
        connection: ReaderConnection | None = None,
    ) -> None:
        """Join a run. With `stop`, the last reader that leaves stops it; `prove` is that of `Runs.join`."""
        self._runs = services.runs
        self._run = run
        self._stop = stop
        sock = request.environ.get("gunicorn.socket")
        self.connection = connection or admit_reader(services)
        if sock is not None:
            sock.settimeout(services.write_s)
        self.reader = self._runs.join(run, self.connection, cursor, prove=prove)
        self._pieces = encode(self.reader, self.connection)
        self._closed = False

    def __iter__(self) -> Iterator[bytes]:
        return self._pieces

    def close(self) -> None:
        """Release the reader."""
        if not self._closed:
            self._closed = True
            self._runs.part(self._run, self.connection, stop=self._stop)
            self._runs.leave(self.connection)


def streaming_response(body: RunBody, mimetype: str) -> Response:
    """Return a response whose body no proxy holds back."""
    response = Response(body, mimetype=mimetype, direct_passthrough=True)
    response.headers["Cache-Control"] = "no-cache, no-transform"
    response.headers["X-Accel-Buffering"] = "no"
    return response


def split_writes(raw: bytes) -> Iterator[bytes]:
    """Yield `raw` in pieces of at most `WRITE_BYTES`; an empty one not at all."""
    if 0 < len(raw) <= WRITE_BYTES:
        yield raw
        return
    for at in range(0, len(raw), WRITE_BYTES):
        yield raw[at : at + WRITE_BYTES]


def deliveries(reader: Reader, connection: ReaderConnection) -> Iterator[list[Delivery]]:
    """Yield new frames as they come, and `[]` when a heartbeat is due, until the end of the run or the connection."""
    take, wait, wrote = reader.take, connection.wake.wait, connection.wrote
    while not reader.ended:
        new = take()
        if not new:
            wait()
            new = take()
            if connection.gone or (connection.leaving and not new):
                return
            if not new and not connection.is_silent():
                continue
        yield new
        wrote()

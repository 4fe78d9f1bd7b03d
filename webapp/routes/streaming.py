"""Streaming response bodies that read a run: the iterator that gunicorn writes from, and the release of its reader."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from flask import Response, request

from webapp.frames import Cursor
from webapp.logs import set_run
from webapp.routes.current_principal import current_principal
from webapp.runs.readers import Delivery, Reader, ReaderConnection
from webapp.runs.remote_runs import AnyRun
from webapp.services import Services

WRITE_BYTES = 64 * 1024  # at once: other streams go on in between

Encode = Callable[[Reader, ReaderConnection], Iterator[bytes]]


def hang_up_check(sock: Any) -> Callable[[], bool] | None:
    """Return a function that returns, without blocking, whether a socket's peer has closed the connection.

    None if that cannot be checked.
    """
    if not hasattr(sock, "recv") or hasattr(sock, "cipher"):
        return None  # not gunicorn's socket, or TLS, where MSG_PEEK does not work

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


def admit_reader(services: Services, *, can_resume: bool = False) -> ReaderConnection:
    """Admit the current request as a reader; do this before starting a run that it could then not read.

    `can_resume` says whether its client comes back to the run where the connection ends before it.

    The caller must call `Runs.leave` with the connection. Raises `Unavailable` and `TooManyRequests`.
    """
    caller = current_principal()
    return services.runs.connect(
        hang_up_check(request.environ.get("gunicorn.socket")),
        session=caller.session,
        quota=services.limiter.reader_quota(caller),
        key=caller.key_id,
        can_resume=can_resume,
    )


class RunBody:
    """The body of a streaming response. The WSGI server iterates over it once, and always calls `close`."""

    def __init__(
        self,
        services: Services,
        run: AnyRun,
        cursor: Cursor | None,
        encode: Encode,
        connection: ReaderConnection,
        *,
        resumable: bool = True,
        stop: bool = False,
    ) -> None:
        """Join a run on a connection, which `close` releases. With `stop`, the run stops when its last reader leaves;
        `resumable` is passed to `Runs.attach`.
        """
        set_run(run.id)
        self._runs = services.runs
        self._run = run
        self._stop = stop
        sock = request.environ.get("gunicorn.socket")
        self.connection = connection
        if sock is not None:
            sock.settimeout(services.write_s)
        self.reader = self._runs.attach(run, self.connection, cursor, resumable=resumable)
        self._chunks = encode(self.reader, self.connection)
        self._closed = False

    def __iter__(self) -> Iterator[bytes]:
        return self._chunks

    def close(self) -> None:
        """Release the reader and its connection; idempotent."""
        if not self._closed:
            self._closed = True
            self._runs.detach(self._run, self.connection, stop=self._stop)
            self._runs.disconnect(self.connection)


def streaming_response(body: Iterable[bytes], mimetype: str) -> Response:
    """Return a response whose body proxies do not buffer."""
    response = Response(body, mimetype=mimetype, direct_passthrough=True)
    response.headers["Cache-Control"] = "no-cache, no-transform"
    response.headers["X-Accel-Buffering"] = "no"
    return response


def split_writes(raw: bytes) -> Iterator[bytes]:
    """Yield `raw` in pieces of at most `WRITE_BYTES`; nothing if it is empty."""
    if 0 < len(raw) <= WRITE_BYTES:
        yield raw
        return
    for start in range(0, len(raw), WRITE_BYTES):
        yield raw[start : start + WRITE_BYTES]


def deliveries(reader: Reader, connection: ReaderConnection) -> Iterator[list[Delivery]]:
    """Yield new frames as they arrive, and `[]` when a heartbeat is due, until the run or the connection ends."""
    take, wait, note_write = reader.take, connection.wake.wait, connection.note_write
    while not reader.ended:
        new = take()
        if not new:
            if connection.must_reconnect:
                return
            wait()
            new = take()
            if connection.gone or (connection.must_reconnect and not new):
                return
            if not new and not connection.is_heartbeat_due():
                continue
        yield new
        note_write()

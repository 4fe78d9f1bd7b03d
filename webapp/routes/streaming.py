"""An HTTP answer that follows a run: the iterator that gunicorn writes from, and how it is let go."""

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

WRITE_BYTES = 8 * 1024  # one write has to be taken within the deadline, also by a slow reader

Speak = Callable[[Reader, ReaderConnection], Iterator[bytes]]


def hung_up(sock: Any) -> Callable[[], bool] | None:
    """Make the question whether the other side of a socket has left, asked without blocking."""
    if not hasattr(sock, "recv") or hasattr(sock, "cipher"):
        return None  # not gunicorn's, or TLS, which cannot be peeked into

    def ask() -> bool:
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

    return ask


def admit_reader(services: Services) -> ReaderConnection:
    """Take the reader's place for the present request: before its answer is started, which would be paid for unread.

    `Runs.leave` must be called for it. Raises `Unavailable` and `TooManyRequests`.
    """
    caller = principal()
    return services.runs.follower(
        hung_up(request.environ.get("gunicorn.socket")),
        session=caller.session,
        share=services.limiter.readers(caller),
    )


class RunBody:
    """The body of an answer. Whatever happens to the connection, `close` lets the run's reader go."""

    def __init__(
        self,
        services: Services,
        run: Run,
        cursor: Cursor | None,
        speak: Speak,
        *,
        prove: bool = True,
        stop: bool = False,
        follower: ReaderConnection | None = None,
    ) -> None:
        self._runs = services.runs
        self._run = run
        self._stop = stop
        sock = request.environ.get("gunicorn.socket")
        self.follower = follower or admit_reader(services)
        if sock is not None:
            sock.settimeout(services.write_s)
        self.reader = self._runs.join(run, self.follower, cursor, prove=prove)
        self._pieces = speak(self.reader, self.follower)
        self._closed = False

    def __iter__(self) -> Iterator[bytes]:
        return self._pieces

    def close(self) -> None:
        """Let the reader go; called by gunicorn, also after a broken write."""
        if not self._closed:
            self._closed = True
            self._runs.part(self._run, self.follower, stop=self._stop)
            self._runs.leave(self.follower)


def streamed(body: RunBody, mimetype: str) -> Response:
    """Answer with a body that leaves piece by piece, through every proxy."""
    response = Response(_Closing(body), mimetype=mimetype, direct_passthrough=True)
    response.headers["Cache-Control"] = "no-cache, no-transform"
    response.headers["X-Accel-Buffering"] = "no"
    return response


class _Closing:
    """What Flask is given: it iterates like the body and closes it."""

    def __init__(self, body: RunBody) -> None:
        self._body = body
        self._pieces = iter(body)

    def __iter__(self) -> Iterator[bytes]:
        return self._pieces

    def close(self) -> None:
        """Close the body."""
        self._body.close()


def cut(raw: bytes) -> Iterator[bytes]:
    """Cut what leaves at once into writes."""
    if len(raw) <= WRITE_BYTES:
        yield raw
        return
    for at in range(0, len(raw), WRITE_BYTES):
        yield raw[at : at + WRITE_BYTES]


def deliveries(reader: Reader, follower: ReaderConnection) -> Iterator[list[Delivery]]:
    """Give what is new as it comes, an empty list for a silence that must be filled, until the end."""
    while not reader.ended:
        new = reader.take()
        if not new:
            follower.wake.wait()
            new = reader.take()
            if follower.gone or (follower.away and not new):
                return
            if not new and not follower.silent():
                continue
        yield new
        follower.spoke()

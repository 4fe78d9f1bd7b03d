"""The WebSocket endpoint: many runs on one connection.

Close codes: 1003 binary, 1009 too big, 1012 come back, 1013 full, 4400 message, 4401 authentication,
4403 origin, 4408 slow, 4429 rate; 1002 and 1007 are simple-websocket's own.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from flask import Blueprint, g, request
from flask_sock import Sock
from simple_websocket import ConnectionClosed

from webapp.access.gate import Visit
from webapp.access.principals import Principal
from webapp.api.request_bodies import UNKNOWN
from webapp.api.start_request import StartBody, is_turn, read_json
from webapp.codecs.websocket import Inspector, close_frame, ping_frame, text_message
from webapp.errors import InvalidRequest, NotSignedIn, RequestError, TooManyRequests, Unavailable
from webapp.frames import Cursor, encode, encode_message
from webapp.routes.authentication import address, admit_token, resolve, visit
from webapp.routes.guarded_socket import GuardedSocket, ReceiveEvent
from webapp.routes.stream import receipt_body
from webapp.runs.readers import Reader, ReaderConnection
from webapp.runs.registry import Share
from webapp.runs.run import Run
from webapp.services import Services, services

log_ = logging.getLogger("freshet.http")

blueprint = Blueprint("socket", __name__)
_sock = Sock()

OPTIONS = {"event_class": ReceiveEvent}
_KEY = re.compile(r"[A-Za-z0-9+/]{22}==")  # RFC 6455, section 4.1
_MAX_RUNS = 4
_MAX_REF_CHARS = 200
_MAX_UNKNOWN_BYTES = 1024 * 1024  # of a message before authentication
_MIN_UNKNOWN = 8
_MAX_MESSAGES = 300  # in ten seconds
_UNFINISHED_S = 10.0
_MAX_MISSED_PONGS = 2


class _ClientMessage(msgspec.Struct, frozen=True):
    type: str
    ref: Annotated[str, msgspec.Meta(max_length=_MAX_REF_CHARS)] | int | None = None
    run: str | None = None
    after: str | None = None
    token: str | None = None


class _Close(Exception):
    """The connection is to be closed with this code; `ws` turns it into a close frame."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@blueprint.before_request
def _guard() -> None:
    """Replace gunicorn's socket by a guarded one, and refuse compression."""
    environ = request.environ
    environ.pop("HTTP_SEC_WEBSOCKET_EXTENSIONS", None)
    key = environ.get("HTTP_SEC_WEBSOCKET_KEY", "")
    if environ.get("HTTP_SEC_WEBSOCKET_VERSION") != "13" or not _KEY.fullmatch(key):
        raise InvalidRequest("This endpoint takes WebSockets of version 13.", code="handshake")
    parts = services()
    if "principal" not in g:  # before the upgrade, so that a refusal is an HTTP status
        g.principal = _principal_of_head(visit())
    if not parts.runs.accepts_readers:
        raise Unavailable("Too many readers at the moment.", retry_after_s=5, code="full")
    if "gunicorn.socket" in environ:
        known = g.principal is not None
        inspector = Inspector(parts.max_body_bytes if known else _MAX_UNKNOWN_BYTES, _MAX_MESSAGES)
        environ["gunicorn.socket"] = GuardedSocket(
            environ["gunicorn.socket"], inspector, parts.write_s, *_memory(parts, known=known)
        )


@_sock.route("/ws", bp=blueprint)  # type: ignore[untyped-decorator]
def ws(server: Any) -> None:
    """Serve one WebSocket until it closes."""
    parts = services()
    sock: GuardedSocket = server.sock
    try:
        connection = parts.runs.connect(wake=server.event.wake, share=_share(parts, g.principal))
    except (Unavailable, TooManyRequests):
        _close(sock, _Close(1013, "full"))
        return
    session = _Session(parts, server, connection, visit(), g.principal)
    try:
        session.serve()
    except _Close as close:
        _close(sock, close)
    except (ConnectionClosed, OSError):
        pass  # the client has left
    finally:
        session.leave_runs()
        parts.runs.leave(connection)
        server.connected = False
        sock.shut()
        sock.release_memory()


def _memory(parts: Services, *, known: bool) -> tuple[Callable[[int], None], Callable[[int], None]]:
    """Return the functions that count and release the memory of a connection's messages."""
    bodies = parts.bodies
    from_ = None if parts.gate.is_local else address() if known else UNKNOWN
    return lambda size: bodies.hold(from_, size), lambda size: bodies.let_go(from_, size)


def _share(parts: Services, caller: Principal | None) -> Share | None:
    """Return as whose a connection counts; those that have not said who they are have a small leave together."""
    if caller is None:
        return "unknown", max(_MIN_UNKNOWN, parts.runs.limits.max_readers // 4)
    return parts.limiter.readers(caller)


def _principal_of_head(visit_: Visit) -> Principal | None:
    """Return who opens a connection, as its HTTP head says; None where the first message must authenticate."""
    try:
        return resolve(visit_)
    except NotSignedIn:
        return None


def _close(sock: GuardedSocket, close: _Close) -> None:
    try:
        sock.send(close_frame(close.code, close.reason))
    except OSError:
        return  # the client has left
    sock.finish()


class _Session:
    """One connection: its principal, and the runs that it reads."""

    def __init__(
        self,
        parts: Services,
        server: Any,
        connection: ReaderConnection,
        visit_: Visit,
        caller: Principal | None,
    ) -> None:
        self._services = parts
        self._server = server
        self._socket: GuardedSocket = server.sock
        self._connection = connection
        self._visit = visit_
        self._caller = caller
        connection.session = None if caller is None else caller.session
        self._auth_by = time.monotonic() + parts.auth_s
        self._followed: dict[str, tuple[Run, Reader]] = {}
        self._refs: dict[str, str | int | None] = {}
        self._started: deque[tuple[Run | RequestError, str | int | None]] = deque()
        self._starting = 0
        self._missed = 0

    def serve(self) -> None:
        """Read messages, send frames and pings, until something ends the connection."""
        while True:
            left = None if self._caller else max(0.0, self._auth_by - time.monotonic())
            self._connection.wake.wait(left)
            if self._connection.leaving:
                self._send_frames()  # the last frames must not be lost
            self._check()
            while (raw := self._server.receive(timeout=0)) is not None:
                self._receive(raw)
            self._socket.release_memory()
            self._follow_started()
            self._send_frames()
            if self._connection.is_silent():
                self._keep_alive()

    @property
    def _principal(self) -> Principal:
        """Who speaks; nothing that needs it is message before that is known."""
        assert self._caller is not None  # noqa: S101
        return self._caller

    def leave_runs(self) -> None:
        """Stop reading all runs, which go on."""
        for run, _ in self._followed.values():
            self._services.runs.part(run, self._connection)
        self._followed.clear()

    def _check(self) -> None:
        violation = self._socket.violation
        if violation is not None:
            raise _Close(violation.code, violation.reason)
        if self._connection.leaving or (self._services.runs.draining and not self._followed):
            raise _Close(1012, "come back")
        if self._socket.overdue(_UNFINISHED_S):
            raise _Close(1002, "a message was not finished")
        if self._connection.signed_out:
            raise _Close(4401, "signed out")
        if self._caller is None and time.monotonic() >= self._auth_by:
            raise _Close(4401, "no authentication came")

    def _receive(self, raw: str | bytes) -> None:
        try:
            message: _ClientMessage = read_json(raw.encode() if isinstance(raw, str) else raw, _ClientMessage)
        except InvalidRequest as error:
            raise _Close(4400, "the message is not understood") from error
        if self._caller is None and message.type != "auth":
            raise _Close(4401, "authenticate first")
        try:
            match message.type:
                case "start":
                    self._start(raw, message)
                case "resume":
                    self._resume(message)
                case "stop":
                    self._stop(message)
                case "auth":
                    self._authenticate(message)
                case _:
                    raise _Close(4400, "the message is of no known type")
        except RequestError as error:
            self._refuse(error, message.ref)

    def _refuse(self, error: RequestError, ref: str | int | None) -> None:
        told: dict[str, object] = {"refused": error.message, "code": error.code, "status": error.status}
        if error.retry_after_s is not None:
            told["retry_after"] = error.retry_after_s
        if error.limit is not None:
            told["limit"] = error.limit
        self._send(told, ref)

    def _authenticate(self, message: _ClientMessage) -> None:
        try:
            self._caller = admit_token(self._visit, message.token)
        except TooManyRequests as error:
            raise _Close(4429, "too many wrong tokens") from error
        except NotSignedIn as error:
            raise _Close(4401, "the token is wrong") from error
        self._connection.session = self._caller.session
        try:
            self._services.runs.change_share(self._connection, _share(self._services, self._caller))
        except TooManyRequests as error:
            raise _Close(1013, "full") from error
        self._socket.set_limits(self._services.max_body_bytes, *_memory(self._services, known=True))

    def _start(self, raw: str | bytes, message: _ClientMessage) -> None:
        body: StartBody = read_json(raw.encode() if isinstance(raw, str) else raw, StartBody)
        if len(self._followed) + self._starting >= _MAX_RUNS:
            raise TooManyRequests(f"At most {_MAX_RUNS} runs on one connection.", code="too_many_runs")
        if not is_turn(body):
            self._follow(self._services.starter.start(body, self._principal), None, message.ref)
            return
        self._starting += 1
        # A database may take a moment, and the other runs of this connection must not wait for it.
        threading.Thread(target=self._start_turn, args=(body, message.ref), name="begin", daemon=True).start()

    def _start_turn(self, body: StartBody, ref: str | int | None) -> None:
        """Start a turn; the body of a thread of its own."""
        begun: Run | RequestError
        try:
            begun = self._services.starter.start(body, self._principal)
        except RequestError as error:
            begun = error
        except Exception as error:  # the top of a thread: a bug must not leave the caller waiting
            log_.error("a turn could not be started", exc_info=error)
            begun = Unavailable("Something went wrong on the server.", code="internal")
        self._started.append((begun, ref))
        self._connection.wake.set()

    def _follow_started(self) -> None:
        """Read the turns that were started meanwhile, or send why they were not."""
        while self._started:
            begun, ref = self._started.popleft()
            self._starting -= 1
            if isinstance(begun, RequestError):
                self._refuse(begun, ref)
            else:
                self._follow(begun, None, ref)

    def _resume(self, message: _ClientMessage) -> None:
        run = self._services.runs.find(message.run or "", self._principal.owner)
        cursor = None
        if message.after is not None:
            cursor = Cursor.parse(message.after)
            if cursor is None or cursor.run != run.id:
                raise InvalidRequest(
                    "after must be run:epoch:seq of this run", param="after", code="bad_cursor"
                )
        if run.id not in self._followed and len(self._followed) >= _MAX_RUNS:
            raise TooManyRequests(f"At most {_MAX_RUNS} runs on one connection.", code="too_many_runs")
        if Reader(run.log, cursor, prove=True).at_end:
            self._send(
                {"refused": "The answer has been read to its end.", "code": "at_end", "status": 204},
                message.ref,
            )
            return
        self._follow(run, cursor, message.ref)

    def _follow(self, run: Run, cursor: Cursor | None, ref: str | int | None) -> None:
        if run.id in self._followed:
            self._services.runs.part(run, self._connection)
        self._followed[run.id] = (run, self._services.runs.join(run, self._connection, cursor))
        self._refs[run.id] = ref

    def _stop(self, message: _ClientMessage) -> None:
        run = self._services.runs.find(message.run or "", self._principal.owner)

        def stop() -> None:
            told = receipt_body(run.stop("user"))
            try:
                self._send({"stopped": told, "run": run.id}, message.ref)
            except OSError:
                pass  # who body has left

        # A stop may take a moment, and the other runs of this connection must not wait for it.
        threading.Thread(target=stop, name="stop", daemon=True).start()

    def _send_frames(self) -> None:
        """Send the new frames of all runs, in one write."""
        writes: list[bytes] = []
        for name, (run, reader) in list(self._followed.items()):
            for frame, cursor in reader.take():
                ref = self._refs.get(name) if frame.kind == "start" else None
                message = encode_message(frame, name, cursor.decode() if cursor else None, ref)
                writes.append(text_message(message))
            if reader.ended:
                del self._followed[name]
                self._refs.pop(name, None)
                self._services.runs.part(run, self._connection)
        if writes:
            self._socket.send(b"".join(writes))
            self._connection.wrote()

    def _keep_alive(self) -> None:
        # A client that sends images over a slow line has its pongs behind them.
        self._missed = 0 if self._server.pong_received or self._socket.received else self._missed + 1
        self._socket.received = False
        if self._missed >= _MAX_MISSED_PONGS:
            raise _Close(4408, "no pong came")
        self._server.pong_received = False
        self._socket.send(ping_frame() + text_message(encode({"ping": int(time.time() * 1000)})))
        self._connection.wrote()

    def _send(self, told: dict[str, object], ref: str | int | None) -> None:
        if ref is not None:
            told["ref"] = ref
        self._socket.send(text_message(encode(told)))

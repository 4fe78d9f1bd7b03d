"""The WebSocket door: many runs on one connection.

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
from webapp.routes.guarded_socket import Bell, GuardedSocket
from webapp.routes.stream import receipt_body
from webapp.runs.readers import Reader, ReaderConnection
from webapp.runs.registry import Share
from webapp.runs.run import Run
from webapp.services import Services, services

log_ = logging.getLogger("freshet.http")

blueprint = Blueprint("socket", __name__)
_sock = Sock()

OPTIONS = {"event_class": Bell}
_KEY = re.compile(r"[A-Za-z0-9+/]{22}==")  # RFC 6455, section 4.1
_MOST_RUNS = 4
_MOST_REF_CHARS = 200
_MOST_UNKNOWN_BYTES = 1024 * 1024  # of a message before it is known who sends it
_LEAST_UNKNOWN = 8
_MOST_MESSAGES = 300  # in ten seconds
_UNFINISHED_S = 10.0
_MOST_MISSED_PONGS = 2


class _Heard(msgspec.Struct, frozen=True):
    type: str
    ref: Annotated[str, msgspec.Meta(max_length=_MOST_REF_CHARS)] | int | None = None
    run: str | None = None
    after: str | None = None
    token: str | None = None


class _Closing(Exception):
    """The connection ends with this code; one place turns it into a close frame."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@blueprint.before_request
def _guard() -> None:
    """Put the guarded socket in the place of gunicorn's, and take no compression."""
    environ = request.environ
    environ.pop("HTTP_SEC_WEBSOCKET_EXTENSIONS", None)
    key = environ.get("HTTP_SEC_WEBSOCKET_KEY", "")
    if environ.get("HTTP_SEC_WEBSOCKET_VERSION") != "13" or not _KEY.fullmatch(key):
        raise InvalidRequest("This door takes WebSockets of version 13.", code="handshake")
    parts = services()
    if "principal" not in g:  # before the upgrade, so that a refusal is an HTTP status
        g.principal = _known_by_head(visit())
    if not parts.runs.accepts_readers:
        raise Unavailable("Too many readers at the moment.", retry_after_s=5, code="full")
    if "gunicorn.socket" in environ:
        known = g.principal is not None
        inspector = Inspector(parts.max_body_bytes if known else _MOST_UNKNOWN_BYTES, _MOST_MESSAGES)
        environ["gunicorn.socket"] = GuardedSocket(
            environ["gunicorn.socket"], inspector, parts.write_s, *_memory(parts, known=known)
        )


@_sock.route("/ws", bp=blueprint)  # type: ignore[untyped-decorator]
def ws(server: Any) -> None:
    """Serve one WebSocket until it closes."""
    parts = services()
    wire: GuardedSocket = server.sock
    try:
        connection = parts.runs.connect(wake=server.event.wake, share=_share(parts, g.principal))
    except (Unavailable, TooManyRequests):
        _close(wire, _Closing(1013, "full"))
        return
    talk = _Talk(parts, server, connection, visit(), g.principal)
    try:
        talk.serve()
    except _Closing as closing:
        _close(wire, closing)
    except (ConnectionClosed, OSError):
        pass  # the other side has left
    finally:
        talk.part()
        parts.runs.leave(connection)
        server.connected = False
        wire.shut()
        wire.forget_heard()


def _memory(parts: Services, *, known: bool) -> tuple[Callable[[int], None], Callable[[int], None]]:
    """Return how the memory of a connection's messages is counted, and given back."""
    bodies = parts.bodies
    from_ = None if parts.gate.is_local else address() if known else UNKNOWN
    return lambda size: bodies.hold(from_, size), lambda size: bodies.let_go(from_, size)


def _share(parts: Services, caller: Principal | None) -> Share | None:
    """Return as whose a connection counts; those that have not said who they are have a small part together."""
    if caller is None:
        return "unknown", max(_LEAST_UNKNOWN, parts.runs.limits.max_readers // 4)
    return parts.limiter.readers(caller)


def _known_by_head(seen: Visit) -> Principal | None:
    """Return who opens a connection, as far as its head says; None for one who must say it first."""
    try:
        return resolve(seen)
    except NotSignedIn:
        return None


def _close(wire: GuardedSocket, closing: _Closing) -> None:
    try:
        wire.send(close_frame(closing.code, closing.reason))
    except OSError:
        return  # it cannot be told
    wire.finish()


class _Talk:
    """One connection: who it is, and the runs that it follows."""

    def __init__(
        self,
        parts: Services,
        server: Any,
        connection: ReaderConnection,
        seen: Visit,
        caller: Principal | None,
    ) -> None:
        self._parts = parts
        self._server = server
        self._wire: GuardedSocket = server.sock
        self._connection = connection
        self._visit = seen
        self._caller = caller
        connection.session = None if caller is None else caller.session
        self._auth_by = time.monotonic() + parts.auth_s
        self._followed: dict[str, tuple[Run, Reader]] = {}
        self._refs: dict[str, str | int | None] = {}
        self._begun: deque[tuple[Run | RequestError, str | int | None]] = deque()
        self._beginning = 0
        self._missed = 0

    def serve(self) -> None:
        """Hear, follow and keep alive, until something ends it."""
        while True:
            left = None if self._caller else max(0.0, self._auth_by - time.monotonic())
            self._connection.wake.wait(left)
            if self._connection.leaving:
                self._pump()  # what was written last must not be lost
            self._check()
            while (raw := self._server.receive(timeout=0)) is not None:
                self._hear(raw)
            self._wire.forget_heard()
            self._follow_begun()
            self._pump()
            if self._connection.is_silent():
                self._keep_alive()

    @property
    def _known(self) -> Principal:
        """Who speaks; nothing that needs it is heard before that is known."""
        assert self._caller is not None  # noqa: S101
        return self._caller

    def part(self) -> None:
        """Leave all runs; they go on."""
        for run, _ in self._followed.values():
            self._parts.runs.part(run, self._connection)
        self._followed.clear()

    def _check(self) -> None:
        violation = self._wire.violation
        if violation is not None:
            raise _Closing(violation.code, violation.reason)
        if self._connection.leaving or (self._parts.runs.draining and not self._followed):
            raise _Closing(1012, "come back")
        if self._wire.overdue(_UNFINISHED_S):
            raise _Closing(1002, "a message was not finished")
        if self._connection.signed_out:
            raise _Closing(4401, "signed out")
        if self._caller is None and time.monotonic() >= self._auth_by:
            raise _Closing(4401, "no authentication came")

    def _hear(self, raw: str | bytes) -> None:
        try:
            heard: _Heard = read_json(raw.encode() if isinstance(raw, str) else raw, _Heard)
        except InvalidRequest as error:
            raise _Closing(4400, "the message is not understood") from error
        if self._caller is None and heard.type != "auth":
            raise _Closing(4401, "authenticate first")
        try:
            match heard.type:
                case "start":
                    self._start(raw, heard)
                case "resume":
                    self._resume(heard)
                case "stop":
                    self._stop(heard)
                case "auth":
                    self._authenticate(heard)
                case _:
                    raise _Closing(4400, "the message is of no known type")
        except RequestError as error:
            self._refuse(error, heard.ref)

    def _refuse(self, error: RequestError, ref: str | int | None) -> None:
        told: dict[str, object] = {"refused": error.message, "code": error.code, "status": error.status}
        if error.retry_after_s is not None:
            told["retry_after"] = error.retry_after_s
        if error.limit is not None:
            told["limit"] = error.limit
        self._say(told, ref)

    def _authenticate(self, heard: _Heard) -> None:
        try:
            self._caller = admit_token(self._visit, heard.token)
        except TooManyRequests as error:
            raise _Closing(4429, "too many wrong tokens") from error
        except NotSignedIn as error:
            raise _Closing(4401, "the token is wrong") from error
        self._connection.session = self._caller.session
        try:
            self._parts.runs.change_share(self._connection, _share(self._parts, self._caller))
        except TooManyRequests as error:
            raise _Closing(1013, "full") from error
        self._wire.allow(self._parts.max_body_bytes, *_memory(self._parts, known=True))

    def _start(self, raw: str | bytes, heard: _Heard) -> None:
        asked: StartBody = read_json(raw.encode() if isinstance(raw, str) else raw, StartBody)
        if len(self._followed) + self._beginning >= _MOST_RUNS:
            raise TooManyRequests(f"At most {_MOST_RUNS} runs on one connection.", code="too_many_runs")
        if not is_turn(asked):
            self._follow(self._parts.starter.start(asked, self._known), None, heard.ref)
            return
        self._beginning += 1
        # A database may take a moment, and the other runs of this connection must not wait for it.
        threading.Thread(target=self._begin, args=(asked, heard.ref), name="begin", daemon=True).start()

    def _begin(self, asked: StartBody, ref: str | int | None) -> None:
        """Start a turn, in a thread of its own; the connection's own thread follows it."""
        begun: Run | RequestError
        try:
            begun = self._parts.starter.start(asked, self._known)
        except RequestError as error:
            begun = error
        except Exception as error:  # the top of a thread: a bug must not leave the caller waiting
            log_.error("a turn could not begin", exc_info=error)
            begun = Unavailable("Something went wrong on the server.", code="internal")
        self._begun.append((begun, ref))
        self._connection.wake.set()

    def _follow_begun(self) -> None:
        """Follow the turns that have begun meanwhile, or say why they have not."""
        while self._begun:
            begun, ref = self._begun.popleft()
            self._beginning -= 1
            if isinstance(begun, RequestError):
                self._refuse(begun, ref)
            else:
                self._follow(begun, None, ref)

    def _resume(self, heard: _Heard) -> None:
        run = self._parts.runs.find(heard.run or "", self._known.owner)
        cursor = None
        if heard.after is not None:
            cursor = Cursor.parse(heard.after)
            if cursor is None or cursor.run != run.id:
                raise InvalidRequest(
                    "after must be run:epoch:seq of this run", param="after", code="bad_cursor"
                )
        if run.id not in self._followed and len(self._followed) >= _MOST_RUNS:
            raise TooManyRequests(f"At most {_MOST_RUNS} runs on one connection.", code="too_many_runs")
        if Reader(run.log, cursor, prove=True).at_end:
            self._say(
                {"refused": "The answer has been read to its end.", "code": "at_end", "status": 204},
                heard.ref,
            )
            return
        self._follow(run, cursor, heard.ref)

    def _follow(self, run: Run, cursor: Cursor | None, ref: str | int | None) -> None:
        if run.id in self._followed:
            self._parts.runs.part(run, self._connection)
        self._followed[run.id] = (run, self._parts.runs.join(run, self._connection, cursor))
        self._refs[run.id] = ref

    def _stop(self, heard: _Heard) -> None:
        run = self._parts.runs.find(heard.run or "", self._known.owner)

        def stop() -> None:
            told = receipt_body(run.stop("user"))
            try:
                self._say({"stopped": told, "run": run.id}, heard.ref)
            except OSError:
                pass  # who asked has left

        # A stop may take a moment, and the other runs of this connection must not wait for it.
        threading.Thread(target=stop, name="stop", daemon=True).start()

    def _pump(self) -> None:
        """Write what is new of all runs, in one write."""
        writes: list[bytes] = []
        for name, (run, reader) in list(self._followed.items()):
            for frame, cursor in reader.take():
                ref = self._refs.get(name) if frame.kind == "start" else None
                message = encode_message(frame, name, cursor.decode() if cursor else None, ref)
                writes.append(text_message(message))
            if reader.ended:
                del self._followed[name]
                self._refs.pop(name, None)
                self._parts.runs.part(run, self._connection)
        if writes:
            self._wire.send(b"".join(writes))
            self._connection.wrote()

    def _keep_alive(self) -> None:
        # Whoever sends images over a slow line has its pongs behind them.
        self._missed = 0 if self._server.pong_received or self._wire.heard else self._missed + 1
        self._wire.heard = False
        if self._missed >= _MOST_MISSED_PONGS:
            raise _Closing(4408, "no pong came")
        self._server.pong_received = False
        self._wire.send(ping_frame() + text_message(encode({"ping": int(time.time() * 1000)})))
        self._connection.wrote()

    def _say(self, told: dict[str, object], ref: str | int | None) -> None:
        if ref is not None:
            told["ref"] = ref
        self._wire.send(text_message(encode(told)))

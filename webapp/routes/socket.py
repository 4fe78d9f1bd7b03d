"""The WebSocket endpoint: several runs and a feed of changes on one connection.

Close codes: 1003 binary message, 1009 message too big, 1012 reconnect, 1013 server full, 4400 bad message,
4401 authentication, 4403 origin, 4408 no pong, 4429 rate; 1002 and 1007 are simple-websocket's own.
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
from webapp.access.principals import Principal, require_owner
from webapp.api.change_feed import event_message, parse_after
from webapp.api.request_bodies import UNAUTHENTICATED
from webapp.api.start_request import StartBody, read_json
from webapp.codecs.websocket import Inspector, close_frame, ping_frame, text_message
from webapp.errors import InvalidRequest, NotSignedIn, RequestError, TooManyRequests, Unavailable
from webapp.frames import Cursor, encode, encode_message
from webapp.logs import set_run
from webapp.routes.current_principal import (
    current_address,
    current_visit,
    resolve_principal,
    resolve_with_token,
)
from webapp.routes.guarded_socket import GuardedSocket, ReceiveEvent
from webapp.routes.stream import receipt_body
from webapp.runs.connections import ReaderQuota
from webapp.runs.readers import Reader, ReaderConnection
from webapp.runs.remote_runs import AnyRun
from webapp.services import Services, services
from webapp.store.change_feeds import ChangeFeed

log_ = logging.getLogger("freshet.http")

blueprint = Blueprint("socket", __name__)
_sock = Sock()

OPTIONS = {"event_class": ReceiveEvent}
_KEY = re.compile(r"[A-Za-z0-9+/]{22}==")  # RFC 6455, section 4.1
_MAX_RUNS = 4
_MAX_REF_CHARS = 200
_MAX_UNAUTHENTICATED_BYTES = 1024 * 1024  # of a message before authentication
_MIN_UNAUTHENTICATED = 8  # connections
_MAX_MESSAGES = 300  # in ten seconds
_MAX_MESSAGE_S = 10.0
_MAX_MISSED_PONGS = 2


class _ClientMessage(msgspec.Struct, frozen=True):
    type: str
    ref: Annotated[str, msgspec.Meta(max_length=_MAX_REF_CHARS)] | int | None = None
    run: str | None = None
    after: str | None = None
    token: str | None = None


_Place = tuple[AnyRun, Cursor | None]


class _AtEnd(RequestError):
    """There is nothing left to read of a run."""

    status = 204
    code = "at_end"


class _Close(Exception):
    """Ends a connection; `ws` sends a close frame with the code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@blueprint.before_request
def _before_upgrade() -> None:
    """Check the handshake, refuse compression, and replace gunicorn's socket by a guarded one."""
    environ = request.environ
    environ.pop("HTTP_SEC_WEBSOCKET_EXTENSIONS", None)
    key = environ.get("HTTP_SEC_WEBSOCKET_KEY", "")
    if environ.get("HTTP_SEC_WEBSOCKET_VERSION") != "13" or not _KEY.fullmatch(key):
        raise InvalidRequest(
            "This endpoint supports only WebSocket version 13: connect with a WebSocket client.",
            code="handshake",
        )
    parts = services()
    if "principal" not in g:  # before the upgrade, so that a refusal is an HTTP status
        g.principal = _principal_from_headers(current_visit())
    if not parts.runs.accepts_readers:
        raise Unavailable(
            "The server has too many readers: try again in a few seconds.", retry_after_s=5, code="full"
        )
    if "gunicorn.socket" in environ:
        is_authenticated = g.principal is not None
        inspector = Inspector(
            parts.max_body_bytes if is_authenticated else _MAX_UNAUTHENTICATED_BYTES, _MAX_MESSAGES
        )
        environ["gunicorn.socket"] = GuardedSocket(
            environ["gunicorn.socket"],
            inspector,
            parts.write_s,
            *_memory_functions(parts, is_authenticated=is_authenticated),
        )


@_sock.route("/ws", bp=blueprint)  # type: ignore[untyped-decorator]
def ws(server: Any) -> None:
    """Serve one WebSocket until it closes."""
    parts = services()
    sock: GuardedSocket = server.sock
    try:
        connection = parts.runs.connect(wake=server.event.wake, quota=_reader_quota(parts, g.principal))
    except (Unavailable, TooManyRequests):
        _close(sock, _Close(1013, "full"))
        return
    session = _Session(parts, server, connection, current_visit(), g.principal)
    try:
        session.serve()
    except _Close as close:
        _close(sock, close)
    except (ConnectionClosed, OSError):
        pass  # the client has left
    finally:
        session.leave()
        parts.runs.disconnect(connection)
        server.connected = False
        sock.shut()
        sock.release_memory()


def _memory_functions(
    parts: Services, *, is_authenticated: bool
) -> tuple[Callable[[int], None], Callable[[int], None]]:
    """Return the functions that reserve and release memory for a connection's messages."""
    bodies = parts.bodies
    address = None if parts.gate.is_local else current_address() if is_authenticated else UNAUTHENTICATED
    return lambda size: bodies.reserve(address, size), lambda size: bodies.release(address, size)


def _reader_quota(parts: Services, caller: Principal | None) -> ReaderQuota | None:
    """Return the share of readers that a connection counts against; unauthenticated ones have a small one together."""
    if caller is None:
        return "unknown", max(_MIN_UNAUTHENTICATED, parts.runs.limits.max_readers // 4)
    return parts.limiter.reader_quota(caller)


def _principal_from_headers(visit: Visit) -> Principal | None:
    """Return the principal from the request's headers; None if the first message must authenticate."""
    try:
        return resolve_principal(visit)
    except NotSignedIn:
        return None


def _close(sock: GuardedSocket, close: _Close) -> None:
    try:
        sock.send(close_frame(close.code, close.reason))
    except OSError:
        return  # the client has left
    sock.finish()


class _Session:
    """One WebSocket connection: its principal, and the runs that it reads."""

    def __init__(
        self,
        parts: Services,
        server: Any,
        connection: ReaderConnection,
        visit: Visit,
        caller: Principal | None,
    ) -> None:
        self._services = parts
        self._server = server
        self._socket: GuardedSocket = server.sock
        self._connection = connection
        self._visit = visit
        self._caller = caller
        connection.session = None if caller is None else caller.session
        self._auth_deadline = time.monotonic() + parts.auth_s
        self._reading: dict[str, tuple[AnyRun, Reader]] = {}
        self._refs: dict[str, str | int | None] = {}
        self._found: deque[tuple[_Place | RequestError, str | int | None]] = deque()
        self._finding = 0
        self._feed: ChangeFeed | None = None
        self._missed_pongs = 0

    def serve(self) -> None:
        """Receive messages and send frames and pings until the connection ends. Raises `_Close`."""
        while True:
            timeout_s = None if self._caller else max(0.0, self._auth_deadline - time.monotonic())
            self._connection.wake.wait(timeout_s)
            if self._connection.must_reconnect:
                self._send_frames()  # the last frames must not be lost
            self._check()
            while (raw := self._server.receive(timeout=0)) is not None:
                self._receive(raw)
            self._socket.release_memory()
            self._follow_found()
            self._send_frames()
            if self._connection.is_heartbeat_due():
                self._keep_alive()

    @property
    def _principal(self) -> Principal:
        """The principal; before authentication no message is processed that needs it."""
        assert self._caller is not None  # noqa: S101
        return self._caller

    def leave(self) -> None:
        """Stop reading all runs and the feed of changes; the runs continue."""
        self._close_feed()
        for run, _ in self._reading.values():
            self._services.runs.detach(run, self._connection)
        self._reading.clear()

    def _check(self) -> None:
        violation = self._socket.violation
        if violation is not None:
            raise _Close(violation.code, violation.reason)
        if self._connection.must_reconnect or (self._services.runs.is_draining and not self._reading):
            raise _Close(1012, "reconnect")
        if self._socket.is_overdue(_MAX_MESSAGE_S):
            raise _Close(1002, "a message was not completed in time")
        if self._connection.signed_out:
            raise _Close(4401, "signed out")
        if self._caller is None and time.monotonic() >= self._auth_deadline:
            raise _Close(4401, "not authenticated in time")

    def _receive(self, raw: str | bytes) -> None:
        try:
            message: _ClientMessage = read_json(raw.encode() if isinstance(raw, str) else raw, _ClientMessage)
        except InvalidRequest as error:
            raise _Close(4400, "the message is malformed") from error
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
                case "changes":
                    self._follow_changes(message)
                case "auth":
                    self._authenticate(message)
                case _:
                    raise _Close(4400, "unknown message type")
        except RequestError as error:
            self._refuse(error, message.ref)

    def _refuse(self, error: RequestError, ref: str | int | None) -> None:
        reply: dict[str, object] = {"refused": error.message, "code": error.code, "status": error.status}
        if error.retry_after_s is not None:
            reply["retry_after"] = error.retry_after_s
        if error.limit is not None:
            reply["limit"] = error.limit
        self._send(reply, ref)

    def _authenticate(self, message: _ClientMessage) -> None:
        try:
            self._caller = resolve_with_token(self._visit, message.token)
        except TooManyRequests as error:
            raise _Close(4429, "too many wrong tokens") from error
        except NotSignedIn as error:
            raise _Close(4401, "the token is wrong") from error
        self._connection.session = self._caller.session
        try:
            self._services.runs.change_quota(self._connection, _reader_quota(self._services, self._caller))
        except TooManyRequests as error:
            raise _Close(1013, "full") from error
        self._socket.set_limits(
            self._services.max_body_bytes, *_memory_functions(self._services, is_authenticated=True)
        )

    def _start(self, raw: str | bytes, message: _ClientMessage) -> None:
        body: StartBody = read_json(raw.encode() if isinstance(raw, str) else raw, StartBody)
        self._require_place()
        self._find_in_thread(lambda: (self._services.starter.start(body, self._principal), None), message)

    def _resume(self, message: _ClientMessage) -> None:
        if message.run not in self._reading:
            self._require_place()
        self._find_in_thread(lambda: self._find(message), message)

    def _find(self, message: _ClientMessage) -> _Place:
        """Return the run to resume and the reader's place in it. Raises `RequestError`."""
        run = self._services.runs.find(message.run or "", self._principal.owner)
        cursor = None
        if message.after is not None:
            cursor = Cursor.parse(message.after)
            if cursor is None or cursor.run != run.id:
                raise InvalidRequest(
                    "after must be a cursor of this run: run:epoch:seq.", param="after", code="bad_cursor"
                )
        if self._services.runs.has_read_all(run, cursor):
            raise _AtEnd("The answer was read to its end.")
        return run, cursor

    def _require_place(self) -> None:
        if len(self._reading) + self._finding >= _MAX_RUNS:
            raise TooManyRequests(
                f"A connection can read at most {_MAX_RUNS} runs: wait until one has ended.",
                code="too_many_runs",
            )

    def _find_in_thread(self, find: Callable[[], _Place], message: _ClientMessage) -> None:
        """Find or start a run in a thread, so that the connection's other runs do not wait for the database or the journal.

        The run, or the error, is queued for `serve`.
        """
        self._finding += 1

        def work() -> None:
            found: _Place | RequestError
            set_run(message.run)
            try:
                found = find()
            except RequestError as error:
                found = error
            except Exception as error:  # the thread's last handler: a bug must not leave the client waiting
                log_.error("a run could not be started or found", exc_info=error)
                found = Unavailable("Something went wrong on the server.", code="internal")
            self._found.append((found, message.ref))
            self._connection.wake.set()

        threading.Thread(target=work, name="find", daemon=True).start()

    def _follow_found(self) -> None:
        """Join the runs that were started or found, and send the errors of the others."""
        while self._found:
            found, ref = self._found.popleft()
            self._finding -= 1
            if isinstance(found, RequestError):
                self._refuse(found, ref)
            else:
                self._follow(*found, ref)

    def _follow(self, run: AnyRun, cursor: Cursor | None, ref: str | int | None) -> None:
        if run.id in self._reading:
            self._services.runs.detach(self._reading[run.id][0], self._connection)
        self._reading[run.id] = (run, self._services.runs.attach(run, self._connection, cursor))
        self._refs[run.id] = ref

    def _stop(self, message: _ClientMessage) -> None:
        def stop() -> None:
            set_run(message.run)
            try:
                receipt = self._services.runs.stop(message.run or "", self._principal.owner)
                self._send({"stopped": receipt_body(receipt), "run": receipt.run}, message.ref)
            except RequestError as error:
                self._finding += 1
                self._found.append((error, message.ref))
                self._connection.wake.set()
            except OSError:
                pass  # the client has left

        # In a thread, so that the other runs of this connection do not wait for the provider.
        threading.Thread(target=stop, name="stop", daemon=True).start()

    def _follow_changes(self, message: _ClientMessage) -> None:
        """Follow the changes of the caller's conversations, in place of an earlier feed of this connection."""
        owner, parts = require_owner(self._principal), self._services
        cursor = None if message.after is None else parse_after(message.after)
        try:
            parts.runs.change_quota(self._connection, parts.limiter.feed_quota(self._principal))
        except TooManyRequests as error:
            raise _Close(1013, "full") from error
        self._close_feed()
        self._feed = parts.store.feeds.open(owner, cursor, self._connection.wake)
        self._send({"following": "changes"}, message.ref)

    def _close_feed(self) -> None:
        feed, self._feed = self._feed, None
        if feed is not None:
            self._services.store.feeds.close(feed)

    def _send_frames(self) -> None:
        """Send the new frames of all runs, and the new changes, in one write."""
        events = () if self._feed is None else self._feed.take()
        writes = [text_message(encode(event_message(event))) for event in events]
        for run_id, (run, reader) in list(self._reading.items()):
            for frame, cursor in reader.take():
                ref = self._refs.get(run_id) if frame.kind == "start" else None
                message = encode_message(frame, run_id, cursor.decode() if cursor else None, ref)
                writes.append(text_message(message))
            if reader.ended:
                del self._reading[run_id]
                self._refs.pop(run_id, None)
                self._services.runs.detach(run, self._connection)
        if writes:
            self._socket.send(b"".join(writes))
            self._connection.note_write()

    def _keep_alive(self) -> None:
        # Received bytes count as a pong: a slow client that is sending images sends its pong only after them.
        self._missed_pongs = (
            0 if self._server.pong_received or self._socket.received else self._missed_pongs + 1
        )
        self._socket.received = False
        if self._missed_pongs >= _MAX_MISSED_PONGS:
            raise _Close(4408, "no pong received")
        self._server.pong_received = False
        self._socket.send(ping_frame() + text_message(encode({"ping": int(time.time() * 1000)})))
        self._connection.note_write()

    def _send(self, message: dict[str, object], ref: str | int | None) -> None:
        if ref is not None:
            message["ref"] = ref
        self._socket.send(text_message(encode(message)))

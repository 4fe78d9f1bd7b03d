"""One WebSocket connection: what it receives, what is sent on it, and how it ends."""

from __future__ import annotations

import time
from typing import Any

from webapp.access.gate import Visit
from webapp.access.principals import Principal, require_owner
from webapp.api.change_feed import event_message, parse_after
from webapp.api.start_request import StartBody, read_json
from webapp.codecs.websocket import ping_frame, text_message
from webapp.errors import Forbidden, InvalidRequest, NotSignedIn, RequestError, TooManyRequests
from webapp.frames import encode
from webapp.routes.current_principal import resolve_with_token
from webapp.routes.guarded_socket import GuardedSocket
from webapp.routes.socket_limits import memory_functions, reader_quota
from webapp.routes.socket_runs import Ref, SocketMessage, SocketRuns
from webapp.runs.readers import ReaderConnection
from webapp.services import Services
from webapp.store.change_feeds import ChangeFeed

_MAX_MESSAGE_S = 10.0
_MAX_MISSED_PONGS = 2


class Close(Exception):
    """Ends a connection; `socket.ws` sends a close frame with the code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class SocketSession:
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
        connection.key = None if caller is None else caller.key_id
        self._auth_deadline = time.monotonic() + parts.auth_s
        self._runs = SocketRuns(parts, connection, self._send)
        self._feed: ChangeFeed | None = None
        self._missed_pongs = 0

    def serve(self) -> None:
        """Receive messages and send frames and pings until the connection ends. Raises `Close`."""
        self._check()  # a server that has begun to shut down since the handshake wakes nobody any more
        while True:
            timeout_s = None if self._caller else max(0.0, self._auth_deadline - time.monotonic())
            self._connection.wake.wait(timeout_s)
            if self._connection.must_reconnect:
                self._send_frames()  # the last frames must not be lost
            self._check()
            while (raw := self._server.receive(timeout=0)) is not None:
                self._receive(raw)
            self._socket.release_memory()
            for error, ref in self._runs.follow_found():
                self._refuse(error, ref)
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
        self._runs.leave()

    def _check(self) -> None:
        violation = self._socket.violation
        if violation is not None:
            raise Close(violation.code, violation.reason)
        if self._connection.must_reconnect or (self._services.runs.is_draining and not self._runs.are_read):
            raise Close(1012, "reconnect")
        if self._socket.is_overdue(_MAX_MESSAGE_S):
            raise Close(1002, "a message was not completed in time")
        if self._connection.signed_out:
            raise Close(4401, "signed out")
        if self._caller is None and time.monotonic() >= self._auth_deadline:
            raise Close(4401, "not authenticated in time")

    def _receive(self, raw: str | bytes) -> None:
        try:
            message: SocketMessage = read_json(raw.encode() if isinstance(raw, str) else raw, SocketMessage)
        except InvalidRequest as error:
            raise Close(4400, "the message is malformed") from error
        if self._caller is None and message.type != "auth":
            raise Close(4401, "authenticate first")
        try:
            match message.type:
                case "start":
                    body: StartBody = read_json(raw.encode() if isinstance(raw, str) else raw, StartBody)
                    self._runs.start(body, self._principal, message.ref)
                case "resume":
                    self._runs.resume(message, self._principal)
                case "stop":
                    self._runs.stop(message, self._principal)
                case "changes":
                    self._follow_changes(message)
                case "auth":
                    self._authenticate(message)
                case _:
                    raise Close(4400, "unknown message type")
        except RequestError as error:
            self._refuse(error, message.ref)

    def _refuse(self, error: RequestError, ref: Ref) -> None:
        reply: dict[str, object] = {"refused": error.message, "code": error.code, "status": error.status}
        if error.retry_after_s is not None:
            reply["retry_after"] = error.retry_after_s
        if error.limit is not None:
            reply["limit"] = error.limit
        self._send(reply, ref)

    def _authenticate(self, message: SocketMessage) -> None:
        try:
            self._caller = resolve_with_token(self._visit, message.token)
        except TooManyRequests as error:
            raise Close(4429, "too many wrong tokens") from error
        except (NotSignedIn, Forbidden) as error:
            raise Close(4401, "the token is wrong") from error
        self._connection.session, self._connection.key = self._caller.session, self._caller.key_id
        try:
            self._services.runs.change_quota(self._connection, reader_quota(self._services, self._caller))
        except TooManyRequests as error:
            raise Close(1013, "full") from error
        self._socket.set_limits(
            self._services.max_body_bytes, *memory_functions(self._services, is_authenticated=True)
        )

    def _follow_changes(self, message: SocketMessage) -> None:
        """Follow the changes of the caller's conversations, in place of an earlier feed of this connection."""
        owner, parts = require_owner(self._principal), self._services
        cursor = None if message.after is None else parse_after(message.after)
        try:
            parts.runs.change_quota(self._connection, parts.limiter.feed_quota(self._principal))
        except TooManyRequests as error:
            raise Close(1013, "full") from error
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
        writes += self._runs.take_frames()
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
            raise Close(4408, "no pong received")
        self._server.pong_received = False
        self._socket.send(ping_frame() + text_message(encode({"ping": int(time.time() * 1000)})))
        self._connection.note_write()

    def _send(self, message: dict[str, object], ref: Ref) -> None:
        if ref is not None:
            message["ref"] = ref
        self._socket.send(text_message(encode(message)))

"""The WebSocket endpoint: several runs and a feed of changes on one connection.

Close codes: 1003 binary message, 1009 message too big, 1012 reconnect, 1013 server full, 4400 bad message,
4401 authentication, 4403 origin, 4408 no pong, 4429 rate; 1002 and 1007 are simple-websocket's own.
"""

from __future__ import annotations

import re
from typing import Any

from flask import Blueprint, g, request
from flask_sock import Sock
from simple_websocket import ConnectionClosed

from webapp.access.gate import Visit
from webapp.access.principals import Principal
from webapp.codecs.websocket import Inspector, close_frame
from webapp.errors import InvalidRequest, NotSignedIn, TooManyRequests, Unavailable
from webapp.routes.current_principal import current_visit, resolve_principal
from webapp.routes.guarded_socket import GuardedSocket, ReceiveEvent
from webapp.routes.socket_limits import memory_functions, reader_quota
from webapp.routes.socket_session import Close, SocketSession
from webapp.services import services

blueprint = Blueprint("socket", __name__)
_sock = Sock()

OPTIONS = {"event_class": ReceiveEvent}
_KEY = re.compile(r"[A-Za-z0-9+/]{22}==")  # RFC 6455, section 4.1
_MAX_UNAUTHENTICATED_BYTES = 1024 * 1024  # of a message before authentication
_MAX_MESSAGES = 300  # in ten seconds


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
    parts.runs.check_draining()
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
            *memory_functions(parts, is_authenticated=is_authenticated),
        )


@_sock.route("/ws", bp=blueprint)  # type: ignore[untyped-decorator]
def ws(server: Any) -> None:
    """Serve one WebSocket until it closes."""
    parts = services()
    sock: GuardedSocket = server.sock
    try:
        connection = parts.runs.connect(
            wake=server.event.wake, quota=reader_quota(parts, g.principal), can_resume=True
        )
    except (Unavailable, TooManyRequests):
        _close(sock, Close(1013, "full"))
        return
    session = SocketSession(parts, server, connection, current_visit(), g.principal)
    try:
        session.serve()
    except Close as close:
        _close(sock, close)
    except (ConnectionClosed, OSError):
        pass  # the client has left
    finally:
        session.leave()
        parts.runs.disconnect(connection)
        server.connected = False
        sock.shut()
        sock.release_memory()


def _principal_from_headers(visit: Visit) -> Principal | None:
    """Return the principal from the request's headers; None if the first message must authenticate."""
    if visit.needs_key and visit.bearer is None:
        return None
    try:
        return resolve_principal(visit)
    except NotSignedIn:
        return None


def _close(sock: GuardedSocket, close: Close) -> None:
    try:
        sock.send(close_frame(close.code, close.reason))
    except OSError:
        return  # the client has left
    sock.finish()

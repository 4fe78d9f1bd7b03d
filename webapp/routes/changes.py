"""The SSE endpoint of the feed of changes: which of the caller's conversations have changed."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Iterator

from flask import Blueprint, Response, request

from webapp.api.change_feed import event_body, parse_after, parse_wait
from webapp.frames import encode
from webapp.routes.current_principal import current_principal, require_current_owner
from webapp.routes.stream import HEARTBEAT_HEADER
from webapp.routes.streaming import hang_up_check, split_writes, streaming_response
from webapp.runs.readers import ReaderConnection
from webapp.services import Services, services
from webapp.store.change_feeds import FeedCursor, FeedEvent

blueprint = Blueprint("changes", __name__)

_SSE = "text/event-stream"
_RETRY_MS = (800, 1_600)
_FIRST_READ_S = 5.0  # how long a response with a deadline waits for the database beyond it


@blueprint.get("/changes")
def follow_changes() -> Response:
    """Stream the changes after a cursor, as they happen; without one the first event is a resync."""
    owner = require_current_owner()
    header, after = request.headers.get("Last-Event-ID"), request.args.get("after")
    cursor = parse_after(after) if header is None and after is not None else FeedCursor.parse(header or "")
    wait_s = parse_wait(request.args)
    if request.method == "HEAD":
        return Response(mimetype=_SSE)
    response = streaming_response(_FeedBody(services(), owner, cursor, wait_s), _SSE)
    response.headers[HEARTBEAT_HEADER] = f"{services().runs.limits.heartbeat_s:g}"
    return response


class _FeedBody:
    """The body of a feed's response. The WSGI server iterates over it once, and always calls `close`."""

    def __init__(self, parts: Services, owner: str, cursor: FeedCursor | None, wait_s: int | None) -> None:
        """Open a feed on a connection that counts as a reader. Raises `Unavailable` and `TooManyRequests`."""
        self._services = parts
        caller = current_principal()
        sock = request.environ.get("gunicorn.socket")
        self._connection: ReaderConnection | None = parts.runs.connect(
            hang_up_check(sock), session=caller.session, quota=parts.limiter.feed_quota(caller)
        )
        if sock is not None:
            sock.settimeout(parts.write_s)
        self._feed = parts.store.feeds.open(owner, cursor, self._connection.wake)
        self._chunks = self._encode(self._connection, math.inf if wait_s is None else wait_s)

    def __iter__(self) -> Iterator[bytes]:
        return self._chunks

    def close(self) -> None:
        """Close the feed and release its connection; idempotent."""
        connection, self._connection = self._connection, None
        if connection is not None:
            self._services.store.feeds.close(self._feed)
            self._services.runs.disconnect(connection)

    def _encode(self, connection: ReaderConnection, wait_s: float) -> Iterator[bytes]:
        """Yield events as SSE records, and comments as heartbeats, until the deadline or the connection's end."""
        yield b"retry: %d\n" % random.randint(*_RETRY_MS)
        deadline = time.monotonic() + wait_s
        while not (connection.gone or self._services.runs.is_draining):
            events = self._feed.take()
            if events:
                yield from split_writes(b"".join(map(_encode_event, events)))
                connection.note_write()
            elif connection.is_heartbeat_due():
                yield b":\n"
                connection.note_write()
            left_s = deadline - time.monotonic() + (0.0 if self._feed.is_read else _FIRST_READ_S)
            if left_s <= 0:
                return
            connection.wake.wait(None if left_s == math.inf else left_s)


def _encode_event(event: FeedEvent) -> bytes:
    id_line = b"" if event.cursor is None else b"id: %b\n" % event.cursor.encode().encode()
    return b"%bdata: %b\n\n" % (id_line, encode(event_body(event)))

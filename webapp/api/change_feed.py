"""The feed of changes: what a client may ask for, and the JSON bodies of its events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from webapp.errors import InvalidRequest
from webapp.store.change_feeds import FeedCursor, FeedEvent
from webapp.store.changes import Change

MAX_WAIT_S = 3_600


def parse_after(raw: str) -> FeedCursor:
    """Parse the cursor that a client names as `after`. Raises `InvalidRequest`."""
    cursor = FeedCursor.parse(raw)
    if cursor is None:
        raise InvalidRequest(
            "after must be the id of an event of this feed.", param="after", code="bad_cursor"
        )
    return cursor


def parse_wait(query: Mapping[str, str]) -> int | None:
    """Return the seconds after which the response is to end; None: never. Raises `InvalidRequest`."""
    raw = query.get("wait_s")
    if raw is None:
        return None
    if not (raw.isascii() and raw.isdigit()) or int(raw[:9]) > MAX_WAIT_S:
        raise InvalidRequest(
            f"wait_s must be a number from 0 to {MAX_WAIT_S}.", param="wait_s", code="invalid_type"
        )
    return int(raw)


def event_body(event: FeedEvent) -> dict[str, Any]:
    """Return the JSON body of an event."""
    return {"resync": True} if event.change is None else {"change": _change_body(event.change)}


def event_message(event: FeedEvent) -> dict[str, Any]:
    """Return the WebSocket message of an event: its body, with its cursor as `id`."""
    body = event_body(event)
    return body if event.cursor is None else body | {"id": event.cursor.encode()}


def _change_body(change: Change) -> dict[str, Any]:
    if change.is_deleted:
        return {"id": change.id, "deleted": True}
    return {
        "id": change.id,
        "title": change.title,
        "leaf": change.leaf,
        "created_at": change.created_at,
        "updated_at": change.updated_at,
        "run": change.run,
        "documents": change.documents,
    }

"""Putting a whole conversation in, as its import has read it: all of it or nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, insert

from webapp.conversation import Message, fold
from webapp.offload import breathe
from webapp.store import images
from webapp.store.conversations import find
from webapp.store.images import StoredImage
from webapp.store.quota import check_owner
from webapp.store.rows import ROW_BYTES, Head, clean, now_ms, row_of
from webapp.store.schema import conversations, messages

_AT_ONCE = 200
_AT_ONCE_BYTES = 500_000
_encoded = msgspec.json.Encoder().encode


class ConversationExport(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation with all that belongs to it, checked, its ids new."""

    id: str
    title: str
    system: str | None
    leaf: str | None
    created_at: int
    messages: Sequence[Message]
    pictures: Sequence[StoredImage]

    @property
    def size_bytes(self) -> int:
        """What it takes of its owner's storage, roughly."""
        texts = sum(ROW_BYTES + len(_encoded(message)) for message in self.messages)
        texts += len((self.system or "").encode(errors="replace"))
        return texts + sum(len(picture.content) for picture in self.pictures)


def put_whole(connection: Connection, owner: str, whole: ConversationExport, owner_bytes: int) -> Head:
    """Insert a conversation for an owner who may keep `owner_bytes`. Raises `TooLarge` where there is no room."""
    check_owner(connection, owner, whole.size_bytes, owner_bytes, "body")
    title = clean(whole.title)
    connection.execute(
        insert(conversations).values(
            id=whole.id,
            owner=owner,
            title=title,
            folded=fold(title),
            system=whole.system and clean(whole.system),
            leaf=whole.leaf,
            created_at=whole.created_at,
            updated_at=now_ms(),
        )
    )
    images.put_all(connection, whole.id, whole.pictures)
    for rows in _grouped(whole):
        connection.execute(insert(messages), rows)
        breathe()
    check_owner(connection, owner, 0, owner_bytes, "body")  # now exactly
    return find(connection, owner, whole.id)


def _grouped(whole: ConversationExport) -> Iterator[list[dict[str, Any]]]:
    """Yield the messages' rows in groups that hold nobody up."""
    rows: list[dict[str, Any]] = []
    size = 0
    for message in whole.messages:
        rows.append(row_of(whole.id, message))
        size += rows[-1]["size"]
        if len(rows) >= _AT_ONCE or size >= _AT_ONCE_BYTES:
            yield rows
            rows, size = [], 0
    if rows:
        yield rows

"""Links that show one branch of a conversation to whoever has them. Only a token's digest is kept."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, delete, insert, select

from webapp.conversation import Message, branch
from webapp.errors import InvalidRequest, NotFound
from webapp.store.branches import all_of
from webapp.store.conversations import find
from webapp.store.pictures import Picture
from webapp.store.pictures import find as find_picture
from webapp.store.rows import Head, now_ms
from webapp.store.schema import messages, shares


class Shared(msgspec.Struct, frozen=True, kw_only=True):
    """What a link shows."""

    head: Head
    messages: Sequence[Message]


def share(connection: Connection, owner: str, conversation: str, leaf: str | None) -> str:
    """Make a link to the branch that ends at `leaf`, or at the present one; an earlier link ends.

    Raises `NotFound`, and `InvalidRequest` for a leaf that is not there.
    """
    head = find(connection, owner, conversation)
    shown = leaf or head.leaf
    table = messages.c
    known = connection.execute(
        select(table.id).where(table.conversation == conversation, table.id == (shown or ""))
    ).scalar()
    if known is None:
        raise InvalidRequest(
            "leaf must be a message of this conversation.", param="leaf", code="message_not_found"
        )
    revoke(connection, owner, conversation)
    token = secrets.token_urlsafe(16)
    connection.execute(
        insert(shares).values(
            token=_digest(token), conversation=conversation, owner=owner, leaf=known, created_at=now_ms()
        )
    )
    return token


def revoke(connection: Connection, owner: str, conversation: str) -> None:
    """End the link of a conversation, if it has one. Raises `NotFound`."""
    find(connection, owner, conversation)
    connection.execute(delete(shares).where(shares.c.conversation == conversation, shares.c.owner == owner))


def shared_since(connection: Connection, owner: str, conversation: str) -> int | None:
    """Tell when the link of a conversation was made; None without one."""
    chosen = select(shares.c.created_at).where(shares.c.conversation == conversation, shares.c.owner == owner)
    found: int | None = connection.execute(chosen).scalar()
    return found


def shown(connection: Connection, token: str) -> Shared:
    """Read what a link shows: one branch, as it is now. Raises `NotFound`."""
    row = connection.execute(select(shares).where(shares.c.token == _digest(token))).one_or_none()
    if row is None:
        raise _no_link()
    try:
        head = find(connection, row.owner, row.conversation)
    except NotFound:  # it was deleted, and may come back
        raise _no_link() from None
    every = {message.id: message for message in all_of(connection, row.owner, row.conversation)}
    names = branch({name: message.parent for name, message in every.items()}, row.leaf)
    return Shared(head=head, messages=[every[name] for name in names])


def shown_picture(connection: Connection, token: str, image: str) -> Picture:
    """Read an image of the branch that a link shows, and of no other. Raises `NotFound`."""
    found = shown(connection, token)
    if not any(piece.image == image for message in found.messages for piece in message.images):
        raise _no_link()
    row = connection.execute(select(shares).where(shares.c.token == _digest(token))).one()
    return find_picture(connection, row.owner, row.conversation, image)


def _no_link() -> NotFound:
    return NotFound("There is nothing here, or it is not shared any more.", code="share_not_found")


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()

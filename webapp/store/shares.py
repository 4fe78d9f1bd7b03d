"""Links that show one branch of a conversation to whoever has them.

Only a token's digest is kept. The token itself follows from the server's secret and from what is shared, so that its
owner can be told it again.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, delete, insert, select

from webapp.conversation import Message, branch
from webapp.errors import InvalidRequest, NotFound
from webapp.store.branches import all_of
from webapp.store.conversations import find
from webapp.store.images import StoredImage
from webapp.store.images import find as find_picture
from webapp.store.rows import Head, now_ms
from webapp.store.schema import messages, shares

_TOKEN_BYTES = 16


class Shared(msgspec.Struct, frozen=True, kw_only=True):
    """What a link shows."""

    head: Head
    messages: Sequence[Message]


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """A link as its owner knows it. Without a token: it was made with another secret, and goes on working."""

    token: str | None
    leaf: str
    shared_at: int


def share(connection: Connection, owner: str, conversation: str, leaf: str | None, secret: str) -> Link:
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
    earlier = shared_since(connection, owner, conversation) or 0
    revoke(connection, owner, conversation)
    shared_at = max(now_ms(), earlier + 1)  # each link has another time, and so another token
    token = _token(secret, conversation, known, shared_at)
    connection.execute(
        insert(shares).values(
            token=_digest(token), conversation=conversation, owner=owner, leaf=known, created_at=shared_at
        )
    )
    return Link(token=token, leaf=known, shared_at=shared_at)


def link(connection: Connection, owner: str, conversation: str, secret: str) -> Link | None:
    """Tell the link of a conversation again; None where it has none. Raises `NotFound`."""
    find(connection, owner, conversation)
    chosen = select(shares).where(shares.c.conversation == conversation, shares.c.owner == owner)
    row = connection.execute(chosen).one_or_none()
    if row is None:
        return None
    token = _token(secret, conversation, row.leaf, row.created_at)
    is_ours = hmac.compare_digest(_digest(token), row.token)
    return Link(token=token if is_ours else None, leaf=row.leaf, shared_at=row.created_at)


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


def shown_picture(connection: Connection, token: str, image: str) -> StoredImage:
    """Read an image of the branch that a link shows, and of no other. Raises `NotFound`."""
    found = shown(connection, token)
    if not any(piece.image == image for message in found.messages for piece in message.images):
        raise _no_link()
    row = connection.execute(select(shares).where(shares.c.token == _digest(token))).one()
    return find_picture(connection, row.owner, row.conversation, image)


def _no_link() -> NotFound:
    return NotFound("There is nothing here, or it is not shared any more.", code="share_not_found")


def _token(secret: str, conversation: str, leaf: str, shared_at: int) -> str:
    said = f"share {conversation} {leaf} {shared_at}".encode()
    raw = hmac.new(secret.encode(), said, hashlib.sha256).digest()[:_TOKEN_BYTES]
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()

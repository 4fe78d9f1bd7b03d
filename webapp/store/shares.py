"""Share links: each shows one branch of a conversation to everybody who has the link.

Only the token's digest is stored. The token is computed from the server's secret and the shared branch, so the owner
can see the link again.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, delete, insert, select

from webapp.conversation import Message, find_branch
from webapp.errors import InvalidRequest, NotFound
from webapp.store.branches import load_messages
from webapp.store.conversations import find
from webapp.store.documents import (
    DocumentPart,
    StoredDocument,
    document_not_found,
    find_document,
    list_documents,
    read_part,
)
from webapp.store.images import StoredImage
from webapp.store.images import find as find_image
from webapp.store.rows import ConversationHead, now_ms
from webapp.store.schema import messages, shares

_TOKEN_BYTES = 16


class SharedBranch(msgspec.Struct, frozen=True, kw_only=True):
    """The branch that a share link shows."""

    head: ConversationHead
    messages: Sequence[Message]
    documents: Sequence[StoredDocument]


class ShareLink(msgspec.Struct, frozen=True, kw_only=True):
    """A link as its owner sees it. `token` is None for a link that was made with another secret; it still works."""

    token: str | None
    leaf: str
    shared_at: int


def create_link(
    connection: Connection, owner: str, conversation: str, leaf: str | None, secret: str
) -> ShareLink:
    """Create a link to the branch that ends at `leaf`, by default the current one; it replaces an earlier link.

    Raises `NotFound`, and `InvalidRequest` for an unknown leaf.
    """
    head = find(connection, owner, conversation)
    shared_leaf = leaf or head.leaf
    table = messages.c
    leaf_id = connection.execute(
        select(table.id).where(table.conversation == conversation, table.id == (shared_leaf or ""))
    ).scalar()
    if leaf_id is None:
        raise InvalidRequest(
            "leaf must be a message of this conversation.", param="leaf", code="message_not_found"
        )
    earlier = find_shared_at(connection, owner, conversation) or 0
    remove_link(connection, owner, conversation)
    shared_at = max(now_ms(), earlier + 1)  # a new time makes a new token
    token = _token(secret, conversation, leaf_id, shared_at)
    connection.execute(
        insert(shares).values(
            token=_digest(token), conversation=conversation, owner=owner, leaf=leaf_id, created_at=shared_at
        )
    )
    return ShareLink(token=token, leaf=leaf_id, shared_at=shared_at)


def find_link(connection: Connection, owner: str, conversation: str, secret: str) -> ShareLink | None:
    """Return the link of a conversation; None if it has none. Raises `NotFound` for an unknown conversation."""
    find(connection, owner, conversation)
    query = select(shares).where(shares.c.conversation == conversation, shares.c.owner == owner)
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    token = _token(secret, conversation, row.leaf, row.created_at)
    is_own_secret = hmac.compare_digest(_digest(token), row.token)
    return ShareLink(token=token if is_own_secret else None, leaf=row.leaf, shared_at=row.created_at)


def remove_link(connection: Connection, owner: str, conversation: str) -> None:
    """Delete the link of a conversation, if it has one. Raises `NotFound` for an unknown conversation."""
    find(connection, owner, conversation)
    connection.execute(delete(shares).where(shares.c.conversation == conversation, shares.c.owner == owner))


def find_shared_at(connection: Connection, owner: str, conversation: str) -> int | None:
    """Return when the link of a conversation was created, in milliseconds since 1970; None without a link."""
    query = select(shares.c.created_at).where(shares.c.conversation == conversation, shares.c.owner == owner)
    found: int | None = connection.execute(query).scalar()
    return found


def load_shared(connection: Connection, token: str) -> SharedBranch:
    """Load the branch that a link shows, in its current version. Raises `NotFound`."""
    row = connection.execute(select(shares).where(shares.c.token == _digest(token))).one_or_none()
    if row is None:
        raise _link_not_found()
    try:
        head = find(connection, row.owner, row.conversation)
    except NotFound:  # deleted, and may be restored
        raise _link_not_found() from None
    messages_by_id = {
        message.id: message for message in load_messages(connection, row.owner, row.conversation)
    }
    message_ids = find_branch(
        {message_id: message.parent for message_id, message in messages_by_id.items()}, row.leaf
    )
    attached = list_documents(connection, conversation=row.conversation)
    return SharedBranch(
        head=head,
        messages=[messages_by_id[message_id] for message_id in message_ids],
        documents=[document for document in attached if document.created_at <= row.created_at],
    )


def load_shared_image(connection: Connection, token: str, image: str) -> StoredImage:
    """Load an image of the branch that a link shows. Raises `NotFound`, also for an image of another branch."""
    found = load_shared(connection, token)
    if not any(ref.image == image for message in found.messages for ref in message.images):
        raise _link_not_found()
    row = connection.execute(select(shares).where(shares.c.token == _digest(token))).one()
    return find_image(connection, row.owner, row.conversation, image)


def read_shared_part(
    connection: Connection, token: str, document: str, at: int, page: int | None
) -> DocumentPart:
    """Return a part of a document of the conversation that a link shows, see `documents.read_part`.

    Raises `NotFound`, also for a document that was added after the link was made.
    """
    row = connection.execute(select(shares).where(shares.c.token == _digest(token))).one_or_none()
    if row is None:
        raise _link_not_found()
    found = find_document(connection, row.owner, (), document)
    if found.conversation != row.conversation or found.created_at > row.created_at:
        raise document_not_found()
    return read_part(connection, found, at, page)


def _link_not_found() -> NotFound:
    return NotFound("This link does not exist or is no longer shared.", code="share_not_found")


def _token(secret: str, conversation: str, leaf: str, shared_at: int) -> str:
    text = f"share {conversation} {leaf} {shared_at}".encode()
    raw = hmac.new(secret.encode(), text, hashlib.sha256).digest()[:_TOKEN_BYTES]
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()

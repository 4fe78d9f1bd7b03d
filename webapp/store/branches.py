"""Reading messages: all of a conversation, or the branch that the next question stands on."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, select

from webapp.conversation import MOST_IMAGES_TOLD, Message, branch
from webapp.errors import Conflict, InvalidRequest, NotFound
from webapp.offload import breathe
from webapp.store.conversations import not_found
from webapp.store.rows import message_of, told_of
from webapp.store.schema import conversations, images, messages

_AT_ONCE = 500  # names in one statement
_MOST_TOLD = 2_000  # messages, the newest: as many as a request without a conversation may hold
_AT_LEAF = msgspec.UNSET
_TOLD = tuple(messages.c[name] for name in ("id", "parent", "role", "content", "created_at", "state"))


class Branch(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a conversation when somebody asks on: the messages down to a place.

    `images` holds base64 by digest, of the newest only. `at` is the last message's id, None at a root.
    """

    conversation: str
    system: str | None
    at: str | None
    messages: Sequence[Message]
    images: dict[str, str]


def all_of(connection: Connection, owner: str, conversation: str) -> list[Message]:
    """Read all messages of a conversation, the oldest first; the caller has found it by its owner."""
    chosen = (
        select(messages)
        .join(conversations, conversations.c.id == messages.c.conversation)
        .where(messages.c.conversation == conversation, conversations.c.owner == owner)
        .order_by(messages.c.created_at, messages.c.id)
    )
    found: list[Message] = []
    for row in connection.execute(chosen):
        found.append(message_of(row))
        if len(found) % _AT_ONCE == 0:
            breathe()
    return found


def conversation_of(connection: Connection, owner: str, message: str) -> str:
    """Find the conversation that a message of this owner is in. Raises `NotFound`."""
    chosen = (
        select(messages.c.conversation)
        .join(conversations, conversations.c.id == messages.c.conversation)
        .where(messages.c.id == message, conversations.c.owner == owner, conversations.c.deleted_at.is_(None))
        .limit(1)
    )
    found: str | None = connection.execute(chosen).scalar()
    if found is None:
        raise NotFound("There is no such message.", param="continue", code="message_not_found")
    return found


def read(
    connection: Connection,
    owner: str,
    conversation: str,
    at: str | msgspec.UnsetType | None,
    run: str,
    param: str = "parent",
) -> Branch | None:
    """Read the branch down to `at`: a message, None for before the first, unset for the leaf.

    None where there is no such conversation yet. Raises `NotFound` for somebody else's and for a deleted one,
    `Conflict` where `run` has been a message of it already, and `InvalidRequest` for an unknown message.
    """
    row = connection.execute(select(conversations).where(conversations.c.id == conversation)).one_or_none()
    if row is None:
        return None
    if row.owner != owner or row.deleted_at is not None:
        raise not_found()
    chosen = select(messages.c.id, messages.c.parent).where(messages.c.conversation == conversation)
    parents = {found.id: found.parent for found in connection.execute(chosen)}
    if run in parents:
        raise Conflict(
            "This run has ended: its answer is in the conversation.", param="run", code="run_ended"
        )
    if at is _AT_LEAF:
        at = row.leaf if row.leaf in parents else None
    elif at is not None and at not in parents:
        raise InvalidRequest(
            f"{param} must be a message of this conversation.", param=param, code="message_not_found"
        )
    found_messages = _named(connection, conversation, branch(parents, at)[-_MOST_TOLD:])
    return Branch(
        conversation=conversation,
        system=row.system,
        at=at,
        messages=found_messages,
        images=_images(connection, conversation, found_messages),
    )


def _named(connection: Connection, conversation: str, names: Sequence[str]) -> list[Message]:
    found: dict[str, Message] = {}
    for first in range(0, len(names), _AT_ONCE):
        some = names[first : first + _AT_ONCE]
        chosen = select(*_TOLD).where(messages.c.conversation == conversation, messages.c.id.in_(some))
        found |= {row.id: told_of(row) for row in connection.execute(chosen)}
        breathe()
    return [found[name] for name in names]


def _images(connection: Connection, conversation: str, told: Sequence[Message]) -> dict[str, str]:
    """Read the newest images of a branch, as many as a model is told."""
    names = [piece.image for message in reversed(told) for piece in reversed(message.images)]
    wanted = list(dict.fromkeys(names))[:MOST_IMAGES_TOLD]
    if not wanted:
        return {}
    chosen = select(images.c.id, images.c.content).where(
        images.c.conversation == conversation, images.c.id.in_(wanted)
    )
    return {row.id: base64.b64encode(row.content).decode() for row in connection.execute(chosen)}

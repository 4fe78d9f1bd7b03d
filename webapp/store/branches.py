"""Load messages: all of a conversation, or only the branch that a new question continues."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, exists, select

from webapp.conversation import (
    MAX_REQUEST_IMAGES,
    Message,
    find_branch,
    find_newest_leaf,
    from_first_question,
)
from webapp.errors import Conflict, InvalidRequest, NotFound
from webapp.offload import yield_control
from webapp.store.conversations import conversation_not_found
from webapp.store.rows import MESSAGE_COLUMNS, parse_message, parse_prompt_message
from webapp.store.schema import conversations, documents, images, messages

_BATCH = 500  # ids in one statement, or rows between two pauses
MAX_MESSAGES = 2_000  # the newest: as many as a request without a conversation may contain
_AT_LEAF = msgspec.UNSET
_PROMPT_COLUMNS = tuple(
    messages.c[name] for name in ("id", "parent", "role", "content", "created_at", "state", "sources")
)


class Branch(msgspec.Struct, frozen=True, kw_only=True):
    """The messages of a conversation from a root down to `at`, for the prompt of the next answer.

    `images` maps digests to base64, for the newest images only. `at` is None for an empty branch. `sealed` is the reasoning
    that was stored with the message `at`, if that is an answer to continue.
    """

    conversation: str
    system: str | None
    at: str | None
    messages: Sequence[Message]
    images: dict[str, str]
    sealed: str | None = None
    has_documents: bool = False


def load_messages(connection: Connection, owner: str, conversation: str) -> list[Message]:
    """Load all messages of a conversation, the oldest first. The caller has checked that it exists."""
    query = (
        select(*MESSAGE_COLUMNS)
        .join(conversations, conversations.c.id == messages.c.conversation)
        .where(messages.c.conversation == conversation, conversations.c.owner == owner)
        .order_by(messages.c.created_at, messages.c.id)
    )
    found: list[Message] = []
    for row in connection.execute(query):
        found.append(parse_message(row))
        if len(found) % _BATCH == 0:
            yield_control()
    return found


def list_streaming(
    connection: Connection, begun_from_ms: int, begun_to_ms: int, limit: int
) -> list[tuple[str, str, str]]:
    """Return owner, conversation and id of the answers of all owners that are stored as in progress, the oldest first."""
    query = (
        select(conversations.c.owner, conversations.c.id, messages.c.id.label("message"))
        .join(messages, messages.c.conversation == conversations.c.id)
        .where(messages.c.state == "streaming", messages.c.created_at.between(begun_from_ms, begun_to_ms))
        .order_by(messages.c.created_at)
        .limit(limit)
    )
    return [(row.owner, row.id, row.message) for row in connection.execute(query)]


def find_conversation_id(connection: Connection, owner: str, message: str) -> str:
    """Return the id of the owner's conversation that contains a message. Raises `NotFound`."""
    query = (
        select(messages.c.conversation)
        .join(conversations, conversations.c.id == messages.c.conversation)
        .where(messages.c.id == message, conversations.c.owner == owner, conversations.c.deleted_at.is_(None))
        .limit(1)
    )
    found: str | None = connection.execute(query).scalar()
    if found is None:
        raise NotFound("There is no such message.", param="continue", code="message_not_found")
    return found


def find_message(connection: Connection, owner: str, conversation: str, message: str) -> Message | None:
    """Return a message of the owner's conversation; None if it is not stored."""
    query = (
        select(*MESSAGE_COLUMNS)
        .join(conversations, conversations.c.id == messages.c.conversation)
        .where(
            messages.c.conversation == conversation, messages.c.id == message, conversations.c.owner == owner
        )
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else parse_message(row)


def load_branch(
    connection: Connection,
    owner: str,
    conversation: str,
    at: str | msgspec.UnsetType | None,
    run: str,
    *,
    continues: bool = False,
    at_leaf: bool = False,
) -> Branch | None:
    """Load the branch down to `at`: a message id, None for an empty branch, unset for the conversation's leaf.

    `continues` is whether `at` is an answer to continue. With `at_leaf`, load the branch down to the newest message below `at`.

    Returns None for a conversation that does not exist yet. Raises `NotFound` for another owner's and for a deleted
    one, `Conflict` if it contains the answer of `run` already, and `InvalidRequest` for an unknown message.
    """
    has_documents = exists().where(documents.c.conversation == conversation)
    row = connection.execute(
        select(conversations, has_documents.label("has_documents")).where(conversations.c.id == conversation)
    ).one_or_none()
    if row is None:
        return None
    if row.owner != owner or row.deleted_at is not None:
        raise conversation_not_found()
    query = select(messages.c.id, messages.c.parent).where(messages.c.conversation == conversation)
    if at_leaf:
        query = query.order_by(messages.c.created_at, messages.c.id)
    parents = {found.id: found.parent for found in connection.execute(query)}
    if run in parents:
        raise Conflict(
            "This run has ended: its answer is in the conversation.", param="run", code="run_ended"
        )
    if at is _AT_LEAF:
        at = row.leaf if row.leaf in parents else None
    elif at is not None and at not in parents:
        param = "continue" if continues else "parent"
        raise InvalidRequest(
            f"{param} must be a message of this conversation.", param=param, code="message_not_found"
        )
    if at_leaf and isinstance(at, str):
        at = find_newest_leaf(parents.items(), at)
    path = find_branch(parents, at)
    branch_messages = _load_by_id(connection, conversation, path[-MAX_MESSAGES:])
    if len(path) > MAX_MESSAGES:
        branch_messages = from_first_question(branch_messages)
    return Branch(
        conversation=conversation,
        system=row.system,
        at=at,
        messages=branch_messages,
        images=_load_images(connection, conversation, branch_messages),
        sealed=load_sealed(connection, conversation, at) if continues else None,
        has_documents=bool(row.has_documents),
    )


def _load_by_id(connection: Connection, conversation: str, message_ids: Sequence[str]) -> list[Message]:
    found: dict[str, Message] = {}
    for first in range(0, len(message_ids), _BATCH):
        batch = message_ids[first : first + _BATCH]
        query = select(*_PROMPT_COLUMNS).where(
            messages.c.conversation == conversation, messages.c.id.in_(batch)
        )
        found |= {row.id: parse_prompt_message(row) for row in connection.execute(query)}
        yield_control()
    return [found[message_id] for message_id in message_ids]


def load_sealed(connection: Connection, conversation: str, message: str | None) -> str | None:
    """Return the reasoning that is stored with an answer that was cut off; see `RunResult`."""
    query = select(messages.c.sealed).where(messages.c.conversation == conversation, messages.c.id == message)
    found: str | None = connection.execute(query).scalar()
    return found


def _load_images(
    connection: Connection, conversation: str, branch_messages: Sequence[Message]
) -> dict[str, str]:
    """Load the newest images of a branch, as many as a model gets, as base64 by id."""
    newest_first = [ref.image for message in reversed(branch_messages) for ref in reversed(message.images)]
    image_ids = list(dict.fromkeys(newest_first))[:MAX_REQUEST_IMAGES]
    if not image_ids:
        return {}
    query = select(images.c.id, images.c.content).where(
        images.c.conversation == conversation, images.c.id.in_(image_ids)
    )
    return {row.id: base64.b64encode(row.content).decode() for row in connection.execute(query)}

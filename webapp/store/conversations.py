"""Conversations by their owner: listing, searching, finding, changing, deleting and taking that back."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, and_, delete, exists, or_, select, tuple_, update

from webapp.conversation import fold, leaf_below
from webapp.errors import InvalidRequest, NotFound
from webapp.store.rows import Head, clean, head_of, now_ms
from webapp.store.schema import conversations, messages

MOST_LISTED = 100
_KEPT_DELETED_MS = 30 * 24 * 3600 * 1000  # for so long a deletion can be taken back

_HEAD = (
    conversations.c.id,
    conversations.c.title,
    conversations.c.system,
    conversations.c.leaf,
    conversations.c.created_at,
    conversations.c.updated_at,
)
Place = tuple[int, str]


def owned(owner: str, conversation: str) -> ColumnElement[bool]:
    """Say which row is meant: nobody else's, and not a deleted one."""
    table = conversations.c
    return and_(table.id == conversation, table.owner == owner, table.deleted_at.is_(None))


def find(connection: Connection, owner: str, conversation: str) -> Head:
    """Find one; raises `NotFound` also for somebody else's and for a deleted one."""
    row = connection.execute(select(*_HEAD).where(owned(owner, conversation))).one_or_none()
    if row is None:
        raise not_found()
    return head_of(row)


def not_found() -> NotFound:
    """Say that it is not there, or not yours."""
    return NotFound("There is no such conversation.", param="conversation", code="conversation_not_found")


def listed(
    connection: Connection, owner: str, *, limit: int, after: Place | None = None, search: str = ""
) -> Sequence[Head]:
    """List an owner's conversations, the last changed first, from a place on; `search` holds all words."""
    table = conversations.c
    chosen = select(*_HEAD).where(table.owner == owner, table.deleted_at.is_(None))
    if after is not None:
        chosen = chosen.where(tuple_(table.updated_at, table.id) < tuple_(*after))
    for word in fold(search).split():
        held = f"%{_escaped(word)}%"
        inside = exists().where(
            messages.c.conversation == table.id, messages.c.folded.like(held, escape="\\")
        )
        chosen = chosen.where(or_(table.folded.like(held, escape="\\"), inside))
    chosen = chosen.order_by(table.updated_at.desc(), table.id.desc()).limit(limit)
    return [head_of(row) for row in connection.execute(chosen)]


def change(connection: Connection, owner: str, conversation: str, changes: dict[str, str | None]) -> Head:
    """Change title, system or leaf. Raises `NotFound`, and `InvalidRequest` for a leaf that is not there.

    A leaf that has children stands for the newest message beneath it.
    """
    find(connection, owner, conversation)
    values: dict[str, object] = {"updated_at": now_ms()}
    if (title := changes.get("title")) is not None:
        values |= {"title": clean(title), "folded": fold(clean(title))}
    if "system" in changes:
        system = changes["system"]
        values["system"] = clean(system) if system else None
    if (leaf := changes.get("leaf")) is not None:
        values["leaf"] = _deepest(connection, conversation, leaf)
    connection.execute(update(conversations).where(owned(owner, conversation)).values(values))
    return find(connection, owner, conversation)


def remove(connection: Connection, owner: str, conversation: str) -> None:
    """Delete one so that it can be taken back, and for good what this owner deleted long ago."""
    now = now_ms()
    table = conversations.c
    done = connection.execute(update(conversations).where(owned(owner, conversation)).values(deleted_at=now))
    if not done.rowcount:
        raise not_found()
    connection.execute(
        delete(conversations).where(table.owner == owner, table.deleted_at < now - _KEPT_DELETED_MS)
    )


def restore(connection: Connection, owner: str, conversation: str) -> Head:
    """Take a deletion back; of one that is not deleted nothing changes."""
    table = conversations.c
    connection.execute(
        update(conversations).where(table.id == conversation, table.owner == owner).values(deleted_at=None)
    )
    return find(connection, owner, conversation)


def _deepest(connection: Connection, conversation: str, leaf: str) -> str:
    table = messages.c
    chosen = select(table.id, table.parent).where(table.conversation == conversation)
    nodes = [(row.id, row.parent) for row in connection.execute(chosen.order_by(table.created_at, table.id))]
    if leaf not in {name for name, _ in nodes}:
        raise InvalidRequest(
            "leaf must be a message of this conversation.", param="leaf", code="message_not_found"
        )
    return leaf_below(nodes, leaf)


def _escaped(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")

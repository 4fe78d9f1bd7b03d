"""Queries on conversations by owner: list, search, find, change, delete and restore."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, and_, delete, exists, or_, select, tuple_, update

from webapp.conversation import find_newest_leaf, fold
from webapp.errors import InvalidRequest, NotFound
from webapp.store import changes
from webapp.store.rows import ConversationHead, clean_text, now_ms, parse_head, upsert
from webapp.store.schema import conversations, messages

MAX_LISTED = 100
_RESTORABLE_MS = 30 * 24 * 3600 * 1000  # a deleted conversation can be restored for so long

_HEAD_COLUMNS = (
    conversations.c.id,
    conversations.c.title,
    conversations.c.system,
    conversations.c.leaf,
    conversations.c.created_at,
    conversations.c.updated_at,
)
PageKey = tuple[int, str]
"""`updated_at` and id of the last conversation of a page; the next page begins after it."""


def owned(owner: str, conversation: str) -> ColumnElement[bool]:
    """Return the SQL condition for one conversation of this owner that is not deleted."""
    table = conversations.c
    return and_(table.id == conversation, table.owner == owner, table.deleted_at.is_(None))


def find(connection: Connection, owner: str, conversation: str) -> ConversationHead:
    """Load a conversation's head. Raises `NotFound`, also for another owner's and for a deleted one."""
    row = connection.execute(select(*_HEAD_COLUMNS).where(owned(owner, conversation))).one_or_none()
    if row is None:
        raise conversation_not_found()
    return parse_head(row)


def conversation_not_found() -> NotFound:
    """Return the error for a conversation that does not exist or belongs to another owner."""
    return NotFound("There is no such conversation.", param="conversation", code="conversation_not_found")


def list_page(
    connection: Connection, owner: str, *, limit: int, after: PageKey | None = None, search: str = ""
) -> Sequence[ConversationHead]:
    """List an owner's conversations, the last changed first. With `search`, only those that contain all its words."""
    table = conversations.c
    query = select(*_HEAD_COLUMNS).where(table.owner == owner, table.deleted_at.is_(None))
    if after is not None:
        query = query.where(tuple_(table.updated_at, table.id) < tuple_(*after))
    for word in fold(search).split():
        pattern = f"%{_escape_like(word)}%"
        in_message = exists().where(
            messages.c.conversation == table.id, messages.c.folded.like(pattern, escape="\\")
        )
        query = query.where(or_(table.folded.like(pattern, escape="\\"), in_message))
    query = query.order_by(table.updated_at.desc(), table.id.desc()).limit(limit)
    return [parse_head(row) for row in connection.execute(query)]


def open_or_create(connection: Connection, owner: str, conversation: str, title: str) -> None:
    """Create a conversation without a question, unless there is one. Raises `NotFound` for another owner's or a deleted one.

    The title is for the time until the first question.
    """
    now, title = now_ms(), clean_text(title)
    row = {"id": conversation, "owner": owner, "title": title, "folded": fold(title)}
    upsert(connection, conversations, [row | {"created_at": now, "updated_at": now}])
    find(connection, owner, conversation)


def change(
    connection: Connection, owner: str, conversation: str, patch: dict[str, str | None]
) -> ConversationHead:
    """Change title, system or leaf. Raises `NotFound`, and `InvalidRequest` for an unknown leaf.

    A leaf that has children is replaced by the newest message below it.
    """
    find(connection, owner, conversation)
    values: dict[str, object] = {"updated_at": now_ms()}
    if (title := patch.get("title")) is not None:
        values |= {"title": clean_text(title), "folded": fold(clean_text(title))}
    if "system" in patch:
        system = patch["system"]
        values["system"] = clean_text(system) if system else None
    if (leaf := patch.get("leaf")) is not None:
        values["leaf"] = _find_leaf(connection, conversation, leaf)
    connection.execute(update(conversations).where(owned(owner, conversation)).values(values))
    changes.record(connection, [(owner, conversation)])
    return find(connection, owner, conversation)


def remove(connection: Connection, owner: str, conversation: str) -> None:
    """Mark a conversation as deleted, and erase those that this owner deleted more than 30 days ago."""
    now = now_ms()
    table = conversations.c
    done = connection.execute(update(conversations).where(owned(owner, conversation)).values(deleted_at=now))
    if not done.rowcount:
        raise conversation_not_found()
    changes.record(connection, [(owner, conversation)])
    erased = connection.execute(
        delete(conversations).where(table.owner == owner, table.deleted_at < now - _RESTORABLE_MS)
    )
    if erased.rowcount:
        changes.record_erasure(connection, [owner])


def restore(connection: Connection, owner: str, conversation: str) -> ConversationHead:
    """Undo a deletion of the last 30 days; a conversation that is not deleted stays as it is. Raises `NotFound`."""
    table = conversations.c
    is_recent = table.deleted_at >= now_ms() - _RESTORABLE_MS
    restored = connection.execute(
        update(conversations)
        .where(table.id == conversation, table.owner == owner, is_recent)
        .values(deleted_at=None)
    )
    if restored.rowcount:
        changes.record(connection, [(owner, conversation)])
    return find(connection, owner, conversation)


def purge(connection: Connection, limit: int) -> int:
    """Erase conversations of any owner that can no longer be restored, `limit` at most; return how many."""
    table = conversations.c
    expired = select(table.id, table.owner).where(table.deleted_at < now_ms() - _RESTORABLE_MS).limit(limit)
    rows = connection.execute(expired).all()
    if rows:
        connection.execute(delete(conversations).where(table.id.in_([row.id for row in rows])))
        changes.record_erasure(connection, [row.owner for row in rows])
    return len(rows)


def purge_older(connection: Connection, owners: str, before_ms: int, limit: int) -> int:
    """Erase conversations that have not changed since, of the owners that begin with `owners`, `limit` at most; return how many."""
    table = conversations.c
    is_old = and_(table.owner.startswith(owners, autoescape=True), table.updated_at < before_ms)
    rows = connection.execute(select(table.id, table.owner).where(is_old).limit(limit)).all()
    if rows:
        connection.execute(delete(conversations).where(table.id.in_([row.id for row in rows])))
        changes.record_erasure(connection, [row.owner for row in rows])
    return len(rows)


def _find_leaf(connection: Connection, conversation: str, start: str) -> str:
    table = messages.c
    query = select(table.id, table.parent).where(table.conversation == conversation)
    nodes = [(row.id, row.parent) for row in connection.execute(query.order_by(table.created_at, table.id))]
    if start not in {message_id for message_id, _ in nodes}:
        raise InvalidRequest(
            "leaf must be a message of this conversation.", param="leaf", code="message_not_found"
        )
    return find_newest_leaf(nodes, start)


def _escape_like(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")

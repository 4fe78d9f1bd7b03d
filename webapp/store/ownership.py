"""Owners of conversations and documents: count, list and move what they have, and rename the owners of version 0.1.

Version 0.1 named the owner of a bearer token's conversations `key:` and 32 digits of the token's plain digest. The
password's owner becomes the one user; the others become `token:` and a keyed digest, and `freshet users adopt` can
move their conversations to the user.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence

import msgspec
from sqlalchemy import Connection, func, select, update
from sqlalchemy.engine import CursorResult

from webapp.store import changes
from webapp.store.documents import move_documents
from webapp.store.rows import now_ms, upsert
from webapp.store.schema import conversations, moves, shares

_LEGACY_PREFIX = "key:"
_LEGACY_OWNER = re.compile(r"key:[0-9a-f]{32}")


class OwnerSummary(msgspec.Struct, frozen=True, kw_only=True):
    """The number of an owner's conversations, and the last change of any, in milliseconds since 1970."""

    owner: str
    conversations: int
    updated_at: int


def count_conversations(connection: Connection, owner: str) -> int:
    """Return the number of an owner's conversations, without deleted ones."""
    table = conversations.c
    query = select(func.count()).where(table.owner == owner, table.deleted_at.is_(None))
    return int(connection.execute(query).scalar() or 0)


def list_owners(connection: Connection, except_for: str) -> Sequence[OwnerSummary]:
    """List all owners except one, the most recently changed first."""
    table = conversations.c
    newest = func.max(table.updated_at)
    query = (
        select(table.owner, func.count().label("number"), newest.label("newest"))
        .where(table.owner != except_for)
        .group_by(table.owner)
        .order_by(newest.desc())
    )
    return [
        OwnerSummary(owner=row.owner, conversations=row.number, updated_at=row.newest)
        for row in connection.execute(query)
    ]


def move(connection: Connection, source: str, target: str) -> int:
    """Transfer everything of `source` to `target`; return the number of conversations."""
    connection.execute(update(shares).where(shares.c.owner == source).values(owner=target))
    moved: CursorResult[object] = connection.execute(
        update(conversations).where(conversations.c.owner == source).values(owner=target, changed=0)
    )
    move_documents(connection, source, target)
    record = {"source": source, "target": target, "created_at": now_ms()}
    upsert(connection, moves, [record], update=("target", "created_at"))
    changes.record_move(connection, source, target)
    return moved.rowcount


def find_move_target(connection: Connection, source: str, since_ms: int = 0) -> str | None:
    """Return the owner that everything of `source` moved to since a time; None if it was not moved."""
    query = select(moves.c.target).where(moves.c.source == source, moves.c.created_at >= since_ms)
    found: str | None = connection.execute(query).scalar()
    return found


def rename_legacy_owners(
    connection: Connection, password: str | None, user: str, keyed: Callable[[str], str], idle_ms: int = 0
) -> bool:
    """Rename the owners of version 0.1; `keyed` computes a keyed digest. Idempotent.

    Owners with a conversation that changed within `idle_ms` are skipped, because a server of that version may still
    be writing to it. Returns whether all are renamed.
    """
    table = conversations.c
    query = select(table.owner, func.max(table.updated_at).label("newest")).where(
        table.owner.startswith(_LEGACY_PREFIX, autoescape=True)
    )
    password_owner = None if password is None else _legacy_owner(password)
    done = True
    for row in connection.execute(query.group_by(table.owner)).all():
        if not _LEGACY_OWNER.fullmatch(row.owner):
            continue
        if idle_ms and row.newest > now_ms() - idle_ms:
            done = False
            continue
        target = user if row.owner == password_owner else f"token:{keyed(row.owner)}"
        for changed in (shares, conversations):
            connection.execute(update(changed).where(changed.c.owner == row.owner).values(owner=target))
    return done


def _legacy_owner(token: str) -> str:
    return _LEGACY_PREFIX + hashlib.sha256(token.encode()).hexdigest()[:32]

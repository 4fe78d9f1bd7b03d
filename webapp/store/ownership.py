"""Whose things are whose: counting them, moving them from one owner to another, and the names of version 0.1.

That version named the owner of what a bearer token stored by a plain digest of the token, `key:` and 32 digits. The
password's becomes the one user's; the others become `token:` and a keyed digest, which `freshet users adopt` moves.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence

import msgspec
from sqlalchemy import Connection, func, select, update
from sqlalchemy.engine import CursorResult

from webapp.store.rows import now_ms, put
from webapp.store.schema import conversations, moves, shares

_FORMER = "key:"
_FORMER_NAME = re.compile(r"key:[0-9a-f]{32}")


class Holding(msgspec.Struct, frozen=True, kw_only=True):
    """What an owner has: how many conversations, and when the last one changed, in milliseconds since 1970."""

    owner: str
    conversations: int
    updated_at: int


def count(connection: Connection, owner: str) -> int:
    """Return how many conversations an owner has, deleted ones left out."""
    table = conversations.c
    chosen = select(func.count()).where(table.owner == owner, table.deleted_at.is_(None))
    return int(connection.execute(chosen).scalar() or 0)


def holdings(connection: Connection, but: str) -> Sequence[Holding]:
    """List the owners but one, those whose conversations changed last first."""
    table = conversations.c
    newest = func.max(table.updated_at)
    chosen = (
        select(table.owner, func.count().label("number"), newest.label("newest"))
        .where(table.owner != but)
        .group_by(table.owner)
        .order_by(newest.desc())
    )
    return [
        Holding(owner=row.owner, conversations=row.number, updated_at=row.newest)
        for row in connection.execute(chosen)
    ]


def move(connection: Connection, source: str, target: str) -> int:
    """Transfer all that belongs to `source` to `target`; returns how many conversations that were."""
    connection.execute(update(shares).where(shares.c.owner == source).values(owner=target))
    moved: CursorResult[object] = connection.execute(
        update(conversations).where(conversations.c.owner == source).values(owner=target)
    )
    note = {"source": source, "target": target, "created_at": now_ms()}
    put(connection, moves, [note], update=("target", "created_at"))
    return moved.rowcount


def moved_to(connection: Connection, source: str, since_ms: int = 0) -> str | None:
    """Return who has got an owner's things since a time; None where they were not moved."""
    chosen = select(moves.c.target).where(moves.c.source == source, moves.c.created_at >= since_ms)
    found: str | None = connection.execute(chosen).scalar()
    return found


def rename_former(
    connection: Connection, password: str | None, user: str, keyed: Callable[[str], str], idle_ms: int = 0
) -> bool:
    """Replace the plain digests of version 0.1; `keyed` makes a keyed digest. May be done any number of times.

    Owners with a conversation that changed within `idle_ms` are left for later, because a server of that version may
    be writing to it; returns whether all are done.
    """
    table = conversations.c
    chosen = select(table.owner, func.max(table.updated_at).label("newest")).where(
        table.owner.startswith(_FORMER, autoescape=True)
    )
    known = None if password is None else _former_name(password)
    done = True
    for row in connection.execute(chosen.group_by(table.owner)).all():
        if not _FORMER_NAME.fullmatch(row.owner):
            continue
        if idle_ms and row.newest > now_ms() - idle_ms:
            done = False
            continue
        target = user if row.owner == known else f"token:{keyed(row.owner)}"
        for changed in (shares, conversations):
            connection.execute(update(changed).where(changed.c.owner == row.owner).values(owner=target))
    return done


def _former_name(token: str) -> str:
    return _FORMER + hashlib.sha256(token.encode()).hexdigest()[:32]

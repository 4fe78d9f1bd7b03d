"""The numbered changes of an owner's conversations: recorded in the transaction that makes them, read by the feed.

An owner's counter is incremented under its row's lock, which is held until the transaction ends. So numbers become
visible in their order, also with several servers, and a reader that has seen one has seen all below it.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Sequence

import msgspec
from sqlalchemy import Connection, Update, func, select, update

from webapp.store.rows import upsert
from webapp.store.schema import change_counters, conversations, documents, messages

MAX_CHANGES = 100  # read at once; a reader that has missed more reloads
_OWNERS_KEY = "freshet_changed"  # in `Connection.info`
_BATCH = 500  # owners in one statement


class ChangeCounter(msgspec.Struct, frozen=True, kw_only=True):
    """How far an owner's changes are numbered.

    `tag` is random: numbers of another database or owner have another one. A reader whose number is below `oldest`
    cannot be told all that it has missed, such as conversations that belong to another owner now.
    """

    tag: str = "0"
    last: int = 0
    oldest: int = 0


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """The state of a conversation that has changed. Several that changed in one transaction have the same number.

    `run` is the run that answers at its leaf, as far as the database knows; `documents` is how many it has.
    """

    number: int
    id: str
    title: str
    leaf: str | None
    created_at: int
    updated_at: int
    is_deleted: bool
    run: str | None
    documents: int


def record(connection: Connection, changed: Iterable[tuple[str, str]]) -> None:
    """Number the changes of these (owner, conversation) pairs: the last step of a transaction.

    The owners' counters are locked in order and after all other rows, so that no two transactions wait for each other.
    """
    by_owner: dict[str, set[str]] = {}
    for owner, conversation in changed:
        by_owner.setdefault(owner, set()).add(conversation)
    for owner, ids in sorted(by_owner.items()):
        number = _next_number(connection, owner)
        condition = conversations.c.id.in_(sorted(ids))
        connection.execute(update(conversations).where(condition).values(changed=number))


def record_move(connection: Connection, source: str, target: str) -> None:
    """Make all readers of both owners reload, after everything of `source` has moved to `target`, with number 0."""
    for owner in sorted({source, target}):
        number = _next_number(connection, owner)
        connection.execute(_update_counter(owner).values(oldest=number))


def record_erasure(connection: Connection, owners: Collection[str]) -> None:
    """Note that rows of these owners were erased: a reader that has not seen their deletion cannot be told of it."""
    for owner in sorted(set(owners)):
        connection.execute(_update_counter(owner).values(oldest=change_counters.c.last))


def take_changed_owners(connection: Connection) -> Collection[str]:
    """Return the owners whose changes were recorded on this connection since the last call."""
    owners: set[str] = connection.info.pop(_OWNERS_KEY, set())
    return owners


def read_counters(connection: Connection, owners: Sequence[str]) -> dict[str, ChangeCounter]:
    """Return the owners' counters; an owner whose conversations never changed has none."""
    found: dict[str, ChangeCounter] = {}
    for first in range(0, len(owners), _BATCH):
        query = select(change_counters).where(change_counters.c.owner.in_(owners[first : first + _BATCH]))
        for row in connection.execute(query):
            found[row.owner] = ChangeCounter(tag=row.tag, last=row.last, oldest=row.oldest)
    return found


def read_counter(connection: Connection, owner: str) -> ChangeCounter:
    """Return one owner's counter."""
    return read_counters(connection, [owner]).get(owner, ChangeCounter())


def read_changes(connection: Connection, owner: str, after: int) -> list[Change]:
    """Return what changed after a number, the last change first; at most `MAX_CHANGES` and one more."""
    table = conversations.c
    attached = select(func.count()).where(documents.c.conversation == table.id).scalar_subquery()
    query = (
        select(
            table.changed,
            table.id,
            table.title,
            table.leaf,
            table.created_at,
            table.updated_at,
            table.deleted_at,
            messages.c.state,
            attached.label("documents"),
        )
        .outerjoin(messages, (messages.c.conversation == table.id) & (messages.c.id == table.leaf))
        .where(table.owner == owner, table.changed > after)
        .order_by(table.changed.desc())
        .limit(MAX_CHANGES + 1)
    )
    return [
        Change(
            number=row.changed,
            id=row.id,
            title=row.title,
            leaf=row.leaf,
            created_at=row.created_at,
            updated_at=row.updated_at,
            is_deleted=row.deleted_at is not None,
            run=row.leaf if row.state == "streaming" else None,
            documents=row.documents,
        )
        for row in connection.execute(query)
    ]


def _next_number(connection: Connection, owner: str) -> int:
    """Increment and return an owner's counter, which stays locked until the transaction ends."""
    counter = {"owner": owner, "tag": secrets.token_hex(4), "last": 0, "oldest": 0}
    upsert(connection, change_counters, [counter])
    table = change_counters.c
    connection.execute(_update_counter(owner).values(last=table.last + 1))
    number = connection.execute(select(table.last).where(table.owner == owner)).scalar_one()
    connection.info.setdefault(_OWNERS_KEY, set()).add(owner)
    return int(number)


def _update_counter(owner: str) -> Update:
    return update(change_counters).where(change_counters.c.owner == owner)

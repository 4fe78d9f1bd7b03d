"""Messages and conversations as rows, and back."""

from __future__ import annotations

import time
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, cast

import msgspec
from sqlalchemy import Connection, Row, Table
from sqlalchemy.dialects import postgresql, sqlite

from webapp.chat import Usage
from webapp.conversation import Message, Piece, fold

ROW_BYTES = 300  # what a message takes besides its texts, roughly
_MOST_FOLDED_CHARS = 100_000  # of a message, what a search looks into
_READ_CONTENT = msgspec.json.Decoder(tuple[Piece, ...]).decode
_READ_USAGE = msgspec.json.Decoder(Usage).decode


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation without its messages; times are milliseconds since 1970."""

    id: str
    title: str
    system: str | None
    leaf: str | None
    created_at: int
    updated_at: int


def now_ms() -> int:
    """The time, as it is stored."""
    return int(time.time() * 1000)


def clean(text: str) -> str:
    """Make a text that both databases take: no NUL, no half of a surrogate pair."""
    if "\x00" in text:
        text = text.replace("\x00", "\ufffd")
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode(errors="replace").decode()
    return text


def head_of(row: Row[*tuple[Any, ...]]) -> Head:
    """Read a conversation's row."""
    return Head(
        id=row.id,
        title=row.title,
        system=row.system,
        leaf=row.leaf,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def message_of(row: Row[*tuple[Any, ...]]) -> Message:
    """Read a message's row."""
    return Message(
        id=row.id,
        parent=row.parent,
        role=row.role,
        content=_READ_CONTENT(row.content),
        created_at=row.created_at,
        state=row.state,
        reasoning=row.reasoning,
        provider=row.provider,
        model=row.model,
        usage=None if row.usage is None else _READ_USAGE(row.usage),
        cost=None if row.cost is None else Decimal(row.cost),
        finish_reason=row.finish_reason,
        error=row.error,
        thought_ms=row.thought_ms,
    )


def told_of(row: Row[*tuple[Any, ...]]) -> Message:
    """Read as much of a message's row as a model is told."""
    return Message(
        id=row.id,
        parent=row.parent,
        role=row.role,
        content=_READ_CONTENT(row.content),
        created_at=row.created_at,
        state=row.state,
    )


def row_of(conversation: str, message: Message) -> dict[str, Any]:
    """Write a message's row."""
    row = {
        "conversation": conversation,
        "id": message.id,
        "parent": message.parent,
        "role": message.role,
        "content": clean(msgspec.json.encode(message.content).decode()),
        "folded": fold(clean(message.text)[:_MOST_FOLDED_CHARS])[:_MOST_FOLDED_CHARS],
        "reasoning": clean(message.reasoning),
        "state": message.state,
        "provider": message.provider and clean(message.provider),
        "model": message.model and clean(message.model),
        "usage": None if message.usage is None else msgspec.json.encode(message.usage).decode(),
        "cost": None if message.cost is None else f"{message.cost:f}",
        "finish_reason": message.finish_reason,
        "error": message.error and clean(message.error),
        "thought_ms": message.thought_ms,
        "created_at": message.created_at,
    }
    return row | {"size": _size_of(row)}


def _size_of(row: dict[str, Any]) -> int:
    """Weigh a row. What a search looks into is as large as the content, mostly, and counts where it is larger."""
    texts = {name: len(value.encode()) for name, value in row.items() if isinstance(value, str)}
    return ROW_BYTES + sum(texts.values()) - min(texts["folded"], texts["content"])


def put(
    connection: Connection, table: Table, rows: Iterable[dict[str, Any]], *, update: Iterable[str] = ()
) -> None:
    """Insert rows; where one is there already it stays, but for the columns in `update`."""
    make = cast(Any, postgresql if connection.dialect.name == "postgresql" else sqlite).insert
    statement = make(table)
    columns = list(update)
    keys = [column.name for column in table.primary_key]
    if columns:
        changes = {name: statement.excluded[name] for name in columns}
        statement = statement.on_conflict_do_update(index_elements=keys, set_=changes)
    else:
        statement = statement.on_conflict_do_nothing(index_elements=keys)
    values = list(rows)
    if values:
        connection.execute(statement, values)

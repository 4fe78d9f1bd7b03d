"""Convert messages and conversations to database rows and back."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Any, cast

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, Table
from sqlalchemy.dialects import postgresql, sqlite

from webapp.chat import Usage
from webapp.conversation import Message, StoredPart, fold
from webapp.events import Source
from webapp.store.schema import messages

ROW_BYTES = 300  # the size of a message besides its texts, roughly
_MAX_FOLDED_CHARS = 100_000  # of each message, the part that a search covers
MESSAGE_COLUMNS = tuple(
    column for column in messages.c if column.name not in ("sealed", "epoch")
)  # what `parse_message` reads
_decode_content = msgspec.json.Decoder(tuple[StoredPart, ...]).decode
_decode_usage = msgspec.json.Decoder(Usage).decode
_decode_sources = msgspec.json.Decoder(tuple[Source, ...]).decode


class ConversationHead(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation without its messages; times are milliseconds since 1970."""

    id: str
    title: str
    system: str | None
    leaf: str | None
    created_at: int
    updated_at: int


def now_ms() -> int:
    """Return the time in milliseconds since 1970, as the tables store it."""
    return int(time.time() * 1000)


def clean_text(text: str) -> str:
    """Replace what a database cannot store: NUL (Postgres) and unpaired surrogates (both)."""
    if "\x00" in text:
        text = text.replace("\x00", "\ufffd")
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode(errors="replace").decode()
    return text


def parse_head(row: Row[*tuple[Any, ...]]) -> ConversationHead:
    """Convert a row of `conversations`."""
    return ConversationHead(
        id=row.id,
        title=row.title,
        system=row.system,
        leaf=row.leaf,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def parse_message(row: Row[*tuple[Any, ...]]) -> Message:
    """Convert a row of `messages` with `MESSAGE_COLUMNS`."""
    return Message(
        id=row.id,
        parent=row.parent,
        role=row.role,
        content=_decode_content(row.content),
        created_at=row.created_at,
        state=row.state,
        reasoning=row.reasoning,
        provider=row.provider,
        model=row.model,
        usage=None if row.usage is None else _decode_usage(row.usage),
        cost=None if row.cost is None else Decimal(row.cost),
        finish_reason=row.finish_reason,
        error=row.error,
        thought_ms=row.thought_ms,
        sources=() if row.sources is None else _decode_sources(row.sources),
    )


def parse_prompt_message(row: Row[*tuple[Any, ...]]) -> Message:
    """Convert only those columns of a row of `messages` that a prompt needs."""
    return Message(
        id=row.id,
        parent=row.parent,
        role=row.role,
        content=_decode_content(row.content),
        created_at=row.created_at,
        state=row.state,
        sources=() if row.sources is None else _decode_sources(row.sources),
    )


def message_to_row(
    conversation: str, message: Message, sealed: str | None = None, epoch: int = 0
) -> dict[str, Any]:
    """Build a row of `messages`. `sealed` and `epoch` are no part of a message, so that nobody who reads messages gets them."""
    row = {
        "conversation": conversation,
        "id": message.id,
        "parent": message.parent,
        "role": message.role,
        "content": clean_text(msgspec.json.encode(message.content).decode()),
        "folded": fold(clean_text(message.text)[:_MAX_FOLDED_CHARS])[:_MAX_FOLDED_CHARS],
        "reasoning": clean_text(message.reasoning),
        "state": message.state,
        "provider": message.provider and clean_text(message.provider),
        "model": message.model and clean_text(message.model),
        "usage": None if message.usage is None else msgspec.json.encode(message.usage).decode(),
        "cost": None if message.cost is None else f"{message.cost:f}",
        "finish_reason": message.finish_reason,
        "error": message.error and clean_text(message.error),
        "thought_ms": message.thought_ms,
        "sources": _encode_sources(message.sources),
        "sealed": sealed,
        "epoch": epoch,
        "created_at": message.created_at,
    }
    return row | {"size": _row_size(row)}


def _encode_sources(sources: Sequence[Source]) -> str | None:
    return clean_text(msgspec.json.encode(sources).decode()) if sources else None


def _row_size(row: dict[str, Any]) -> int:
    """Return the size of a row in bytes. `folded` is a copy of the content: only what it has in excess counts."""
    sizes = {name: len(value.encode()) for name, value in row.items() if isinstance(value, str)}
    return ROW_BYTES + sum(sizes.values()) - min(sizes["folded"], sizes["content"])


def upsert(
    connection: Connection, table: Table, rows: Iterable[dict[str, Any]], *, update: Iterable[str] = ()
) -> None:
    """Insert rows. A row that exists already stays as it is, except for the columns in `update`."""
    statement = insert_into(connection, table)
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


def upsert_newer(
    connection: Connection,
    table: Table,
    row: dict[str, Any],
    *,
    update: Iterable[str],
    is_newer: Callable[[Any], ColumnElement[bool]],
) -> bool:
    """Insert a row, or change the columns `update` of the one that exists; return whether anything was written.

    `is_newer` gets the new row's columns, and returns the condition for changing a row. The database checks it under the
    lock of the row, so that of two writers the one with the newer row wins in either order.
    """
    statement = insert_into(connection, table)
    statement = statement.on_conflict_do_update(
        index_elements=[column.name for column in table.primary_key],
        set_={name: statement.excluded[name] for name in update},
        where=is_newer(statement.excluded),
    )
    # Without the option SQLAlchemy does not keep an insertion's count, and a closed cursor of Postgres has none.
    return connection.execute(statement, row, execution_options={"preserve_rowcount": True}).rowcount > 0


def insert_into(connection: Connection, table: Table) -> Any:
    """Return an insertion that can say what becomes of a row that exists, in the database's dialect."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    return cast(Any, dialect).insert(table)

"""Which run answers in a chat of another program, which knows its own name for the chat alone."""

from __future__ import annotations

import hashlib

from sqlalchemy import Connection, delete, select

from webapp.store.rows import now_ms, upsert
from webapp.store.schema import chat_runs

_KEPT_MS = 24 * 3_600 * 1_000  # longer than any answer takes


def put(connection: Connection, owner: str | None, chat: str, run: str) -> None:
    """Note the newest run of an owner's chat, and forget old ones."""
    now = now_ms()
    connection.execute(delete(chat_runs).where(chat_runs.c.created_at < now - _KEPT_MS))
    row = {"name": _name(owner, chat), "run": run, "created_at": now}
    upsert(connection, chat_runs, [row], update=["run", "created_at"])


def find(connection: Connection, owner: str | None, chat: str) -> str | None:
    """Return the newest run of an owner's chat."""
    query = select(chat_runs.c.run).where(chat_runs.c.name == _name(owner, chat))
    return connection.execute(query).scalar()


def _name(owner: str | None, chat: str) -> str:
    return hashlib.sha256(f"{owner or ''}\0{chat}".encode()).hexdigest()

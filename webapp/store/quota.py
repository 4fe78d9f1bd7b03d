"""Storage quotas per owner and per conversation; all texts, images and documents count."""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, LargeBinary, cast, delete, func, select

from webapp.conversation import MAX_STORED_IMAGES
from webapp.errors import TooLarge
from webapp.store import changes
from webapp.store.images import StoredImage
from webapp.store.schema import conversations, documents, images, messages

_MIB = 1024 * 1024
# Of an export file; base64 turns three bytes of an image into four characters, and a document's size counts its text twice.
_ATTACHED_SHARE = 0.7
_CACHED_S = 30.0
_MAX_CACHED = 10_000


class StorageLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Storage limits: per owner, unless the caller's allowance has its own, and per exported conversation."""

    owner_bytes: int = 200 * _MIB
    file_bytes: int = 64 * _MIB


class QuotaCache:
    """The stored bytes of recent owners, so that not every question has to count them again."""

    def __init__(self) -> None:
        self._counts: OrderedDict[str, tuple[int, float]] = OrderedDict()
        self._lock = threading.Lock()

    def try_add(self, owner: str, size_bytes: int, owner_bytes: int) -> bool:
        """Add to an owner's cached count; False if there is none, it is too old, or the quota would be exceeded."""
        with self._lock:
            stored_bytes, counted_at = self._counts.get(owner, (0, -_CACHED_S))
            if time.monotonic() - counted_at >= _CACHED_S or stored_bytes + size_bytes > owner_bytes:
                return False
            self._counts[owner] = (stored_bytes + size_bytes, counted_at)
            return True

    def store(self, owner: str, stored_bytes: int) -> None:
        """Store a fresh count."""
        with self._lock:
            self._counts[owner] = (stored_bytes, time.monotonic())
            self._counts.move_to_end(owner)
            if len(self._counts) > _MAX_CACHED:
                self._counts.popitem(last=False)


def check_image_quota(
    connection: Connection, conversation: str, new: Sequence[StoredImage], limits: StorageLimits
) -> int:
    """Return how many bytes new images add to a conversation. Raises `TooLarge` if it cannot take them."""
    if not new:
        return 0
    query = select(images.c.id).where(images.c.conversation == conversation)
    known = set(connection.execute(query).scalars())
    fresh = {image.id: len(image.content) for image in new if image.id not in known}
    if not fresh:
        return 0
    added = sum(fresh.values())
    if len(known) + len(fresh) > MAX_STORED_IMAGES:
        raise _full("images")
    check_attachments(connection, conversation, limits, "images", added)
    return added


def check_attachments(
    connection: Connection, conversation: str, limits: StorageLimits, param: str, added: int = 0
) -> None:
    """Raise `TooLarge`, naming `param`, if a conversation's images and documents, and `added` bytes, fit into no export file."""
    sums = (
        select(func.sum(images.c.size)).where(images.c.conversation == conversation),
        select(func.sum(documents.c.size)).where(documents.c.conversation == conversation),
    )
    stored = sum(int(connection.execute(query).scalar() or 0) for query in sums)
    if stored + added > limits.file_bytes * _ATTACHED_SHARE:
        raise _full(param)


def _full(param: str) -> TooLarge:
    return TooLarge(
        f"This conversation cannot take more {param}. Start a new one.", param=param, code="conversation_full"
    )


def check_owner_quota(
    connection: Connection, owner: str, size_bytes: int, owner_bytes: int, param: str
) -> int:
    """Return an owner's stored bytes including `size_bytes` more. Raises `TooLarge` naming `param` beyond the quota.

    Deleted conversations are erased if the quota needs it. On Postgres the owner's other writers wait until the
    transaction ends.
    """
    if connection.dialect.name == "postgresql":
        key = int.from_bytes(hashlib.sha256(owner.encode()).digest()[:8], signed=True)
        connection.execute(select(func.pg_advisory_xact_lock(key)))
    stored_bytes = _count_bytes(connection, owner, with_deleted=False) + size_bytes
    if stored_bytes > owner_bytes:
        raise TooLarge(
            f"Your storage of {owner_bytes:,} bytes is full. "
            "Delete conversations that you do not need, then try again.",
            param=param,
            code="storage_full",
            limit=owner_bytes,
        )
    if _count_bytes(connection, owner, with_deleted=True) + size_bytes > owner_bytes:
        table = conversations.c
        connection.execute(delete(conversations).where(table.owner == owner, table.deleted_at.is_not(None)))
        changes.record_erasure(connection, [owner])
    return stored_bytes


def _count_bytes(connection: Connection, owner: str, *, with_deleted: bool) -> int:
    """Sum up an owner's texts, images and documents, including those of restorable conversations if `with_deleted`."""
    is_counted = [conversations.c.owner == owner]
    if not with_deleted:
        is_counted.append(conversations.c.deleted_at.is_(None))
    octets = _octet_length(connection)
    sums = (
        select(func.sum(images.c.size)).join(conversations).where(*is_counted),
        select(func.sum(messages.c.size)).join(conversations).where(*is_counted),
        select(func.sum(octets(conversations.c.title) + octets(conversations.c.system))).where(*is_counted),
        select(func.sum(documents.c.size)).join(conversations).where(*is_counted),
        select(func.sum(documents.c.size)).where(
            documents.c.owner == owner, documents.c.collection.is_not(None)
        ),
    )
    return sum(int(connection.execute(query).scalar() or 0) for query in sums)


def _octet_length(connection: Connection) -> Callable[[ColumnElement[Any]], ColumnElement[int]]:
    """Return the SQL function for the length of a text in bytes: SQLite's `length` counts a text's characters."""
    if connection.dialect.name == "postgresql":
        return lambda column: func.octet_length(func.coalesce(column, ""))
    return lambda column: func.length(cast(func.coalesce(column, ""), LargeBinary))

"""How much an owner and a conversation may take of the database: every text and every image counts."""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, LargeBinary, cast, delete, func, select

from webapp.conversation import MOST_IMAGES_KEPT
from webapp.errors import TooLarge
from webapp.store.images import StoredImage
from webapp.store.schema import conversations, images, messages

_MIB = 1024 * 1024
_IN_FILE = 0.7  # of a file that can be imported; base64 makes four characters of three bytes
_REMEMBERED_S = 30.0
_MOST_REMEMBERED = 10_000


class StorageLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What may be kept: of an owner whose caller has no other limit, and in a file of one conversation."""

    owner_bytes: int = 200 * _MIB
    file_bytes: int = 64 * _MIB


class Remembered:
    """What owners were seen to keep a moment ago, so that not every question must count it again."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, tuple[int, float]] = OrderedDict()
        self._lock = threading.Lock()

    def fits(self, owner: str, size_bytes: int, owner_bytes: int) -> bool:
        """Add to what an owner keeps, where that is known and there is room; False where it must be counted."""
        with self._lock:
            kept, at = self._kept.get(owner, (0, -_REMEMBERED_S))
            if time.monotonic() - at >= _REMEMBERED_S or kept + size_bytes > owner_bytes:
                return False
            self._kept[owner] = (kept + size_bytes, at)
            return True

    def counted(self, owner: str, kept: int) -> None:
        """Note what an owner keeps."""
        with self._lock:
            self._kept[owner] = (kept, time.monotonic())
            self._kept.move_to_end(owner)
            if len(self._kept) > _MOST_REMEMBERED:
                self._kept.popitem(last=False)


def check_images(
    connection: Connection, conversation: str, new: Sequence[StoredImage], limits: StorageLimits
) -> int:
    """See that a conversation has room for new images; returns what they add to it. Raises `TooLarge`."""
    if not new:
        return 0
    chosen = select(images.c.id, images.c.size).where(images.c.conversation == conversation)
    sizes = {row.id: row.size for row in connection.execute(chosen)}
    fresh = {image.id: len(image.content) for image in new if image.id not in sizes}
    added = sum(fresh.values())
    if fresh and (
        len(sizes) + len(fresh) > MOST_IMAGES_KEPT
        or sum(sizes.values()) + added > limits.file_bytes * _IN_FILE
    ):
        raise TooLarge(
            "This conversation holds as many images as one can: begin a new one.",
            param="images",
            code="conversation_full",
        )
    return added


def check_owner(connection: Connection, owner: str, size_bytes: int, owner_bytes: int, param: str) -> int:
    """See that an owner has room for so many bytes, letting go for good of what was deleted where that is needed.

    Returns what the owner keeps with them. Raises `TooLarge` that names `param`. On Postgres the owner's other writers
    wait until the transaction ends.
    """
    if connection.dialect.name == "postgresql":
        key = int.from_bytes(hashlib.sha256(owner.encode()).digest()[:8], signed=True)
        connection.execute(select(func.pg_advisory_xact_lock(key)))
    kept = _kept(connection, owner, deleted=False) + size_bytes
    if kept > owner_bytes:
        raise TooLarge(
            f"Your storage is full: {owner_bytes:,} bytes may be kept. "
            "Delete conversations that you do not need, then try again.",
            param=param,
            code="storage_full",
            limit=owner_bytes,
        )
    if _kept(connection, owner, deleted=True) + size_bytes > owner_bytes:
        table = conversations.c
        connection.execute(delete(conversations).where(table.owner == owner, table.deleted_at.is_not(None)))
    return kept


def _kept(connection: Connection, owner: str, *, deleted: bool) -> int:
    """Weigh what an owner keeps; with `deleted` also what could still be taken back."""
    mine = [conversations.c.owner == owner]
    if not deleted:
        mine.append(conversations.c.deleted_at.is_(None))
    octets = _octets_of(connection)
    sums = (
        select(func.sum(images.c.size)).join(conversations).where(*mine),
        select(func.sum(messages.c.size)).join(conversations).where(*mine),
        select(func.sum(octets(conversations.c.title) + octets(conversations.c.system))).where(*mine),
    )
    return sum(int(connection.execute(chosen).scalar() or 0) for chosen in sums)


def _octets_of(connection: Connection) -> Callable[[ColumnElement[Any]], ColumnElement[int]]:
    """Return how a text's bytes are counted here: `length` counts characters."""
    if connection.dialect.name == "postgresql":
        return lambda column: func.octet_length(func.coalesce(column, ""))
    return lambda column: func.length(cast(func.coalesce(column, ""), LargeBinary))

"""How much an owner and a conversation may take of the database. Images weigh more than all words, so they are weighed."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, delete, func, select

from webapp.conversation import MOST_IMAGES_KEPT
from webapp.errors import TooLarge
from webapp.store.pictures import Picture
from webapp.store.schema import conversations, images, messages

_MIB = 1024 * 1024
_IN_FILE = 0.7  # of a file that can be imported; base64 makes four characters of three bytes


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What may be kept: of one owner, and in a file of one conversation, which is to come back whole."""

    owner_bytes: int = 200 * _MIB
    file_bytes: int = 64 * _MIB


def check(
    connection: Connection, owner: str, conversation: str, new: Sequence[Picture], limits: Limits
) -> None:
    """See that new images have room. Raises `TooLarge`."""
    chosen = select(images.c.id, images.c.size).where(images.c.conversation == conversation)
    sizes = {row.id: row.size for row in connection.execute(chosen)}
    fresh = {image.id: len(image.content) for image in new if image.id not in sizes}
    if not fresh:
        return
    weight = sum(fresh.values())
    if (
        len(sizes) + len(fresh) > MOST_IMAGES_KEPT
        or sum(sizes.values()) + weight > limits.file_bytes * _IN_FILE
    ):
        raise TooLarge(
            "This conversation holds as many images as one can: begin a new one.",
            param="images",
            code="conversation_full",
        )
    check_owner(connection, owner, weight, limits, "images")


def check_owner(connection: Connection, owner: str, weight: int, limits: Limits, param: str) -> None:
    """See that an owner has room for so many bytes. Raises `TooLarge` that names `param`."""
    if _kept(connection, owner, deleted=False) + weight > limits.owner_bytes:
        raise TooLarge(
            "You keep as much as you may here: delete conversations that you do not need, then try again.",
            param=param,
            code="storage_full",
        )


def clear(connection: Connection, owner: str, weight: int, limits: Limits) -> None:
    """Let go for good of what an owner has deleted, where its room is needed."""
    if _kept(connection, owner, deleted=True) + weight <= limits.owner_bytes:
        return
    table = conversations.c
    connection.execute(delete(conversations).where(table.owner == owner, table.deleted_at.is_not(None)))


def _kept(connection: Connection, owner: str, *, deleted: bool) -> int:
    """Weigh what an owner keeps; with `deleted` also what could still be taken back."""
    mine = [conversations.c.owner == owner]
    if not deleted:
        mine.append(conversations.c.deleted_at.is_(None))
    seen = select(func.sum(images.c.size)).join(conversations).where(*mine)
    said = (
        select(func.sum(func.length(messages.c.content) + func.length(messages.c.reasoning)))
        .join(conversations)
        .where(*mine)
    )
    return int(connection.execute(seen).scalar() or 0) + int(connection.execute(said).scalar() or 0)

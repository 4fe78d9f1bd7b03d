"""The images of a conversation, by the digest of their bytes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
from sqlalchemy import Connection, select

from webapp.conversation import ImageRef
from webapp.errors import NotFound
from webapp.store.conversations import owned
from webapp.store.rows import put
from webapp.store.schema import conversations, images


class StoredImage(msgspec.Struct, frozen=True, kw_only=True):
    """An image as it was sent; `id` is the SHA-256 of its bytes, and sizes are told where it was just read."""

    id: str
    media_type: str
    content: bytes
    width: int = 0
    height: int = 0

    @property
    def ref(self) -> ImageRef:
        """What a message says of it."""
        return ImageRef(image=self.id, media_type=self.media_type, width=self.width, height=self.height)


def find(connection: Connection, owner: str, conversation: str, image: str) -> StoredImage:
    """Read one; raises `NotFound` also for one in somebody else's conversation."""
    found = connection.execute(
        select(images.c.media_type, images.c.content)
        .join(conversations, conversations.c.id == images.c.conversation)
        .where(images.c.conversation == conversation, images.c.id == image, owned(owner, conversation))
    ).one_or_none()
    if found is None:
        raise NotFound("There is no such image.", param="image", code="image_not_found")
    return StoredImage(id=image, media_type=found.media_type, content=found.content)


def some(
    connection: Connection, owner: str, conversation: str, names: Sequence[str]
) -> dict[str, StoredImage]:
    """Read those of the named images that are there, by their names."""
    chosen = (
        select(images.c.id, images.c.media_type, images.c.content)
        .join(conversations, conversations.c.id == images.c.conversation)
        .where(images.c.conversation == conversation, images.c.id.in_(names), owned(owner, conversation))
    )
    return {
        row.id: StoredImage(id=row.id, media_type=row.media_type, content=row.content)
        for row in connection.execute(chosen)
    }


def all_of(connection: Connection, owner: str, conversation: str) -> list[StoredImage]:
    """Read all images of a conversation, for its export."""
    chosen = (
        select(images.c.id, images.c.media_type, images.c.content)
        .join(conversations, conversations.c.id == images.c.conversation)
        .where(images.c.conversation == conversation, owned(owner, conversation))
        .order_by(images.c.id)
    )
    return [
        StoredImage(id=row.id, media_type=row.media_type, content=row.content)
        for row in connection.execute(chosen)
    ]


def put_all(connection: Connection, conversation: str, pictures: Iterable[StoredImage]) -> None:
    """Keep images; the caller has seen to it that the conversation is its owner's."""
    put(
        connection,
        images,
        [
            {
                "conversation": conversation,
                "id": picture.id,
                "media_type": picture.media_type,
                "size": len(picture.content),
                "content": picture.content,
            }
            for picture in pictures
        ],
    )

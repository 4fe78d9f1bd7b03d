"""Queries on the images of a conversation, by the digest of their bytes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
from sqlalchemy import Connection, select

from webapp.conversation import ImageRef
from webapp.errors import NotFound
from webapp.store.conversations import owned
from webapp.store.rows import upsert
from webapp.store.schema import conversations, images


class StoredImage(msgspec.Struct, frozen=True, kw_only=True):
    """An image as it was uploaded. `id` is the SHA-256 of its bytes.

    Width and height are in pixels, and 0 for an image that was loaded from the database.
    """

    id: str
    media_type: str
    content: bytes
    width: int = 0
    height: int = 0

    @property
    def ref(self) -> ImageRef:
        """The reference to this image in a message."""
        return ImageRef(image=self.id, media_type=self.media_type, width=self.width, height=self.height)


def find(connection: Connection, owner: str, conversation: str, image: str) -> StoredImage:
    """Load an image. Raises `NotFound`, also for an image in another owner's conversation."""
    found = connection.execute(
        select(images.c.media_type, images.c.content)
        .join(conversations, conversations.c.id == images.c.conversation)
        .where(images.c.conversation == conversation, images.c.id == image, owned(owner, conversation))
    ).one_or_none()
    if found is None:
        raise NotFound("There is no such image.", param="image", code="image_not_found")
    return StoredImage(id=image, media_type=found.media_type, content=found.content)


def find_many(
    connection: Connection, owner: str, conversation: str, image_ids: Sequence[str]
) -> dict[str, StoredImage]:
    """Load the images with these ids, by id; unknown ids are left out."""
    query = (
        select(images.c.id, images.c.media_type, images.c.content)
        .join(conversations, conversations.c.id == images.c.conversation)
        .where(images.c.conversation == conversation, images.c.id.in_(image_ids), owned(owner, conversation))
    )
    return {
        row.id: StoredImage(id=row.id, media_type=row.media_type, content=row.content)
        for row in connection.execute(query)
    }


def load_all(connection: Connection, owner: str, conversation: str) -> list[StoredImage]:
    """Load all images of a conversation, for its export."""
    query = (
        select(images.c.id, images.c.media_type, images.c.content)
        .join(conversations, conversations.c.id == images.c.conversation)
        .where(images.c.conversation == conversation, owned(owner, conversation))
        .order_by(images.c.id)
    )
    return [
        StoredImage(id=row.id, media_type=row.media_type, content=row.content)
        for row in connection.execute(query)
    ]


def insert_missing(connection: Connection, conversation: str, new_images: Iterable[StoredImage]) -> None:
    """Insert the images that the conversation does not have yet. The caller has checked who owns it."""
    upsert(
        connection,
        images,
        [
            {
                "conversation": conversation,
                "id": image.id,
                "media_type": image.media_type,
                "size": len(image.content),
                "content": image.content,
            }
            for image in new_images
        ],
    )

"""The images of a request that starts a run: read from data URLs, loaded by their ids, counted and checked."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

import msgspec

from webapp.api import image_upload
from webapp.chat import ImagePart, ModelMessage
from webapp.errors import InvalidRequest
from webapp.store.images import StoredImage
from webapp.store.store import Store

_SHA256 = re.compile(r"[0-9a-f]{64}")  # the id of a stored image


def read_turn_image(field: str, url: str) -> StoredImage:
    """Return the image of a data URL; for the id of a stored image, one without content: see `load_images`.

    Raises `InvalidRequest` that names `field`.
    """
    if _SHA256.fullmatch(url):
        return StoredImage(id=url, media_type="", content=b"")
    media_type, content = image_upload.read_data_url(field, url)
    return StoredImage(id=hashlib.sha256(content).hexdigest(), media_type=media_type, content=content)


def load_images(
    store: Store, images: Sequence[StoredImage], conversation: str, owner: str
) -> list[StoredImage]:
    """Return checked images; those given only by id are loaded from the conversation. Waits for the database.

    Raises `InvalidRequest` for an unknown id, not `NotFound`, which clients take for an unknown run.
    """
    ids = [image.id for image in images if not image.content]
    stored = store.find_images(owner, conversation, ids) if ids else {}
    loaded: list[StoredImage] = []
    for index, image in enumerate(images):
        field = f"images[{index}]"
        full = image if image.content else stored.get(image.id)
        if full is None:
            raise InvalidRequest(
                f"{field} is not the id of an image of this conversation: send it as a data URL.",
                param=field,
                code="image_not_found",
            )
        loaded.append(_checked_image(field, full))
    return loaded


def check_images(messages: Sequence[ModelMessage], limit: int, *, image_urls: bool) -> None:
    """Check that messages have at most `limit` images, and no URL of one unless `image_urls`: providers fetch any URL.

    Raises `InvalidRequest`.
    """
    count = 0
    for index, message in enumerate(messages):
        for part in message.parts:
            if not isinstance(part, ImagePart):
                continue
            count += 1
            if part.url and not image_urls:
                raise InvalidRequest(
                    "Image URLs are not allowed on this server: send the image as a data URL.",
                    param=f"messages[{index}].content",
                    code="image_url_not_allowed",
                )
            if count > limit:
                raise InvalidRequest(
                    f"A request may have at most {limit} images.",
                    param=f"messages[{index}].content",
                    code="too_many_images",
                )


def _checked_image(field: str, image: StoredImage) -> StoredImage:
    try:
        info = image_upload.check(image.content, image.media_type)
    except image_upload.BadImage as bad:
        raise InvalidRequest(f"{field} {bad.reason}.", param=field, code=bad.code) from None
    return msgspec.structs.replace(image, width=info.width, height=info.height)

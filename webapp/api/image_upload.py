"""Parses uploaded images: data URLs, base64, and the headers of PNG, JPEG, GIF and WebP files. No pixel is decoded.

Animated images are refused, because providers pick different frames of them.
"""

from __future__ import annotations

import base64
import re

import msgspec

from webapp.chat import ImagePart
from webapp.errors import InvalidRequest

MAX_IMAGE_BYTES = 2_000_000
MAX_SIDE_PIXELS = 8_000  # every provider accepts this
IMAGE_TYPES = ("image/png", "image/jpeg", "image/gif", "image/webp")
_DATA_URL = re.compile(r"data:([a-z]+/[a-z0-9.+-]+);base64,(.*)", re.DOTALL)


class BadImage(Exception):
    """An image that is refused; `reason` continues a sentence that starts with its field: "is …", "has …"."""

    def __init__(self, reason: str, code: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code


class ImageInfo(msgspec.Struct, frozen=True):
    """The header of an image file; sizes in pixels."""

    media_type: str
    width: int
    height: int
    animated: bool = False


def check(raw: bytes, declared_type: str | None = None) -> ImageInfo:
    """Parse an image's header and check it against the limits and the declared media type. Raises `BadImage`."""
    if len(raw) > MAX_IMAGE_BYTES:
        raise BadImage("is larger than 2 MB", "image_too_large")
    try:
        info = _read_header(raw)
    except (IndexError, ValueError):
        info = None
    if info is None or not (info.width and info.height):
        raise BadImage("is not a readable PNG, JPEG, GIF or WebP image", "bad_image")
    if declared_type is not None and declared_type != info.media_type:
        raise BadImage(f"is declared as {declared_type}, but is {info.media_type}", "bad_image")
    if max(info.width, info.height) > MAX_SIDE_PIXELS:
        raise BadImage(f"has more than {MAX_SIDE_PIXELS} pixels on a side", "image_too_large")
    if info.animated:
        raise BadImage("is animated: send a still image", "animated_image")
    return info


def _read_header(raw: bytes) -> ImageInfo | None:
    if raw.startswith(b"\x89PNG\r\n\x1a\n"):
        return _png(raw)
    if raw.startswith(b"\xff\xd8\xff"):
        return _jpeg(raw)
    if raw.startswith((b"GIF87a", b"GIF89a")):
        return _gif(raw)
    if raw[:4] == b"RIFF" and raw[8:12] == b"WEBP":
        return _webp(raw)
    return None


def _big_endian(raw: bytes, at: int, size: int) -> int:
    return int.from_bytes(_slice(raw, at, size), "big")


def _little_endian(raw: bytes, at: int, size: int) -> int:
    return int.from_bytes(_slice(raw, at, size), "little")


def _slice(raw: bytes, at: int, size: int) -> bytes:
    field = raw[at : at + size]
    if len(field) < size:
        raise ValueError("truncated")
    return field


def _png(raw: bytes) -> ImageInfo:
    """Parse a PNG; an `acTL` chunk before the image data marks an animation."""
    if raw[12:16] != b"IHDR":
        raise ValueError("no IHDR chunk")
    animated, at = False, 8
    while at + 8 <= len(raw):
        kind = raw[at + 4 : at + 8]
        if kind == b"IDAT":
            break
        animated = animated or kind == b"acTL"
        at += 12 + _big_endian(raw, at, 4)
    return ImageInfo("image/png", _big_endian(raw, 16, 4), _big_endian(raw, 20, 4), animated)


def _jpeg(raw: bytes) -> ImageInfo:
    """Parse a JPEG up to its start-of-frame segment, which has the size."""
    at = 2
    while True:
        while raw[at] != 0xFF:
            at += 1
        while raw[at] == 0xFF:
            at += 1
        marker = raw[at]
        at += 1
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return ImageInfo("image/jpeg", _big_endian(raw, at + 5, 2), _big_endian(raw, at + 3, 2))
        if marker in (0xD9, 0xDA):
            raise ValueError("no start-of-frame segment")
        if not (0xD0 <= marker <= 0xD8 or marker == 0x01):
            at += max(2, _big_endian(raw, at, 2))


def _gif(raw: bytes) -> ImageInfo:
    """Parse a GIF up to its second image, which makes it an animation."""
    width, height = _little_endian(raw, 6, 2), _little_endian(raw, 8, 2)
    flags = raw[10]
    at = 13 + (3 << ((flags & 7) + 1) if flags & 0x80 else 0)
    images = 0
    while at < len(raw) and raw[at] != 0x3B:
        if raw[at] == 0x2C:
            images += 1
            if images > 1:
                break
            flags = raw[at + 9]
            at += 10 + (3 << ((flags & 7) + 1) if flags & 0x80 else 0) + 1
        elif raw[at] == 0x21:
            at += 2
        else:
            raise ValueError("an unknown block")
        while raw[at]:
            at += 1 + raw[at]
        at += 1
    if not images:
        raise ValueError("no image")
    return ImageInfo("image/gif", width, height, images > 1)


def _webp(raw: bytes) -> ImageInfo:
    kind = raw[12:16]
    if kind == b"VP8X":
        return ImageInfo(
            "image/webp", _little_endian(raw, 24, 3) + 1, _little_endian(raw, 27, 3) + 1, bool(raw[20] & 0x02)
        )
    if kind == b"VP8L":
        bits = _little_endian(raw, 21, 4)
        return ImageInfo("image/webp", (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    if kind == b"VP8 ":
        return ImageInfo(
            "image/webp", _little_endian(raw, 26, 2) & 0x3FFF, _little_endian(raw, 28, 2) & 0x3FFF
        )
    raise ValueError("an unknown kind of WebP")


def read_data_url(field: str, url: str) -> tuple[str, bytes]:
    """Return the media type and the bytes of a data URL. Raises `InvalidRequest` that names `field`."""
    inline = _DATA_URL.fullmatch(url)
    if inline is None or inline[1] not in IMAGE_TYPES:
        raise InvalidRequest(
            f"{field} must be a data URL of type {', '.join(IMAGE_TYPES)}.", param=field, code="bad_image"
        )
    try:
        return inline[1], base64.b64decode(inline[2], validate=True)
    except ValueError:
        raise InvalidRequest(f"{field} is not valid base64.", param=field, code="bad_image") from None


def read_image(field: str, url: str | None, media_type: str | None, data: str | None) -> ImagePart:
    """Return the image of a message part: from a data URL, base64 with its media type, or an http URL.

    Raises `InvalidRequest` that names `field`.
    """
    inline = _DATA_URL.fullmatch(url or "")
    if inline:
        media_type, data, url = inline[1], inline[2], None
    if data is not None:
        if media_type not in IMAGE_TYPES:
            raise InvalidRequest(
                f"{field} must be an image of type {', '.join(IMAGE_TYPES)}.", param=field, code="bad_image"
            )
        try:
            image = base64.b64decode(data, validate=True)
        except ValueError:
            image = b""
        if not image:
            raise InvalidRequest(f"{field} is not valid base64.", param=field, code="bad_image")
        if len(image) > MAX_IMAGE_BYTES:
            raise InvalidRequest(
                f"{field} is larger than 2 MB: send a smaller image.", param=field, code="image_too_large"
            )
        return ImagePart(media_type=media_type, data=data)
    if url and url.startswith(("http://", "https://")):
        return ImagePart(url=url)
    raise InvalidRequest(
        f"{field} must have base64 data, a data URL or an http URL.", param=field, code="bad_image"
    )

"""Uploaded images: data URLs and base64, and what the header of a PNG, JPEG, GIF or WebP says. No pixel is decoded.

Animated images are refused, because each provider would see another frame of them.
"""

from __future__ import annotations

import base64
import re

import msgspec

from webapp.chat import ImagePart
from webapp.errors import InvalidRequest

MAX_IMAGE_BYTES = 2_000_000
MOST_PIXELS_A_SIDE = 8_000  # what every provider takes
IMAGE_TYPES = ("image/png", "image/jpeg", "image/gif", "image/webp")
_DATA_URL = re.compile(r"data:([a-z]+/[a-z0-9.+-]+);base64,(.*)", re.DOTALL)


class BadImage(Exception):
    """It is no image that can be taken; the message goes behind its name: "is …", "must …"."""

    def __init__(self, reason: str, code: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code


class ImageInfo(msgspec.Struct, frozen=True):
    """What an image says of itself; sizes in pixels."""

    media_type: str
    width: int
    height: int
    animated: bool = False


def check(raw: bytes, named: str | None = None) -> ImageInfo:
    """Read the facts and hold them to what may be sent; `named` is the type that the sender claims.

    Raises `BadImage`.
    """
    if len(raw) > MAX_IMAGE_BYTES:
        raise BadImage("is larger than 2 MB", "image_too_large")
    try:
        facts = _facts(raw)
    except (IndexError, ValueError):
        facts = None
    if facts is None or not (facts.width and facts.height):
        raise BadImage("is not a PNG, JPEG, GIF or WebP that can be read", "bad_image")
    if named is not None and named != facts.media_type:
        raise BadImage(f"says that it is {named}, but it is {facts.media_type}", "bad_image")
    if max(facts.width, facts.height) > MOST_PIXELS_A_SIDE:
        raise BadImage(f"has more than {MOST_PIXELS_A_SIDE} pixels on a side", "image_too_large")
    if facts.animated:
        raise BadImage("is animated: send one still picture", "animated_image")
    return facts


def _facts(raw: bytes) -> ImageInfo | None:
    if raw.startswith(b"\x89PNG\r\n\x1a\n"):
        return _png(raw)
    if raw.startswith(b"\xff\xd8\xff"):
        return _jpeg(raw)
    if raw.startswith((b"GIF87a", b"GIF89a")):
        return _gif(raw)
    if raw[:4] == b"RIFF" and raw[8:12] == b"WEBP":
        return _webp(raw)
    return None


def _big(raw: bytes, at: int, size: int) -> int:
    return int.from_bytes(_piece(raw, at, size), "big")


def _little(raw: bytes, at: int, size: int) -> int:
    return int.from_bytes(_piece(raw, at, size), "little")


def _piece(raw: bytes, at: int, size: int) -> bytes:
    piece = raw[at : at + size]
    if len(piece) < size:
        raise ValueError("it ends too soon")
    return piece


def _png(raw: bytes) -> ImageInfo:
    """Read the header; an `acTL` chunk before the picture makes it an animation."""
    if raw[12:16] != b"IHDR":
        raise ValueError("no header")
    animated, at = False, 8
    while at + 8 <= len(raw):
        kind = raw[at + 4 : at + 8]
        if kind == b"IDAT":
            break
        animated = animated or kind == b"acTL"
        at += 12 + _big(raw, at, 4)
    return ImageInfo("image/png", _big(raw, 16, 4), _big(raw, 20, 4), animated)


def _jpeg(raw: bytes) -> ImageInfo:
    """Find the segment that begins a frame: it holds the size."""
    at = 2
    while True:
        while raw[at] != 0xFF:
            at += 1
        while raw[at] == 0xFF:
            at += 1
        marker = raw[at]
        at += 1
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return ImageInfo("image/jpeg", _big(raw, at + 5, 2), _big(raw, at + 3, 2))
        if marker in (0xD9, 0xDA):
            raise ValueError("a picture without a size")
        if not (0xD0 <= marker <= 0xD8 or marker == 0x01):
            at += max(2, _big(raw, at, 2))


def _gif(raw: bytes) -> ImageInfo:
    """Count the pictures as far as the second."""
    width, height = _little(raw, 6, 2), _little(raw, 8, 2)
    flags = raw[10]
    at = 13 + (3 << ((flags & 7) + 1) if flags & 0x80 else 0)
    pictures = 0
    while at < len(raw) and raw[at] != 0x3B:
        if raw[at] == 0x2C:
            pictures += 1
            if pictures > 1:
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
    if not pictures:
        raise ValueError("no picture")
    return ImageInfo("image/gif", width, height, pictures > 1)


def _webp(raw: bytes) -> ImageInfo:
    kind = raw[12:16]
    if kind == b"VP8X":
        return ImageInfo("image/webp", _little(raw, 24, 3) + 1, _little(raw, 27, 3) + 1, bool(raw[20] & 0x02))
    if kind == b"VP8L":
        bits = _little(raw, 21, 4)
        return ImageInfo("image/webp", (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    if kind == b"VP8 ":
        return ImageInfo("image/webp", _little(raw, 26, 2) & 0x3FFF, _little(raw, 28, 2) & 0x3FFF)
    raise ValueError("an unknown form")


def read_data_url(place: str, url: str) -> tuple[str, bytes]:
    """Return the media type and the bytes of a data URL. Raises `InvalidRequest` that names `place`."""
    inline = _DATA_URL.fullmatch(url)
    if inline is None or inline[1] not in IMAGE_TYPES:
        raise InvalidRequest(
            f"{place} must be a data URL of one of {', '.join(IMAGE_TYPES)}", param=place, code="bad_image"
        )
    try:
        return inline[1], base64.b64decode(inline[2], validate=True)
    except ValueError:
        raise InvalidRequest(f"{place} is not base64", param=place, code="bad_image") from None


def read_image(place: str, url: str | None, media_type: str | None, data: str | None) -> ImagePart:
    """Return the image of a message part: from a data URL, base64 with its media type, or an http address.

    Raises `InvalidRequest` that names `place`.
    """
    inline = _DATA_URL.fullmatch(url or "")
    if inline:
        media_type, data, url = inline[1], inline[2], None
    if data is not None:
        if media_type not in IMAGE_TYPES:
            raise InvalidRequest(
                f"{place} must be one of {', '.join(IMAGE_TYPES)}", param=place, code="bad_image"
            )
        try:
            image = base64.b64decode(data, validate=True)
        except ValueError:
            image = b""
        if not image:
            raise InvalidRequest(f"{place} is not base64", param=place, code="bad_image")
        if len(image) > MAX_IMAGE_BYTES:
            raise InvalidRequest(f"{place} is larger than 2 MB", param=place, code="image_too_large")
        return ImagePart(media_type=media_type, data=data)
    if url and url.startswith(("http://", "https://")):
        return ImagePart(url=url)
    raise InvalidRequest(f"{place} must be data or an http address", param=place, code="bad_image")

"""The parsing of image headers, and the images that are refused."""

import struct
from contextlib import suppress

import pytest

from tests.store.people import png
from webapp.api.image_upload import MAX_IMAGE_BYTES, BadImage, check


def jpeg(width: int, height: int, marker: int = 0xC0) -> bytes:
    app0 = b"\xff\xe0" + struct.pack(">H", 16) + b"JFIF\0" + b"\0" * 9
    frame = bytes([0xFF, marker]) + struct.pack(">HBHHB", 11, 8, height, width, 1) + b"\x01\x11\x00"
    return b"\xff\xd8" + app0 + b"\xff" + frame + b"\xff\xda\0\x08" + b"\0" * 20 + b"\xff\xd9"


def gif(width: int, height: int, images: int = 1, *, palette: bool = True) -> bytes:
    flags = 0x80 if palette else 0
    head = b"GIF89a" + struct.pack("<HHBBB", width, height, flags, 0, 0) + (b"\0" * 6 if palette else b"")
    control = b"\x21\xf9\x04\0\0\0\0\0"
    image = control + b"\x2c" + struct.pack("<HHHHB", 0, 0, width, height, 0) + b"\x02\x02\x4c\x01\0"
    return head + image * images + b"\x3b"


def webp(kind: bytes, content: bytes) -> bytes:
    body = b"WEBP" + kind + struct.pack("<I", len(content)) + content
    return b"RIFF" + struct.pack("<I", len(body)) + body


LOSSY = webp(b"VP8 ", b"\0\0\0\x9d\x01\x2a" + struct.pack("<HH", 30, 40) + b"\0" * 8)
LOSSLESS = webp(b"VP8L", b"\x2f" + struct.pack("<I", 29 | 39 << 14) + b"\0" * 8)


def extended(flags: int) -> bytes:
    size = (29).to_bytes(3, "little") + (39).to_bytes(3, "little")
    return webp(b"VP8X", bytes([flags, 0, 0, 0]) + size)


GOOD = {
    "png": (png(30, 40), "image/png"),
    "jpeg": (jpeg(30, 40), "image/jpeg"),
    "progressive": (jpeg(30, 40, 0xC2), "image/jpeg"),
    "gif": (gif(30, 40), "image/gif"),
    "gif without a palette": (gif(30, 40, palette=False), "image/gif"),
    "lossy webp": (LOSSY, "image/webp"),
    "lossless webp": (LOSSLESS, "image/webp"),
    "extended webp": (extended(0x10), "image/webp"),
}


@pytest.mark.parametrize("name", GOOD)
def test_a_still_image_is_accepted(name: str) -> None:
    raw, media_type = GOOD[name]
    info = check(raw, media_type)
    assert (info.media_type, info.width, info.height, info.animated) == (media_type, 30, 40, False)


@pytest.mark.parametrize("name", GOOD)
def test_a_truncated_image_raises_nothing_but_bad_image(name: str) -> None:
    raw, media_type = GOOD[name]
    for size in range(len(raw)):
        with suppress(BadImage):
            check(raw[:size], media_type)


@pytest.mark.parametrize("raw", [gif(30, 40, 2), png(more=(b"acTL",)), extended(0x02)])
def test_an_animation_is_refused(raw: bytes) -> None:
    with pytest.raises(BadImage) as bad:
        check(raw)
    assert bad.value.code == "animated_image"


@pytest.mark.parametrize(
    "raw",
    [png(8_001, 1), png(1, 8_001), jpeg(9_000, 10), png(pad=MAX_IMAGE_BYTES), b"\0" * (MAX_IMAGE_BYTES + 1)],
)
def test_an_image_that_is_too_large_is_refused(raw: bytes) -> None:
    with pytest.raises(BadImage) as bad:
        check(raw)
    assert bad.value.code == "image_too_large"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%PDF-1.7",
        b"BM\0\0",
        png(0, 10),
        gif(30, 40, 0),
        b"GIF89a" + b"\xff" * 50,
        b"\xff\xd8\xff" + b"\xff" * 100,
        webp(b"EVIL", b"\0" * 30),
    ],
)
def test_a_file_that_is_not_an_image_is_refused(raw: bytes) -> None:
    with pytest.raises(BadImage) as bad:
        check(raw)
    assert bad.value.code == "bad_image"


def test_a_wrong_declared_type_is_refused() -> None:
    with pytest.raises(BadImage, match="is declared as image/gif"):
        check(png(), "image/gif")

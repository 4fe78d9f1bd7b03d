"""Generated images for tests: real ones that a browser decodes, and files that only have an image's header."""

import random
import struct
import zlib

_PNG = b"\x89PNG\r\n\x1a\n"
_GIF_HEAD = b"GIF89a\x01\0\x01\0\x80\0\0\xff\0\0\0\0\xff"
_GIF_FRAME = b"\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0"


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _png(width: int, height: int, rows: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return _PNG + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(rows, 1)) + _chunk(b"IEND", b"")


def plain(width: int = 120, height: int = 80, colour: tuple[int, int, int] = (11, 106, 117)) -> bytes:
    """Return a PNG of one colour."""
    return _png(width, height, (b"\0" + bytes(colour) * width) * height)


def noise(width: int, height: int) -> bytes:
    """Return a PNG that does not compress."""
    chance = random.Random(1)
    return _png(width, height, b"".join(b"\0" + chance.randbytes(3 * width) for _ in range(height)))


def hills(width: int = 640, height: int = 420, hue: int = 0) -> bytes:
    """Return a PNG of a landscape, for screenshots."""
    rows = bytearray()
    skies = [(214, 228, 235), (246, 226, 205), (224, 220, 240), (214, 236, 222)]
    lands = [(64, 110, 122), (150, 96, 70), (92, 84, 140), (58, 118, 84)]
    sky, land = skies[hue % 4], lands[hue % 4]
    for y in range(height):
        rows.append(0)
        for x in range(width):
            ridge = 0.45 + 0.12 * abs((x / width * 3 + hue * 0.37) % 1 - 0.5)
            near = 0.72 + 0.1 * abs((x / width * 2 + 0.3 + hue * 0.21) % 1 - 0.5)
            at = y / height
            if at > near:
                rows += bytes(part * 2 // 3 for part in land)
            elif at > ridge:
                rows += bytes(land)
            else:
                rows += bytes(min(255, int(part - 30 * (0.5 - at))) for part in sky)
    return _png(width, height, bytes(rows))


def gif(frames: int = 2) -> bytes:
    """Return a GIF with this many frames."""
    return _GIF_HEAD + _GIF_FRAME * frames + b"\x3b"


def claiming(width: int, height: int) -> bytes:
    """Return a small PNG whose header claims this size."""
    return _png(width, height, b"\0" * 1_000)

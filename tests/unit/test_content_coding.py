"""Compressed bodies, cut anywhere."""

import gzip
import zlib

import pytest

from webapp.providers.http.content_coding import BadCoding, ContentDecoder

CONTENT = b'data: {"choices":[{"delta":{"content":"Hello"}}]}\n\n' * 20


def deflated(bits: int) -> bytes:
    compressor = zlib.compressobj(wbits=bits)
    return compressor.compress(CONTENT) + compressor.flush()


BODIES = {
    "gzip": ("gzip", gzip.compress(CONTENT)),
    "members": ("GZIP", gzip.compress(CONTENT[:70]) + gzip.compress(CONTENT[70:])),
    "unnamed": ("", gzip.compress(CONTENT)),
    "deflate": ("deflate", deflated(15)),
    "raw": ("deflate", deflated(-15)),
    "not compressed": ("gzip", CONTENT),
    "identity": (" Identity ", CONTENT),
}


def decode(coding: str, pieces: list[bytes]) -> bytes:
    decoder = ContentDecoder(coding)
    content = b""
    for piece in pieces:
        content += decoder.decode(piece)
        while decoder.rest:
            content += decoder.decode(b"")
    return content


@pytest.mark.parametrize("name", BODIES)
def test_n12_a_body_is_decoded_at_every_cut(name: str) -> None:
    coding, body = BODIES[name]
    for at in range(len(body)):
        assert decode(coding, [body[:at], body[at:]]) == CONTENT
    assert decode(coding, [body[at : at + 1] for at in range(len(body))]) == CONTENT


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, br", "compress"])
def test_n12_another_coding_is_refused(coding: str) -> None:
    with pytest.raises(BadCoding):
        ContentDecoder(coding)


def test_n12_a_damaged_body_is_an_error() -> None:
    with pytest.raises(BadCoding):
        decode("gzip", [b"\x1f\x8b\x08\x00" + b"\xff" * 100])

"""Chunked transfer coding, split anywhere; RFC 9112, section 7.1."""

import pytest

from tests.unit.splits import Pieces, same_for_all_splits
from webapp.providers.http.chunked import BadChunk, ChunkedDecoder


def content(raw: bytes) -> tuple[bytes, bool]:
    """Return the content of a body, and whether it is complete."""

    def read(pieces: Pieces) -> tuple[bytes, bool]:
        decoder = ChunkedDecoder()
        return b"".join(decoder.decode(piece) for piece in pieces), decoder.ended

    return same_for_all_splits(read, raw)


def is_bad(raw: bytes) -> bool:
    def read(pieces: Pieces) -> bool:
        decoder = ChunkedDecoder()
        try:
            for piece in pieces:
                decoder.decode(piece)
        except BadChunk:
            return True
        return False

    return same_for_all_splits(read, raw)


def chunks(*pieces: bytes) -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (chunks(b"hello", b" world") + b"0\r\n\r\n", b"hello world"),
        (b"0\r\n\r\n", b""),
        (b"5;name=value\r\nhello\r\n0;last\r\n\r\n", b"hello"),
        (b"5 ; a\r\nhello\r\n0\r\n\r\n", b"hello"),
        (b"5   \r\nhello\r\n0\r\n\r\n", b"hello"),
        (b"A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n", b"0123456789" * 2),
        (b"0005\r\nhello\r\n000\r\n\r\n", b"hello"),
        (chunks(b"\r\n", b"\r", b"\n", b"0\r\n\r\n") + b"0\r\n\r\n", b"\r\n\r\n0\r\n\r\n"),
        (chunks(b"x") + b"0\r\nDigest: abc\r\nX: y\r\n\r\n", b"x"),
        (chunks("naïve 你好 👩‍🚀".encode()) + b"0\r\n\r\n", "naïve 你好 👩‍🚀".encode()),
        (chunks(b"x" * 300) + b"0\r\n\r\n", b"x" * 300),
    ],
)
def test_content_is_the_same_for_every_split(raw: bytes, expected: bytes) -> None:
    assert content(raw) == (expected, True)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (chunks(b"hello"), b"hello"),
        (b"5\r\nhel", b"hel"),
        (b"5\r\nhello\r", b"hello"),
        (chunks(b"hello") + b"0\r\n", b"hello"),
        (chunks(b"hello") + b"0\r\nX: y\r\n", b"hello"),
        (chunks(b"hello") + b"6", b"hello"),
        (b"", b""),
    ],
)
def test_a_body_without_its_last_chunk_has_not_ended(raw: bytes, expected: bytes) -> None:
    assert content(raw) == (expected, False)


def test_bytes_after_the_end_are_ignored() -> None:
    assert content(chunks(b"x") + b"0\r\n\r\n5\r\nhello\r\nnonsense") == (b"x", True)


@pytest.mark.parametrize("size", ["", "-1", "+1", "-0", "zz", "5 5", "1_0", " 5", "\t5", "0.5", "5g", ";a"])
def test_an_invalid_chunk_size_is_refused(size: str) -> None:
    assert is_bad(size.encode() + b"\r\nhello, hello, hello\r\n0\r\n\r\n")


def test_a_chunk_that_does_not_match_its_size_is_refused() -> None:
    assert is_bad(b"5\r\nhello!\r\n0\r\n\r\n")
    assert is_bad(b"5\r\nhelloX\n0\r\n\r\n")
    assert is_bad(b"5\r\nhello\rX0\r\n\r\n")
    assert is_bad(b"5\r\nhell\r\n0\r\n\r\n")


def test_long_lines_between_chunks_are_refused() -> None:
    longest = b"5;" + b"x" * 1022
    assert not is_bad(longest + b"\r\nhello\r\n0\r\n\r\n")
    assert is_bad(longest + b"x\r\nhello\r\n0\r\n\r\n")
    assert is_bad(b"0\r\nX: " + b"y" * 1024 + b"\r\n\r\n")
    assert is_bad(b"1" * 2000)


def test_an_incomplete_chunk_yields_its_content() -> None:
    decoder = ChunkedDecoder()
    assert decoder.decode(b"fffff\r\nabc") == b"abc"
    assert decoder.decode(b"def") == b"def"


def test_all_chunks_of_a_read_are_decoded_in_one_pass() -> None:
    assert ChunkedDecoder().decode(chunks(*[b"one"] * 500)) == b"one" * 500

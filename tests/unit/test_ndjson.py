"""NDJSON, split anywhere."""

import time

import pytest

from tests.unit.splits import Pieces, decoded, same_for_all_splits
from webapp.codecs.ndjson import LineDecoder
from webapp.codecs.sse import TooLong


def lines(raw: bytes) -> list[bytes]:
    return decoded(lambda: LineDecoder(64), raw)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b'{"a":1}\n{"b":2}\n', [b'{"a":1}', b'{"b":2}']),
        (b'{"a":1}\r\n{"b":2}\r\n', [b'{"a":1}', b'{"b":2}']),
        (b"\n\n{}\n  \n\r\n{}\n", [b"{}", b"{}"]),
        (b'{"a":1}', [b'{"a":1}']),
        (b'{"a":1}\n {"b":2} ', [b'{"a":1}', b'{"b":2}']),
        (b"", []),
        (b"\n", []),
        ("{“\u2028\u2029\x85”}\n".encode(), ["{“\u2028\u2029\x85”}".encode()]),
        (b"{\xff\xc3}\n", [b"{\xff\xc3}"]),
    ],
)
def test_lines_are_the_same_for_every_split(raw: bytes, expected: list[bytes]) -> None:
    assert lines(raw) == expected


def test_a_line_is_returned_at_its_line_end() -> None:
    decoder = LineDecoder(64)
    assert [decoder.decode(piece) for piece in (b"{", b"}", b"\n", b"[]\n{")] == [[], [], [b"{}"], [b"[]"]]
    assert decoder.flush() == [b"{"]
    assert decoder.flush() == []


@pytest.mark.parametrize(
    ("raw", "refused"),
    [
        (b"x" * 64 + b"\n" + b"y" * 64, False),
        (b"x" * 65, True),
        (b"x" * 65 + b"\n", True),
        (b"{}\n" + b"x" * 65 + b"\n{}\n", True),
        (b"{}\n" * 100, False),
    ],
)
def test_a_long_line_is_refused_for_every_split(raw: bytes, refused: bool) -> None:
    def read(pieces: Pieces) -> bool:
        decoder = LineDecoder(64)
        try:
            for piece in pieces:
                decoder.decode(piece)
        except TooLong:
            return True
        return False

    assert same_for_all_splits(read, raw) is refused


def measure_s(size: int) -> float:
    times = []
    for _ in range(3):
        decoder = LineDecoder(1 << 24)
        began = time.thread_time()
        for _ in range(size // 16):
            decoder.decode(b"x" * 16)
        assert len(decoder.decode(b"\n")[0]) == size
        times.append(time.thread_time() - began)
    return min(times)


def test_a_line_in_small_pieces_takes_linear_time() -> None:
    assert measure_s(8 * 128_000) < 24 * measure_s(128_000) + 0.01

"""Runs a decoder on one case whole, byte by byte, at every two-way split and at random cuts.

A decoder's answer must not depend on how its bytes were cut: one answer for all of them is asserted, and
given back so that the test can say what it is.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol, TypeVar

Pieces = Sequence[bytes]
Answer = TypeVar("Answer")

_RANDOM_WAYS = 25


class Decoder(Protocol):
    """What all of our decoders share."""

    def decode(self, chunk: bytes) -> list[Any]: ...

    def flush(self) -> list[Any]: ...


def cuts(raw: bytes, seed: int) -> Iterator[list[bytes]]:
    """Yield one case in every way of cutting it that is tested."""
    yield [raw]
    yield [raw[at : at + 1] for at in range(len(raw))]
    for at in range(1, len(raw)):
        yield [raw[:at], raw[at:]]
    dice = random.Random(seed)
    for _ in range(_RANDOM_WAYS if raw else 0):
        places = sorted(dice.randrange(len(raw) + 1) for _ in range(dice.randrange(2, 12)))
        yield [raw[start:end] for start, end in zip([0, *places], [*places, len(raw)], strict=True)]


def same_for_all_cuts(read: Callable[[Pieces], Answer], raw: bytes, *, seed: int = 1) -> Answer:
    """Assert that `read` answers the same however `raw` is cut, and give the answer."""
    ways = cuts(raw, seed)
    expected = read(next(ways))
    for pieces in ways:
        assert read(pieces) == expected, f"seed {seed}, cut as {[len(piece) for piece in pieces]}"
    return expected


def decoded(make: Callable[[], Decoder], raw: bytes, *, seed: int = 1) -> list[Any]:
    """Decode a whole body, its end included, however it is cut."""

    def read(pieces: Pieces) -> list[Any]:
        decoder = make()
        found = [one for piece in pieces for one in decoder.decode(piece)]
        return found + decoder.flush()

    return same_for_all_cuts(read, raw, seed=seed)

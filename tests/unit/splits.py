"""Runs a decoder on one input as a whole, byte by byte, at every two-way split and at random splits.

A decoder's result must not depend on how its input is split. The helpers assert that and return the result.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol, TypeVar

Pieces = Sequence[bytes]
Answer = TypeVar("Answer")

_RANDOM_SPLITS = 25


class Decoder(Protocol):
    """The interface of all incremental decoders."""

    def decode(self, chunk: bytes) -> list[Any]: ...

    def flush(self) -> list[Any]: ...


def splits(raw: bytes, seed: int) -> Iterator[list[bytes]]:
    """Yield all tested splits of an input."""
    yield [raw]
    yield [raw[at : at + 1] for at in range(len(raw))]
    for at in range(1, len(raw)):
        yield [raw[:at], raw[at:]]
    dice = random.Random(seed)
    for _ in range(_RANDOM_SPLITS if raw else 0):
        places = sorted(dice.randrange(len(raw) + 1) for _ in range(dice.randrange(2, 12)))
        yield [raw[start:end] for start, end in zip([0, *places], [*places, len(raw)], strict=True)]


def same_for_all_splits(read: Callable[[Pieces], Answer], raw: bytes, *, seed: int = 1) -> Answer:
    """Assert that `read` returns the same for all splits of `raw`, and return it."""
    all_splits = splits(raw, seed)
    expected = read(next(all_splits))
    for pieces in all_splits:
        assert read(pieces) == expected, f"seed {seed}, split as {[len(piece) for piece in pieces]}"
    return expected


def decoded(make: Callable[[], Decoder], raw: bytes, *, seed: int = 1) -> list[Any]:
    """Decode and flush a body, and assert that all splits give the same values."""

    def read(pieces: Pieces) -> list[Any]:
        decoder = make()
        found = [one for piece in pieces for one in decoder.decode(piece)]
        return found + decoder.flush()

    return same_for_all_splits(read, raw, seed=seed)

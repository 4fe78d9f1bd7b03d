"""Joins several rankings to one."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TypeVar

T = TypeVar("T", bound=Hashable)

DEFAULT_PASSAGES = 5
"""How many passages a search returns that does not say how many."""

MAX_PASSAGES = 50

_K = 60


def fuse(rankings: Sequence[Sequence[T]]) -> list[tuple[T, float]]:
    """Return what is in any of the rankings, the best first, with scores from 0 to 1: by reciprocal rank fusion.

    A score of 1 is the first place in all of them. See https://doi.org/10.1145/1571941.1572114.
    """
    scores: dict[T, float] = {}
    for ranking in rankings:
        for place, item in enumerate(ranking):
            scores[item] = scores.get(item, 0.0) + (_K + 1) / (_K + 1 + place) / len(rankings)
    return sorted(scores.items(), key=lambda pair: -pair[1])

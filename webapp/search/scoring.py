"""Scores passages by the words of a query: by their own words, and by those of the passages around them.

Both scores are BM25 (https://doi.org/10.1561/1500000019). A passage is short, and what its author says once, such as who acts, is not
repeated in it: so a place in a document where the words of a query come close together counts as much as a passage itself.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

SURROUNDING_PASSAGES = 5
"""So many passages before and after a passage count for it."""

_K1, _B = 1.2, 0.75  # the usual ones: how little a repetition counts, and how much the length of a text
_SURROUNDINGS_SHARE = 1.0


class SoughtWord(msgspec.Struct, frozen=True, kw_only=True):
    """A word of a query. `passages` are the ids of all that have it, in order; None of a word that too many have to list them.

    `forms` are what the index may have for it, and `weight` is by how rare it is.
    """

    forms: tuple[str, ...]
    weight: float
    passages: Sequence[int] | None


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A passage that may be an answer. `first` and `last` are the ids of its document's passages, `length` is in characters."""

    id: int
    first: int
    last: int
    length: int


def weigh(count: float, total: float) -> float:
    """Return how much a word says that so many passages of the total have."""
    return math.log(1 + (max(total, count) - count + 0.5) / (count + 0.5))


def collect(chosen: Iterable[SoughtWord], limit: int) -> list[tuple[int, float]]:
    """Return the passages that have any of these words, with the weights of those that they have, the heaviest first."""
    weights: dict[int, float] = {}
    for word in chosen:
        for passage in word.passages or ():
            weights[passage] = weights.get(passage, 0.0) + word.weight
    return sorted(weights.items(), key=lambda pair: (-pair[1], pair[0]))[:limit]


def score_surroundings(words: Collection[SoughtWord], candidate: Candidate) -> float:
    """Score the passages around a candidate as if they were one text, the candidate included."""
    begin = max(candidate.first, candidate.id - SURROUNDING_PASSAGES)
    end = min(candidate.last, candidate.id + SURROUNDING_PASSAGES)
    length = (end - begin + 1) / (2 * SURROUNDING_PASSAGES + 1)
    score = 0.0
    for word in words:
        if word.passages is not None:
            count = bisect_right(word.passages, end) - bisect_left(word.passages, begin)
            score += word.weight * _saturate(count, length)
    return _SURROUNDINGS_SHARE * score


def score_words(words: Iterable[SoughtWord], counts: Mapping[str, int], length: float) -> float:
    """Score a passage by its own words. `counts` says how often each form comes, `length` is a share of the usual length."""
    return sum(
        word.weight * _saturate(max((counts.get(form, 0) for form in word.forms), default=0), length)
        for word in words
    )


def _saturate(count: int, length: float) -> float:
    return count * (_K1 + 1) / (count + _K1 * (1 - _B + _B * length)) if count else 0.0

"""Passages are scored by their own words and by those around them."""

from webapp.search.scoring import (
    SURROUNDING_PASSAGES,
    Candidate,
    SoughtWord,
    collect,
    score_surroundings,
    score_words,
    weigh,
)

RARE = SoughtWord(forms=("weirs", "weir"), weight=5.0, passages=[10, 40])
FREQUENT = SoughtWord(forms=("river",), weight=1.0, passages=[8, 9, 10, 11, 41])
COMMON = SoughtWord(forms=("the",), weight=0.1, passages=None)


def place(id_: int, first: int = 0, last: int = 99) -> Candidate:
    return Candidate(id=id_, first=first, last=last, length=900)


def test_rare_words_weigh_more_and_none_weighs_less_than_nothing() -> None:
    weights = [weigh(count, 100) for count in (1, 10, 50, 100, 101)]
    assert weights == sorted(weights, reverse=True)
    assert weights[-1] > 0


def test_the_passages_with_most_of_the_words_are_collected() -> None:
    assert collect([RARE, FREQUENT, COMMON], 3) == [(10, 6.0), (40, 5.0), (8, 1.0)]


def test_repetitions_count_less_and_less_and_long_passages_less() -> None:
    once, twice, thrice = (score_words([RARE], {"weir": count}, 1.0) for count in (1, 2, 3))
    assert once < twice < 2 * once
    assert thrice - twice < twice - once
    assert score_words([RARE], {"weir": 1}, 2.0) < once
    assert score_words([RARE, COMMON], {"river": 3}, 1.0) == 0


def test_words_around_a_passage_count_within_its_document() -> None:
    words = [RARE, FREQUENT, COMMON]
    near = 8 - SURROUNDING_PASSAGES
    assert score_surroundings(words, place(near)) > score_surroundings(words, place(near - 1)) == 0
    assert score_surroundings(words, place(9)) > score_surroundings(words, place(40))
    assert score_surroundings(words, place(near, first=near, last=7)) == 0

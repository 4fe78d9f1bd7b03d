"""The figures of `make bench-search` are computed as they are said to be, and its questions are well formed."""

from collections import Counter

from tests.bench_search import questions
from tests.bench_search.corpus import shuffled
from tests.bench_search.finding import DEPTH, Place, Plain, figure, rank_of
from tests.bench_search.questions import Question, faults, shared_share
from tests.bench_search.speed import Gaps, percentile
from tests.bench_search.targets import held_up_ms

TEXT = "The cook bakes bread. The old baker has a wooden oven, which he heats at dawn."
QUESTION = Question(question="When does he light the fire?", document="a.txt", quotation="which he heats")


def test_a_passage_that_has_the_middle_of_the_quotation_answers() -> None:
    at = QUESTION.place_in(TEXT)
    places = [Place("b.txt", 0, 99), Place("a.txt", 0, at), Place("a.txt", at, at + 1)]
    assert rank_of(places, QUESTION, TEXT) == 3
    assert rank_of(places[:2], QUESTION, TEXT) == 0
    assert rank_of([places[0]] * DEPTH + places, QUESTION, TEXT) == 0


def test_recall_and_reciprocal_ranks() -> None:
    found = figure([1, 0, 5, 6])
    assert found.recall == 0.5
    assert abs(found.mrr - (1 + 1 / 5 + 1 / 6) / 4) < 1e-9


def test_a_question_with_half_of_its_words_from_the_answer_is_a_fault() -> None:
    assert shared_share(QUESTION, TEXT) == 0
    copied = Question(question="Who heats the ovens?", document="a.txt", quotation="which he heats")
    assert shared_share(copied, TEXT) == 1
    passages = {"a.txt": [(0, TEXT)]}
    assert faults([QUESTION], passages, {"a.txt": TEXT}) == []
    assert len(faults([copied], passages, {"a.txt": TEXT})) == 1
    assert len(faults([QUESTION], passages, {"a.txt": TEXT + TEXT})) == 1
    assert len(faults([QUESTION], {"a.txt": [(50, "oven")]}, {"a.txt": TEXT})) == 1


def test_the_comparisons_find_what_they_can() -> None:
    plain = Plain({"a.txt": [(0, TEXT[:21]), (22, TEXT[22:])], "b.txt": [(0, "A ship sails.")]})
    assert plain.like("wooden oven of the baker")[0] == Place("a.txt", 22, len(TEXT))
    assert plain.whole_documents("heated ovens") == [Place("a.txt", 22, len(TEXT))]
    assert plain.whole_documents("sailing")[0].document == "b.txt"


def test_shuffled_texts_have_the_same_words_and_marks() -> None:
    ((name, text),) = shuffled({"a.txt": TEXT}, 1)
    assert name == "1-a.txt"
    assert text != TEXT
    assert Counter(text) == Counter(TEXT)
    assert [len(line.split()) for line in text.split(".")] == [len(line.split()) for line in TEXT.split(".")]


def test_times() -> None:
    assert percentile([3.0, 1.0, 2.0], 0.95) == 3.0
    rounds = [Gaps(alone_ms=60, beside_ms=75, searches=9), Gaps(alone_ms=60, beside_ms=130, searches=9)]
    assert held_up_ms(rounds) == 15


def test_the_questions_are_well_formed() -> None:
    asked = questions.load()
    assert len(asked) >= 100
    assert len({each.question for each in asked}) == len(asked)
    assert len({each.document for each in asked}) >= 100
    for each in asked:
        assert each.question.endswith("?"), each
        assert len(each.quotation) >= 10, each
        assert shared_share(each, each.quotation) < questions.MOST_SHARED, each

"""What the provider of a soak answers: the question names the kind of life and the number, and these the whole answer."""

import random
import re
from collections.abc import Callable, Iterator

from tests.faults.answers import query_of
from tests.support.dialects import DONE, openai_delta, openai_finish, sse
from tests.support.script import RESET, STALL, Answer, Call, Step, refusal

_QUESTION = re.compile(r"^(\w+) life (\d+)$")
_PAUSE_S = 0.004
_LONG_EVERY = 25  # one answer in so many is long
_HOW_IT_FAILS = 5


def question(kind: str, number: int) -> str:
    """Return the text of a question."""
    return f"{kind} life {number}"


def pieces(number: int) -> list[str]:
    """Return the deltas of an answer: a few words, or now and then some 80 kB."""
    dice = random.Random(number)
    if number % _LONG_EVERY == 0:
        return [f"{index} {'word ' * 400}" for index in range(dice.randrange(20, 60))]
    return [f"word {dice.randrange(10**6)} " for _ in range(dice.randrange(6, 30))]


def text(number: int) -> str:
    """Return the whole text of an answer."""
    return "".join(pieces(number))


def answer(call: Call) -> Answer:
    """Answer a request to the provider."""
    found = _QUESTION.match(query_of(call))
    assert found is not None, query_of(call)
    kind, number = found[1], int(found[2])
    if kind == "failing":
        return _FAILURES[number % _HOW_IT_FAILS](number)
    if kind in ("stopped", "orphaned"):
        return Answer(steps=[*map(openai_delta, pieces(number)), STALL])
    return Answer(steps=lambda: _tell(number))


def _tell(number: int) -> Iterator[Step]:
    yield openai_delta("", role="assistant")
    for piece in pieces(number):
        yield openai_delta(piece)
        yield _PAUSE_S
    yield from openai_finish()
    yield DONE


def _cut(number: int) -> Answer:
    return Answer(steps=[*map(openai_delta, pieces(number)), RESET])


def _end_without_finish(number: int) -> Answer:
    return Answer(steps=[*map(openai_delta, pieces(number))])


def _report_error(number: int) -> Answer:
    return Answer(steps=[*map(openai_delta, pieces(number)), sse({"error": {"message": "no"}})])


def _refuse(_number: int) -> Answer:
    return refusal(401)


def _be_overloaded(_number: int) -> Answer:
    return refusal(503, retry_after_ms="20")


_FAILURES: tuple[Callable[[int], Answer], ...] = (
    _cut,
    _end_without_finish,
    _report_error,
    _refuse,
    _be_overloaded,
)

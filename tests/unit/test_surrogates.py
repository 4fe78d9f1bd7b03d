"""Joining split surrogate pairs in frames and in a client's response."""

import pytest

from webapp.chat import ModelMessage, ModelRequest
from webapp.codecs.surrogates import SurrogateJoiner
from webapp.events import Finished, TextDelta
from webapp.providers.response_builder import ResponseBuilder

CASES = [
    (["plain"], "plain"),
    (["\ud83d", "\ude00"], "😀"),
    (["a\ud83d", "\ude00b"], "a😀b"),
    (["a\ud83d", "b"], "a\ufffdb"),
    (["\ude00"], "\ufffd"),
    (["a", "\ud83d"], "a\ufffd"),
    (["\ud83d", "\ud83d", "\ude00"], "\ufffd😀"),
    (["é\ud83d\ude00"], "é😀"),
]


@pytest.mark.parametrize(("pieces", "whole"), CASES)
def test_surrogate_pairs_are_joined(pieces: list[str], whole: str) -> None:
    joiner = SurrogateJoiner()
    assert "".join([joiner.decode(piece) for piece in pieces]) + joiner.flush() == whole


@pytest.mark.parametrize(("pieces", "whole"), CASES)
def test_a_response_grows_by_complete_characters(pieces: list[str], whole: str) -> None:
    builder = ResponseBuilder("mock", "m", ModelRequest(messages=[ModelMessage.user("x")]))
    told = [builder.add(event) for event in [*map(TextDelta, pieces), Finished("stop")]]
    assert "".join(told) == builder.response.content == whole
    whole.encode()

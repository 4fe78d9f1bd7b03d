"""N18: what a refused limit shows of the longest answer is remembered, so that the next call begins with what fits."""

import json
from typing import Any

import pytest

from tests.unit.recorded import recording
from tests.unit.transports import HELLO, FakeControl, FakeTransport
from webapp.chat import ModelMessage, ModelRequest
from webapp.errors import UpstreamError
from webapp.events import Finished
from webapp.providers.anthropic.provider import AnthropicProvider
from webapp.providers.base import BaseProvider
from webapp.providers.errors import error_from_response
from webapp.providers.openai.chat import OpenAIProvider
from webapp.providers.openai.responses import OpenAIResponsesProvider
from webapp.providers.refusals.answer_limit import LEAVE_OUT, AnswerLimit
from webapp.providers.refusals.memory import RefusedParameters
from webapp.providers.retries import RetryingClient

ANSWERS: dict[str, tuple[type[BaseProvider], str, list[bytes]]] = {
    "chat": (OpenAIProvider, "max_tokens", HELLO),
    "responses": (OpenAIResponsesProvider, "max_output_tokens", [recording("openai_responses", "plain")]),
    "anthropic": (AnthropicProvider, "max_tokens", [recording("anthropic", "plain")]),
}
WINDOW = "This model's maximum context length is 4096 tokens. However, you requested 8100 tokens (100 in the messages, 8000 in the completion)."
LONGEST = "max_tokens is too large: 8000. This model supports at most 2048 completion tokens."
UNSTATED = "max_tokens is too large."


def refusal(text: str) -> UpstreamError:
    return error_from_response(400, {}, json.dumps({"error": {"message": text}}).encode())


class Model:
    """A model that is called by one dialect, with one memory for all calls."""

    def __init__(self, dialect: str) -> None:
        self.kind, self.name, self.answer = ANSWERS[dialect]
        self.now = 0.0
        self.memory = RefusedParameters(lambda: self.now)

    def ask(self, *refusals: str, question: str = "Hi", max_tokens: int = 8_000) -> list[int | None]:
        """Ask, and return the limits that were sent."""
        transport = FakeTransport(*map(refusal, refusals), self.answer)
        options: dict[str, Any] = {
            "model_name": "m",
            "max_tokens": max_tokens,
            "pricer": lambda *_: None,
            "api_key": "k",
            "base_url": "http://localhost:1/v1",
            "refused": self.memory,
        }
        provider = self.kind(RetryingClient(transport), **options)  # type: ignore[arg-type]
        request = ModelRequest(messages=[ModelMessage.user(question)])
        assert isinstance(list(provider.stream(request, FakeControl()))[-1], Finished)
        return [body.get(self.name) for body in transport.bodies]


@pytest.fixture(params=ANSWERS)
def model(request: pytest.FixtureRequest) -> Model:
    return Model(request.param)


def test_the_longest_answer_is_remembered_for_an_hour(model: Model) -> None:
    assert model.ask(LONGEST) == [8_000, 2_048]
    assert model.ask() == [2_048]
    assert model.ask(max_tokens=500) == [500]
    model.now = 3_601
    assert model.ask() == [8_000]


def test_a_window_is_remembered_and_shared_with_the_next_question(model: Model) -> None:
    assert model.ask(WINDOW) == [8_000, 3_996]
    [first] = model.ask()
    [longer] = model.ask(question="word " * 1_000)
    assert first is not None
    assert longer is not None
    assert 3_900 < first < 4_096
    assert 2_000 < longer < 3_000


def test_a_question_that_fills_the_window_is_left_to_the_provider(model: Model) -> None:
    model.ask(WINDOW)
    assert model.ask(question="word " * 5_000) == [8_000]


def test_a_limit_that_is_refused_without_a_number_is_not_sent_again() -> None:
    model = Model("chat")
    assert model.ask(UNSTATED) == [8_000, None]
    assert model.ask() == [None]
    assert model.ask(max_tokens=7_999) == [7_999]
    required = Model("anthropic")  # whose API requires a limit
    assert required.ask(UNSTATED, UNSTATED) == [8_000, 4_000, 2_000]
    assert required.ask() == [2_000]


def test_a_limit_that_is_too_short_shows_nothing_of_the_longest_answer() -> None:
    model = Model("chat")
    assert (
        model.ask(
            "Invalid 'max_tokens': integer below minimum value. Expected a value >= 16, but got 4 instead.",
            max_tokens=4,
        )[0]
        == 4
    )
    assert model.ask() == [8_000]


def test_nothing_is_remembered_of_a_call_that_failed() -> None:
    model = Model("chat")
    with pytest.raises(UpstreamError):
        model.ask(LONGEST, "You are out of luck.")
    assert model.ask() == [8_000]


def test_the_memory_of_limits_is_bounded() -> None:
    memory = RefusedParameters()
    for number in range(1_100):
        memory.remember_limit(("m", str(number)), AnswerLimit(longest=1))
    assert memory.recall_limit(("m", "50")) is None
    assert memory.recall_limit(("m", "1099")) == AnswerLimit(longest=1)


def test_a_limit_fits_whatever_is_known_of_it() -> None:
    assert AnswerLimit().fit(9, 1) == 9
    assert AnswerLimit(longest=5).fit(9, 1) == 5
    assert AnswerLimit(refused=9).fit(9, 1) == LEAVE_OUT
    assert AnswerLimit(refused=10).fit(9, 1) == 9

"""A server whose `openai` is called by the Responses API."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.support.dialects import responses, responses_event
from tests.support.fake_provider import FakeProvider
from tests.support.script import CLOSE, Answer
from tests.support.server import Server
from tests.support.sse import parse_record


@pytest.fixture(scope="module")
def provider() -> Iterator[FakeProvider]:
    with FakeProvider() as fake:
        yield fake


@pytest.fixture(scope="module")
def server(provider: FakeProvider) -> Iterator[Server]:
    env = {
        "OPENAI_API_KEY": "sk-canary",
        "OPENAI_BASE_URL": f"{provider.url}/v1",
        "FRESHET_MODEL": "gpt-6.2-sol",
        "FRESHET_OPENAI_API": "responses",
    }
    with Server(env, secrets=("sk-canary",)) as running:
        yield running


def ask(server: Server) -> list[dict[str, Any]]:
    """Ask a question and return the frames of its answer."""
    body = {"query": "Hi", "effort": "low", "stop": ["END"]}
    response = requests.post(f"{server.url}/stream", json=body, timeout=20)
    assert response.status_code == 200, response.text
    found = [parse_record(block, 0.0).frame for block in response.text.strip().split("\n\n")]
    return [frame for frame in found if frame is not None]


def test_a_question_is_answered_with_its_reasoning_and_sources(
    server: Server, provider: FakeProvider
) -> None:
    summary = responses_event("response.reasoning_summary_text.delta", summary_index=0, delta="Hm.")
    cited = responses_event(
        "response.output_text.annotation.added",
        annotation={"type": "url_citation", "url": "https://a.example/", "title": "A"},
    )
    steps = responses(["Hel", "lo"], model="gpt-6.2-sol")
    provider.play(Answer(steps=[*steps[:2], summary, *steps[2:4], cited, *steps[4:]]))
    frames = ask(server)
    assert provider.calls[-1].path == "/v1/responses"
    assert provider.calls[-1].json["reasoning"] == {"summary": "auto", "effort": "low"}
    assert {"notice": {"code": "parameter_ignored", "after_ms": 0, "parameter": "stop"}} in frames
    assert "".join(frame.get("reasoning", "") for frame in frames) == "Hm."
    assert "".join(frame.get("text", "") for frame in frames) == "Hello"
    assert [frame["sources"] for frame in frames if "sources" in frame] == [
        [{"n": 1, "title": "A", "source": "https://a.example/"}]
    ]
    assert frames[-1]["usage"] == {"input_tokens": 3, "output_tokens": 5}


def test_an_error_after_text_is_partial(server: Server, provider: FakeProvider) -> None:
    failed = responses_event(
        "response.failed", response={"error": {"code": "server_error", "message": "It is sk-canary"}}
    )
    provider.play(Answer(steps=[*responses(["Hello"])[:3], failed]))
    last = ask(server)[-1]
    assert (last["code"], last["partial"], last["retryable"]) == ("upstream_overloaded", True, True)


def test_a_connection_that_closes_before_the_end_is_an_interrupted_answer(
    server: Server, provider: FakeProvider
) -> None:
    provider.play(Answer(steps=[*responses(["Hello"])[:-1], CLOSE]))
    last = ask(server)[-1]
    assert (last["code"], last["partial"]) == ("interrupted", True)

"""The sources of an answer, for programs: in both clients, by a provider itself, and at OpenAI's endpoint."""

import json

import openai
import pytest
from openai.types.chat.chat_completion_message import Annotation

from tests.support.fake_provider import FakeProvider
from tests.support.script import Answer
from tests.support.server import Server
from webapp import ModelMessage, ModelRequest, create_provider, create_query_client
from webapp.events import Source

FOUND = (
    Source(n=1, title="A", source="https://a.example/1"),
    Source(n=2, source="https://b.example/2"),
)
TEXT = "Sky is blue [1]."


@pytest.fixture(autouse=True)
def cited(provider: FakeProvider) -> None:
    """Answer with sources, of which the text cites one."""
    chunk = {
        "choices": [{"index": 0, "delta": {"content": TEXT}, "finish_reason": "stop"}],
        "citations": [source.source for source in FOUND],
        "search_results": [{"title": "A", "url": FOUND[0].source}],
    }
    provider.play(Answer(steps=[b"data: " + json.dumps(chunk).encode() + b"\n\n"]))


def test_the_client_of_a_server_has_the_sources(server: Server) -> None:
    with create_query_client(url=server.url) as client:
        assert client.query("Why?") == TEXT
        assert client.last_response is not None
        assert client.last_response.sources == FOUND


def test_a_provider_s_response_has_the_sources(provider: FakeProvider) -> None:
    called = create_provider("openai", "m", base_url=f"{provider.url}/v1", api_key="k")
    response = called.complete(ModelRequest(messages=[ModelMessage.user("Why?")]))
    assert (response.content, response.sources) == (TEXT, FOUND)


def test_n23_openai_s_endpoint_has_annotations(server: Server) -> None:
    client = openai.OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0)
    question = [{"role": "user", "content": "Why?"}]
    whole = client.chat.completions.create(model="gpt-4.1", messages=question)  # type: ignore[call-overload]
    expected = [("A", FOUND[0].source, 12, 15), ("", FOUND[1].source, 0, 0)]
    assert [flatten(each) for each in whole.choices[0].message.annotations] == expected
    stream = client.chat.completions.create(model="gpt-4.1", messages=question, stream=True)  # type: ignore[call-overload]
    found = [each for chunk in stream for each in getattr(chunk.choices[0].delta, "annotations", None) or ()]
    assert [flatten(Annotation.model_validate(each)) for each in found] == expected


def flatten(annotation: Annotation) -> tuple[str, str, int, int]:
    citation = annotation.url_citation
    return citation.title, citation.url, citation.start_index, citation.end_index

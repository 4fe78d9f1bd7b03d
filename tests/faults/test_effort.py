"""How much a model is to reason: at every way to ask, mapped for each provider, refused or left out by name."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.support.dialects import anthropic, ollama
from tests.support.fake_provider import FakeProvider
from tests.support.rawhttp import request
from tests.support.script import Answer, Call, refusal
from tests.support.server import Server
from tests.support.ws import WsClient
from webapp import create_query_client
from webapp.errors import InvalidRequest

HI = [{"role": "user", "content": "hello"}]
RUN = "A" * 22


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeProvider]:
    with FakeProvider() as running:
        yield running


@pytest.fixture(scope="module")
def own_server(fake: FakeProvider) -> Iterator[Server]:
    env = {
        "OLLAMA_HOST": fake.url,
        "ANTHROPIC_BASE_URL": fake.url,
        "ANTHROPIC_API_KEY": "sk-ant-canary",
        "FRESHET_PROVIDER": "ollama",
        "FRESHET_MODEL": "qwen3",
        "FRESHET_RETRIES": "0",
    }
    with Server(env) as running:
        yield running


@pytest.fixture(autouse=True)
def play(fake: FakeProvider) -> None:
    def answer(call: Call) -> Answer:
        return Answer(steps=ollama(["Hello"]) if call.path == "/api/chat" else anthropic(["Hello"]))

    fake.play(answer)


def post(server: Server, path: str, **fields: Any) -> tuple[int, bytes]:
    status, _, body = request(server.address, "POST", path, fields)
    return status, body


def by_stream(server: Server, **fields: Any) -> None:
    assert post(server, "/stream", query="hello", **fields)[0] == 200


def by_query_string(server: Server, **fields: Any) -> None:
    assert request(server.address, "GET", f"/stream?{urlencode({'query': 'hello', **fields})}")[0] == 200


def by_completion(server: Server, **fields: Any) -> None:
    assert post(server, "/v1/chat/completions", messages=HI, **fields)[0] == 200


def by_socket(server: Server, **fields: Any) -> None:
    with WsClient(server.address) as client:
        client.send_json(type="start", ref="a", run=RUN, query="hello", **fields)
        client.read_to_end(RUN)


def by_client(server: Server, **fields: Any) -> None:
    with create_query_client(url=server.url) as client:
        assert client.query("hello", **fields) == "Hello"


WAYS: list[Callable[..., None]] = [
    by_stream,
    by_query_string,
    by_completion,
    by_socket,
    by_client,
]


@pytest.mark.parametrize("ask", WAYS)
def test_effort_reaches_the_provider(
    own_server: Server, fake: FakeProvider, ask: Callable[..., None]
) -> None:
    ask(own_server, effort="high")
    assert fake.calls[-1].json["think"] is True


@pytest.mark.parametrize("ask", [by_stream, by_query_string, by_completion])
def test_openai_s_name_for_it_is_accepted(
    own_server: Server, fake: FakeProvider, ask: Callable[..., None]
) -> None:
    ask(own_server, reasoning_effort="none")
    assert fake.calls[-1].json["think"] is False


@pytest.mark.parametrize("path", ["/stream", "/v1/chat/completions"])
@pytest.mark.parametrize("field", ["effort", "reasoning_effort"])
def test_another_value_is_refused_by_name(
    own_server: Server, fake: FakeProvider, path: str, field: str
) -> None:
    status, body = post(own_server, path, messages=HI, **{field: "extreme"})
    assert (status, json.loads(body)["error"]["param"]) == (400, field)
    assert fake.calls == []


def test_the_client_refuses_another_value_before_the_request(own_server: Server) -> None:
    effort: Any = "extreme"
    with create_query_client(url=own_server.url) as client, pytest.raises(InvalidRequest) as refused:
        client.query("hello", effort=effort)
    assert refused.value.param == "effort"


def claude(**fields: Any) -> dict[str, Any]:
    return {"messages": HI, "provider": "anthropic", "model": "claude-opus-5-5", **fields}


@pytest.mark.parametrize("path", ["/stream", "/v1/chat/completions"])
def test_an_effort_that_the_model_does_not_have_is_refused_by_name(
    own_server: Server, fake: FakeProvider, path: str
) -> None:
    status, body = post(own_server, path, **claude(effort="none"))
    assert (status, json.loads(body)["error"]["param"]) == (400, "effort")
    assert fake.calls == []


def test_adaptive_thinking_is_asked_for(own_server: Server, fake: FakeProvider) -> None:
    assert post(own_server, "/stream", **claude(effort="xhigh"))[0] == 200
    body = fake.calls[-1].json
    assert body["thinking"] == {"type": "adaptive", "display": "summarized"}
    assert body["output_config"] == {"effort": "xhigh"}


@pytest.mark.parametrize(
    ("values", "effort", "think", "is_ignored"),
    [
        (["low", "high"], "max", "high", False),
        (["low", "high"], "none", "low", True),
        ([False], "high", None, True),
    ],
)
def test_ollama_is_asked_which_levels_a_model_has(
    own_server: Server, fake: FakeProvider, values: list[Any], effort: str, think: Any, is_ignored: bool
) -> None:
    shown = json.dumps({"capabilities": ["completion"], "thinking": {"values": values}}).encode()
    fake._models = Answer(steps=[shown], content_type="application/json", framing="length")
    status, body = post(own_server, "/stream", query="hello", model=f"m-{effort}-{think}", effort=effort)
    assert status == 200
    assert fake.calls[-1].json.get("think") == think
    assert (b'"parameter":"effort"' in body) == is_ignored


# Anthropic's refusals.


def refusing(name: str, message: str) -> Callable[[Call], Answer]:
    body = {"type": "error", "error": {"type": "invalid_request_error", "message": message}}

    def answer(call: Call) -> Answer:
        return refusal(400, body) if name in call.json else Answer(steps=anthropic(["Hello"]))

    return answer


def test_n19_a_refused_temperature_is_named_in_a_notice(own_server: Server, fake: FakeProvider) -> None:
    fake.play(refusing("temperature", "`temperature` is deprecated for this model."))
    status, body = post(own_server, "/stream", **claude(model="alias-a", temperature=0.2))
    assert status == 200
    assert b'"parameter":"temperature"' in body
    assert b'"text":"Hello"' in body
    assert ["temperature" in call.json for call in fake.calls] == [True, False]
    post(own_server, "/stream", **claude(model="alias-a", temperature=0.2))
    assert len(fake.calls) <= 2 + len(own_server.workers)  # each remembers it


def test_n19_a_refused_temperature_is_named_in_a_header(own_server: Server, fake: FakeProvider) -> None:
    fake.play(refusing("temperature", "temperature: this model only takes its default."))
    fields = claude(model="alias-b", temperature=0.2)
    status, headers, body = request(own_server.address, "POST", "/v1/chat/completions", fields)
    assert status == 200, body
    assert headers["freshet-ignored"] == "temperature"


@pytest.mark.parametrize(
    "message",
    [
        "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade.",
        "You have run out of credits. Purchase more.",
    ],
)
def test_n22_a_lack_of_credit_is_a_quota(own_server: Server, fake: FakeProvider, message: str) -> None:
    fake.play(refusing("model", message))
    _, body = post(own_server, "/stream", **claude())
    assert b'"upstream_quota"' in body
    assert b"Plans" not in body
    assert len(fake.calls) == 1

"""The OpenAI-compatible endpoints on a real server: what is sent on to each provider, and what is refused."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.dialects import anthropic, ollama, openai
from tests.support.fake_provider import FakeProvider
from tests.support.script import Answer, Call
from tests.support.server import Server

HI = {"role": "user", "content": "hi"}
PATHS = ("/v1/chat/completions", "/chat/completions")
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
FORMAT = {"type": "json_schema", "json_schema": {"name": "city", "schema": SCHEMA}}
CALL = {"id": "c", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
ACCEPTED: dict[str, dict[str, Any]] = {
    "empty-assistant": {"messages": [HI, {"role": "assistant", "content": ""}, HI]},
    "empty-system": {"messages": [{"role": "system", "content": ""}, HI]},
    "null-assistant": {"messages": [HI, {"role": "assistant", "content": None}, HI]},
    "stream-null": {"messages": [HI], "stream": None},
    "all-null": {
        "messages": [HI],
        "n": None,
        "stop": None,
        "stream_options": None,
        "user": None,
        "tools": None,
    },
    "unlimited": {"messages": [HI], "max_tokens": -1},
    "zero": {"messages": [HI], "max_completion_tokens": 0},
    "tools-in-history": {
        "messages": [
            HI,
            {"role": "assistant", "content": None, "tool_calls": [CALL]},
            {"role": "tool", "tool_call_id": "c", "content": "rain"},
        ]
    },
    "developer": {"messages": [{"role": "developer", "content": "Be brief."}, HI | {"name": "Ann"}]},
    "no-tools": {"messages": [HI], "tools": [], "tool_choice": "none", "parallel_tool_calls": False},
}


def answer(call: Call) -> Answer:
    if call.path.endswith("/messages"):
        return Answer(steps=anthropic(["Hello"]))
    return Answer(steps=ollama(["Hello"]) if call.path.endswith("/api/chat") else openai(["Hello"]))


@pytest.fixture(scope="module")
def provider() -> Iterator[FakeProvider]:
    with FakeProvider(answer) as fake:
        yield fake


@pytest.fixture(scope="module")
def server(provider: FakeProvider) -> Iterator[Server]:
    env = {
        "OPENAI_API_KEY": "k",
        "OPENAI_BASE_URL": f"{provider.url}/v1",
        "ANTHROPIC_API_KEY": "k",
        "ANTHROPIC_BASE_URL": provider.url,
        "OLLAMA_HOST": provider.url,
        "FRESHET_PROVIDER": "openai",
    }
    with Server(env) as running:
        yield running


def ask(server: Server, fake: FakeProvider, path: str = PATHS[0], **body: Any) -> tuple[int, Any, Any]:
    """Return the status, the response's JSON, and the JSON that the model's provider got."""
    fake.play(answer)
    status, _, raw = server.request("POST", path, {"messages": [HI]} | body)
    sent = [call.json for call in fake.calls if call.method == "POST" and b'"messages"' in call.body]
    return status, json.loads(raw), sent[-1] if sent else None


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("name", ACCEPTED)
def test_n24_what_openai_accepts_is_accepted(
    server: Server, provider: FakeProvider, name: str, path: str
) -> None:
    for provider_name in ("openai", "anthropic", "ollama"):
        status, body, sent = ask(server, provider, path, provider=provider_name, **ACCEPTED[name])
        assert (status, body["choices"][0]["message"]["content"]) == (200, "Hello")
        assert all(message["content"] for message in sent["messages"])


def test_n24_a_result_of_a_tool_reaches_the_model(server: Server, provider: FakeProvider) -> None:
    _, _, sent = ask(server, provider, **ACCEPTED["tools-in-history"])
    assert [message["role"] for message in sent["messages"]] == ["user", "assistant", "user"]
    assert "weather" in sent["messages"][1]["content"]
    assert "rain" in sent["messages"][2]["content"]


def test_n24_parameters_reach_openai(server: Server, provider: FakeProvider) -> None:
    parameters = {
        "top_p": 0.5,
        "presence_penalty": 0.25,
        "frequency_penalty": -1,
        "stop": ["END"],
        "seed": 7,
        "response_format": FORMAT,
        "logit_bias": {"1": 5},
        "user": "ann",
        "metadata": {"a": "b"},
        "store": False,
        "service_tier": "flex",
    }
    status, _, sent = ask(server, provider, **parameters)
    assert status == 200
    assert {name: sent.get(name) for name in parameters} == parameters
    _, _, sent = ask(server, provider, messages=[HI | {"name": "Ann"}])
    assert sent["messages"][0]["name"] == "Ann"


def test_n24_parameters_reach_anthropic_by_its_names(server: Server, provider: FakeProvider) -> None:
    status, _, sent = ask(
        server,
        provider,
        model="anthropic/claude-3-7-sonnet-20250219",
        top_p=0.5,
        top_k=5,
        user="ann",
        stop="END",
        service_tier="default",
    )
    assert status == 200
    assert (sent["top_p"], sent["top_k"], sent["metadata"]) == (0.5, 5, {"user_id": "ann"})
    assert (sent["stop_sequences"], sent["service_tier"]) == (["END"], "standard_only")
    assert "user" not in sent
    status, _, sent = ask(server, provider, provider="anthropic", presence_penalty=0, top_k=0)
    assert status == 200
    assert not {"presence_penalty", "top_k"} & set(sent)


def test_what_a_model_refuses_is_named(server: Server, provider: FakeProvider) -> None:
    body = {"model": "anthropic/claude-opus-5-5", "messages": [HI], "top_p": 0.5}
    for stream in (True, False):
        provider.play(answer)
        status, headers, _ = server.request("POST", PATHS[0], body | {"stream": stream})
        assert status == 200
        assert {name.lower(): value for name, value in headers.items()}["freshet-ignored"] == "top_p"
        assert "top_p" not in provider.calls[-1].json


@pytest.mark.parametrize(
    ("body", "refused"), [({"reasoning_effort": "low"}, "reasoning_effort"), ({"effort": "low"}, "effort")]
)
@pytest.mark.parametrize("stream", [True, False])
def test_what_is_ignored_is_named_as_the_caller_wrote_it(
    server: Server, provider: FakeProvider, body: dict[str, Any], refused: str, stream: bool
) -> None:
    def refuse(call: Call) -> Answer:
        if "reasoning_effort" not in call.json:
            return answer(call)
        error = {"error": {"message": "Unrecognized request argument supplied: reasoning_effort"}}
        return Answer(status=400, steps=[json.dumps(error).encode()], content_type="application/json")

    for _ in range(2):  # the second call leaves it out at once
        provider.play(refuse)
        request = {"model": "does-not-reason", "messages": [HI], "stream": stream} | body
        status, headers, _ = server.request("POST", PATHS[0], request)
        assert status == 200
        assert {name.lower(): value for name, value in headers.items()}["freshet-ignored"] == refused


@pytest.mark.parametrize(
    ("body", "param"),
    [({"reasoning_effort": "high"}, "reasoning_effort"), ({"effort": "high"}, "effort")],
)
def test_what_is_refused_is_named_as_the_caller_wrote_it(
    server: Server, provider: FakeProvider, body: dict[str, Any], param: str
) -> None:
    status, answered, sent = ask(
        server, provider, model="anthropic/claude-3-5-haiku-20241022", provider="anthropic", **body
    )
    assert (status, answered["error"]["param"], sent) == (400, param, None)
    assert f" {param} " in answered["error"]["message"]


def test_n24_parameters_reach_ollama_by_its_names(server: Server, provider: FakeProvider) -> None:
    status, _, sent = ask(
        server, provider, provider="ollama", top_p=0.5, repetition_penalty=1.1, seed=7, response_format=FORMAT
    )
    assert status == 200
    options = {name: sent["options"].get(name) for name in ("top_p", "repeat_penalty", "seed")}
    assert options == {"top_p": 0.5, "repeat_penalty": 1.1, "seed": 7}
    assert sent["format"] == SCHEMA
    assert (
        ask(server, provider, provider="ollama", response_format={"type": "json_object"})[2]["format"]
        == "json"
    )
    assert "format" not in ask(server, provider, provider="ollama", response_format={"type": "text"})[2]
    with_schema = {"type": "json_object", "schema": SCHEMA}  # as llama.cpp and others take it
    assert ask(server, provider, provider="ollama", response_format=with_schema)[2]["format"] == SCHEMA
    assert ask(server, provider, response_format=with_schema)[2]["response_format"] == with_schema


@pytest.mark.parametrize(
    ("provider_name", "name", "value"),
    [
        ("anthropic", "presence_penalty", 0.5),
        ("anthropic", "response_format", FORMAT),
        ("anthropic", "seed", 7),
        ("ollama", "logit_bias", {"1": 5}),
        ("ollama", "user", "ann"),
        ("anthropic", "logprobs", True),
        ("ollama", "logprobs", True),
        ("mock", "logprobs", True),
        ("openai", "top_logprobs", 2),
        ("openai", "tools", [{"type": "function", "function": {"name": "f"}}]),
        ("openai", "reasoning", {"effort": "low"}),
        ("openai", "top_p", 2),
        ("openai", "nucleus", 0.5),
    ],
)
def test_n24_other_parameters_are_refused_by_name(
    server: Server, provider: FakeProvider, provider_name: str, name: str, value: object
) -> None:
    status, body, sent = ask(server, provider, provider=provider_name, **{name: value})
    assert (status, body["error"]["param"], sent) == (400, name, None)


@pytest.mark.parametrize("id_", ["gpt-4.1", "openai/gpt-4.1"])
def test_n24_a_model_can_be_shown(server: Server, id_: str) -> None:
    status, _, raw = server.request("GET", f"/v1/models/{id_}")
    assert status == 200
    shown = json.loads(raw)
    assert shown["id"].endswith("gpt-4.1")
    assert (shown["object"], shown["owned_by"], type(shown["created"])) == ("model", "openai", int)


@pytest.mark.parametrize("id_", ["no-such-model", "openai/", "gpt-4.1/x", "%00", "a" * 1000])
def test_an_unknown_model_is_not_found(server: Server, id_: str) -> None:
    status, _, raw = server.request("GET", f"/v1/models/{id_}")
    assert status == (400 if id_ == "%00" else 404)
    assert json.loads(raw)["error"]["message"]

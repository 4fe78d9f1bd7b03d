"""Models that exist: what a server asks of its provider, what it shows of it, and which model answers a first question."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from openai import NotFoundError, OpenAI

from tests.faults import answers
from tests.support.combination import one_worker
from tests.support.dialects import (
    anthropic_delta,
    anthropic_event,
    anthropic_finish,
    openai,
)
from tests.support.fake_provider import FakeProvider, closed_port
from tests.support.listing_providers import (
    ANSWERS,
    environment,
    listing,
    lists_of,
    openai_list,
)
from tests.support.rawhttp import request
from tests.support.script import STALL, Answer
from tests.support.server import Server

QUESTION = {"messages": [{"role": "user", "content": "hello"}], "max_tokens": 20}


def ask(server: Server, **fields: Any) -> dict[str, Any]:
    status, _, body = request(server.address, "POST", "/v1/chat/completions", {**QUESTION, **fields})
    answer: dict[str, Any] = json.loads(body)
    return answer | {"status": status}


def get(server: Server, path: str) -> Any:
    status, _, body = request(server.address, "GET", path)
    assert status == 200, body
    return json.loads(body)


@pytest.fixture(params=["openai", "anthropic", "ollama"])
def listed(request: pytest.FixtureRequest) -> Iterator[tuple[str, FakeProvider, Server]]:
    """A server of one provider that lists its models."""
    name = request.param
    with (
        FakeProvider(Answer(steps=ANSWERS[name]), models=lists_of) as provider,
        Server(environment(name, provider), secrets=("sk-canary-1",)) as server,
    ):
        yield name, provider, server


def test_a_first_question_is_answered_by_a_model_that_is_listed(
    listed: tuple[str, FakeProvider, Server],
) -> None:
    name, provider, server = listed
    assert ask(server)["status"] == 200
    expected = {"openai": "gpt-6.1-sol", "anthropic": "claude-opus-5-5-20260922", "ollama": "qwen3:8b"}[name]
    assert [json.loads(call.body)["model"] for call in provider.calls] == [expected]
    asked = {"openai": 1, "anthropic": 2, "ollama": 3}[name] * len(server.workers)
    deadline = time.monotonic() + 5
    while len(provider.listing_calls) < asked and time.monotonic() < deadline:
        time.sleep(0.02)
    group = get(server, "/models")["groups"][0]
    assert (group["provider"], group["state"], group["models"][0]["name"]) == (name, "listed", expected)
    assert len(provider.listing_calls) == asked, "the list is kept"
    names = [model["name"] for model in group["models"]]
    assert (
        names
        == {
            "openai": ["gpt-6.1-sol", "gpt-5.4"],
            "anthropic": ["claude-opus-5-5-20260922", "claude-haiku-5-5", "claude-fable-5-1"],
            "ollama": ["qwen3:8b"],
        }[name]
    )
    assert all(model["listed"] for model in group["models"])
    one = get(server, f"/v1/models/{name}/{expected}")
    assert one["id"] == f"{name}/{expected}" == get(server, "/v1/models")["data"][0]["id"]
    assert get(server, f"/v1/models/{expected}") == one
    status, _, body = request(server.address, "GET", f"/v1/models/{name}/gone/for/good")
    assert (status, json.loads(body)["error"]["code"]) == (404, "model_not_found")


def test_openais_client_lists_and_retrieves_models_whose_names_have_slashes() -> None:
    names = ["meta-llama/Llama-4", "openai/gpt-oss-120b"]
    with (
        FakeProvider(Answer(steps=ANSWERS["openai"]), models=listing(openai_list(*names))) as provider,
        Server(environment("openai", provider)) as server,
        OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0, timeout=20) as client,
    ):
        ask(server)
        listed = {model.id: model for model in client.models.list()}
        assert list(listed)[:2] == [f"openai/{name}" for name in names]
        for name in names:
            assert client.models.retrieve(f"openai/{name}") == listed[f"openai/{name}"]
            assert client.models.retrieve(name).owned_by == "openai"
        with pytest.raises(NotFoundError) as missing:
            client.models.retrieve("meta-llama/gone")
        assert missing.value.code == "model_not_found"
        answer = client.chat.completions.create(model=names[1], messages=QUESTION["messages"])
        assert answer.choices[0].message.content == "Hi"
    assert [json.loads(call.body)["model"] for call in provider.calls] == names


def test_what_a_listing_lacks_comes_from_the_table(listed: tuple[str, FakeProvider, Server]) -> None:
    name, _, server = listed
    ask(server)
    deadline = time.monotonic() + 5
    facts: dict[str, Any] = {"context_window": None}
    while facts["context_window"] is None and time.monotonic() < deadline:
        facts = get(server, "/models")["groups"][0]["models"][0]
    known = {key: facts[key] for key in ("context_window", "images", "reasoning", "efforts")}
    efforts = {
        "ollama": ["none", "low", "medium", "high"],
        "openai": ["low", "medium", "high", "xhigh", "max"],
        "anthropic": ["low", "medium", "high", "xhigh", "max"],
    }[name]
    window = {"openai": 1_050_000, "anthropic": 1_000_000, "ollama": 16_384}[name]
    assert known == {"context_window": window, "images": True, "reasoning": True, "efforts": efforts}
    input_price = {"openai": 2, "anthropic": 4, "ollama": 0}[name]
    assert facts["prices"]["input"] == input_price


@one_worker
@pytest.mark.parametrize(
    "models",
    [
        pytest.param(listing({"error": "no"}, 403), id="refused"),
        pytest.param(Answer(steps=[b'{"data": [{"id": "' + b"x" * 5_000_000]), id="huge"),
        pytest.param(Answer(steps=[b"{", STALL], content_type="application/json"), id="stalled"),
        pytest.param(Answer(steps=lambda: iter([b" ", 0.5] * 1_000)), id="slow"),
    ],
)
def test_a_listing_that_is_no_use_costs_two_seconds_at_most(models: Answer) -> None:
    with (
        FakeProvider(Answer(steps=openai(["Hi"])), models=models) as provider,
        Server(environment("openai", provider)) as server,
    ):
        watch = server.stopwatch()
        assert get(server, "/models")["groups"][0]["models"]
        assert request(server.address, "GET", "/")[0] == 200
        assert watch.busy_s < 1, "a page has waited"
        assert get(server, "/v1/models")["data"]
        assert watch.busy_s < 3
        watch = server.stopwatch()
        assert ask(server)["status"] == 200
        assert watch.busy_s < 2.5
        assert json.loads(provider.calls[0].body)["model"] == "gpt-6.2-sol"
        again = server.stopwatch()
        assert ask(server)["status"] == 200
        assert len(provider.listing_calls) == 1, "it is asked again at once"
        state = get(server, "/models")["groups"][0]["state"]
        assert state in ("unavailable", "pending")
        if state == "unavailable":
            assert again.busy_s < 1


def retired(name: str, model: str) -> Answer:
    """Return the refusal of a model that is gone, as each provider words it."""
    return {
        "openai": listing(
            {
                "error": {
                    "message": f"The model `{model}` does not exist or you do not have access to it.",
                    "type": "invalid_request_error",
                    "param": None,
                    "code": "model_not_found",
                }
            },
            404,
        ),
        "anthropic": listing(
            {"type": "error", "error": {"type": "not_found_error", "message": f"model: {model}"}}, 404
        ),
        "ollama": listing({"error": f"model '{model}' not found, try pulling it first"}, 404),
    }[name]


def test_a_model_that_is_gone_names_those_that_are_there(listed: tuple[str, FakeProvider, Server]) -> None:
    name, provider, server = listed
    provider.play(retired(name, "claude-3-7-sonnet-20250219"))
    failed = ask(server, model=f"{name}/claude-3-7-sonnet-20250219")
    names = {
        "openai": "gpt-6.1-sol, gpt-5.4",
        "anthropic": "claude-opus-5-5-20260922, claude-haiku-5-5, claude-fable-5-1",
        "ollama": "qwen3:8b",
    }[name]
    message = failed["error"]["message"]
    assert message.startswith("The provider has no model called claude-3-7-sonnet-20250219. Available: ")
    assert message.removesuffix(".").endswith(f": {names}")
    assert len(provider.calls) == 1, "a missing model is no reason to call again"


def test_a_program_sees_the_list_at_its_first_request() -> None:
    slow = Answer(
        steps=[0.5, json.dumps(openai_list("gpt-6.1-sol")).encode()], content_type="application/json"
    )
    with FakeProvider(models=slow) as provider, Server(environment("openai", provider)) as server:
        assert get(server, "/v1/models")["data"][0]["id"] == "openai/gpt-6.1-sol"
        assert len(provider.listing_calls) <= len(server.workers)


@pytest.mark.parametrize(
    ("usage", "cost"),
    [
        (
            {"input_tokens": 100, "cache_read_input_tokens": 800, "cache_creation_input_tokens": 100},
            0.0000310,
        ),
        ({"input_tokens": 100_001}, 0.05000300),
        ({"input_tokens": 1, "cache_read_input_tokens": 100_000}, 0.0050030),
    ],
)
def test_an_answer_costs_what_its_tier_and_its_cached_tokens_cost(usage: dict[str, int], cost: float) -> None:
    """claude-haiku-5-5: 0.10 in, 0.50 out, 0.01 and 0.125 cached; five times as much above 100,000 tokens."""
    message = {"type": "message", "role": "assistant", "model": "claude-haiku-5-5-20261007", "usage": usage}
    steps = [
        anthropic_event("message_start", message=message),
        anthropic_event("content_block_start", index=0, content_block={"type": "text", "text": ""}),
        anthropic_delta("Hi"),
        *anthropic_finish(output_tokens=1),
    ]
    with (
        FakeProvider(Answer(steps=steps)) as provider,
        Server(environment("anthropic", provider) | {"FRESHET_MODEL": "claude-haiku-5-5"}) as server,
    ):
        assert answers.ask(server).terminal["cost"] == pytest.approx(cost, rel=1e-9)


def test_an_unreachable_provider_delays_no_start_and_no_page() -> None:
    env = {"OPENAI_API_KEY": "sk-x", "OPENAI_BASE_URL": f"http://127.0.0.1:{closed_port()}/v1"}
    with Server(env) as server:
        watch = server.stopwatch()
        assert get(server, "/models")["groups"][0]["state"] in ("pending", "unavailable")
        assert request(server.address, "GET", "/")[0] == 200
        assert watch.busy_s < 1

"""What is sent to an Ollama server: how much to think, how long to keep the model, and what is left out after a refusal."""

import json
from typing import Any

import pytest

from tests.unit.transports import FakeControl, FakeTransport
from webapp.chat import Effort, ModelMessage, ModelRequest
from webapp.errors import UpstreamError
from webapp.events import Finished, ParameterIgnored
from webapp.providers.errors import error_from_response
from webapp.providers.ollama.provider import OllamaProvider
from webapp.providers.refusals.memory import RefusedParameters
from webapp.providers.retries import RetryingClient

ANSWER = [b'{"message":{"content":"Hello"},"done":true}\n']


def refusal(message: str) -> UpstreamError:
    return error_from_response(400, {}, json.dumps({"error": message}).encode())


def ask(
    model: str,
    *refusals: str,
    memory: RefusedParameters | None = None,
    keep_alive: Any = None,
    messages: tuple[ModelMessage, ...] = (ModelMessage.user("Hi"),),
    **options: Any,
) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the bodies that were sent, and the parameters that were named as ignored."""
    transport = FakeTransport(*map(refusal, refusals), ANSWER)
    provider = OllamaProvider(
        RetryingClient(transport),
        model_name=model,
        max_tokens=300,
        pricer=lambda *_: None,
        keep_alive=keep_alive,
        refused=memory,
    )
    stream = provider.open(ModelRequest(messages=messages, **options), FakeControl())
    events = list(stream.read())
    stream.close()
    assert isinstance(events[-1], Finished)
    return transport.bodies, [event.name for event in events if isinstance(event, ParameterIgnored)]


@pytest.mark.parametrize(
    ("model", "effort", "think"),
    [
        ("qwen3", "none", False),
        ("qwen3", "low", True),
        ("qwen3", "max", True),
        ("gpt-oss:20b", "low", "low"),
        ("gpt-oss:20b", "medium", "medium"),
        ("gpt-oss:120b-cloud", "xhigh", "high"),
    ],
)
def test_effort_becomes_think(model: str, effort: Effort, think: bool | str) -> None:
    (body,), ignored = ask(model, effort=effort)
    assert body["think"] is think or body["think"] == think
    assert ignored == []


def test_a_model_that_cannot_stop_thinking_thinks_little_and_says_so() -> None:
    (body,), ignored = ask("gpt-oss", effort="none")
    assert (body["think"], ignored) == ("low", ["effort"])


def test_without_an_effort_nothing_is_said_of_thinking() -> None:
    (body,), _ = ask("qwen3")
    assert not {"think", "keep_alive"} & set(body)


@pytest.mark.parametrize(
    "message",
    [
        '"llama3" does not support thinking',
        "registry.ollama.ai/library/llama3:latest does not support thinking",
        'think value "high" is not supported for this model',
    ],
)
def test_n19_a_refused_think_is_left_out_named_and_remembered(message: str) -> None:
    memory = RefusedParameters()
    bodies, ignored = ask("llama3", message, memory=memory, effort="high")
    assert ["think" in body for body in bodies] == [True, False]
    assert ignored == ["effort"]
    (body,), ignored = ask("llama3", memory=memory, effort="high")
    assert ("think" in body, ignored) == (False, ["effort"])


@pytest.mark.parametrize(
    ("option", "name"),
    [
        ("temperature", "temperature"),
        ("presence_penalty", "presence_penalty"),
        ("frequency_penalty", "frequency_penalty"),
        ("repeat_penalty", "repetition_penalty"),
        ("num_predict", ""),
    ],
)
def test_n19_a_refused_option_is_left_out(option: str, name: str) -> None:
    penalties = {"presence_penalty": 0.1, "frequency_penalty": 0.1, "repetition_penalty": 1.1}
    bodies, ignored = ask(
        "llama3", f"invalid option provided: {option}", temperature=0.3, parameters=penalties
    )
    assert [option in body["options"] for body in bodies] == [True, False]
    assert ignored == [name] * bool(name)


def test_n20_turns_alternate() -> None:
    messages = (ModelMessage.user("One"), ModelMessage.user("Two"), ModelMessage.assistant("A"))
    (body,), _ = ask("llama3", messages=(*messages, ModelMessage.user("Three")))
    assert [message["content"] for message in body["messages"]] == ["One\n\nTwo", "A", "Three"]


@pytest.mark.parametrize("keep_alive", [-1, 0, "30m"])
def test_the_operator_decides_how_long_the_model_is_kept(keep_alive: int | str) -> None:
    (body,), _ = ask("llama3", keep_alive=keep_alive)
    assert body["keep_alive"] == keep_alive


@pytest.mark.parametrize("end", ["", "/", "/api", "/api/chat", "/api/tags", "/v1", "/v1/chat/completions"])
def test_n21_the_address_may_be_that_of_an_endpoint(end: str) -> None:
    transport = FakeTransport(ANSWER)
    provider = OllamaProvider(
        RetryingClient(transport),
        model_name="m",
        max_tokens=9,
        pricer=lambda *_: None,
        base_url=f"http://a.example:11434{end}",
    )
    provider.complete(ModelRequest(messages=(ModelMessage.user("Hi"),)))
    assert transport.calls[0].url == "http://a.example:11434/api/chat"

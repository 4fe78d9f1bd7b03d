"""An Ollama server that loads its model before it answers: the notice, and what a stop and a silence do meanwhile."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.dialects import ollama
from tests.support.fake_provider import FakeProvider
from tests.support.rawhttp import request
from tests.support.script import STALL, Answer, Call
from tests.support.server import Server

QUESTION = {"query": "hello", "provider": "ollama", "model": "llama3"}


@pytest.fixture(scope="module")
def ollama_provider() -> Iterator[FakeProvider]:
    with FakeProvider() as fake:
        yield fake


@pytest.fixture(scope="module")
def ollama_server(ollama_provider: FakeProvider) -> Iterator[Server]:
    with Server({"OLLAMA_HOST": ollama_provider.url, "OLLAMA_KEEP_ALIVE": "30m"}) as running:
        yield running


def loaded(*names: str) -> Answer:
    body = json.dumps({"models": [{"name": name, "model": name} for name in names]}).encode()
    return Answer(steps=[body], content_type="application/json", framing="length")


def frames(server: Server) -> list[dict[str, Any]]:
    """Return the frames of an answer."""
    status, _, body = request(server.address, "POST", "/stream", QUESTION)
    assert status == 200, body
    lines = body.decode().split("\n")
    return [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")]


@pytest.mark.parametrize("head_after_s", [1.6, 0.0])
@pytest.mark.parametrize(
    ("models", "expected"),
    [
        (Answer(status=404), 1),
        (loaded(), 1),
        (loaded("qwen3:8b"), 1),
        (Answer(steps=[STALL]), 1),
        (loaded("llama3:latest"), 0),
    ],
)
def test_a_notice_while_the_model_is_loaded(
    ollama_server: Server, ollama_provider: FakeProvider, head_after_s: float, models: Answer, expected: int
) -> None:
    def answer(call: Call) -> Answer:
        return models if call.path == "/api/ps" else Answer(status=404)

    steps = ollama(["Hel", "lo"])
    late = [1.6, *steps] if not head_after_s else steps
    ollama_provider.play(Answer(steps=late, head_after_s=head_after_s, content_type="application/x-ndjson"))
    ollama_provider._models = answer
    found = frames(ollama_server)
    assert "".join(frame.get("text", "") for frame in found) == "Hello"
    assert [frame["notice"]["code"] for frame in found if "notice" in frame] == ["loading_model"] * expected
    assert len(ollama_provider.calls) == 1
    assert ollama_provider.calls[0].json["keep_alive"] == "30m"


def test_no_notice_without_a_delay(ollama_server: Server, ollama_provider: FakeProvider) -> None:
    ollama_provider.play(Answer(steps=ollama(["Hello"]), content_type="application/x-ndjson"))
    watch = ollama_server.stopwatch()
    assert "loading_model" not in json.dumps(frames(ollama_server))
    assert watch.busy_s < 1

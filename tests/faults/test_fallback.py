"""Fallbacks: another provider answers when the first fails; it is named correctly, and paid for once."""

import openai
import pytest
import requests

from tests.faults.answers import ask
from tests.support.fake_provider import FakeProvider
from tests.support.script import refusal
from tests.support.server import Server
from tests.support.sse import SseReader

ASKED = {"model": "gpt-4.1", "messages": [{"role": "user", "content": "hello"}], "max_tokens": 20}


@pytest.fixture(scope="module")
def settings() -> dict[str, str]:
    return {"FRESHET_FALLBACK": "mock", "FRESHET_RETRIES": "1"}


def test_openai_endpoints_name_the_model_that_answers(server: Server, provider: FakeProvider) -> None:
    """Once they named the first provider's model in every chunk."""
    provider.play(refusal(401))
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0, timeout=20) as client:
        with client.chat.completions.create(**ASKED, stream=True) as stream:
            named = {chunk.model for chunk in stream}
        whole = client.chat.completions.create(**ASKED)
    assert named == {whole.model} == {"mock-standard"}
    assert whole.choices[0].message.content


def test_the_last_frame_names_who_answered(server: Server, provider: FakeProvider) -> None:
    provider.play(refusal(401))
    last = ask(server, max_tokens=20).terminal
    assert (last["provider"], last["model"], last["done"]) == ("mock", "mock-standard", True)
    assert len(provider.calls) == 1


def test_a_call_that_no_provider_accepted_costs_nothing(server: Server, provider: FakeProvider) -> None:
    """Once a stop between two tries reported tokens that no provider had read."""
    provider.play(refusal(429, retry_after="15"))
    with SseReader(server.address, body={"query": "hello"}) as reader:
        reader.read_frames(1)
        provider.wait_calls(1)
        provider.wait_closed()
        receipt = requests.post(f"{server.url}/stream/{reader.run}/stop", timeout=10).json()
    assert (receipt["state"], receipt["usage"]) == ("cancelled", {"input_tokens": 0, "output_tokens": 0})
    assert receipt["cost"] == 0

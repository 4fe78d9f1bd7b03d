"""A fake provider, a server that calls it, and clients of both."""

from collections.abc import Iterator

import pytest

from tests.support.dialects import openai
from tests.support.fake_provider import FakeProvider
from tests.support.script import Answer, paced
from tests.support.server import Server
from webapp.client import LocalClient
from webapp.settings import Settings

WORDS = [f"word{number} " for number in range(60)]
TEXT = "".join(WORDS)


def answer(per_s: float = 120.0) -> Answer:
    """Return an answer of sixty words, streamed at `per_s` words a second."""
    return Answer(steps=lambda: paced(openai(WORDS, usage=(7, 60)), per_s))


@pytest.fixture(scope="module")
def provider() -> Iterator[FakeProvider]:
    with FakeProvider(answer()) as running:
        yield running


@pytest.fixture(scope="module")
def server(provider: FakeProvider) -> Iterator[Server]:
    env = {
        "OPENAI_BASE_URL": provider.url + "/v1",
        "OPENAI_API_KEY": "sk-test",
        "FRESHET_RETRIES": "0",
        "FRESHET_MODEL": "gpt-4.1",
    }
    with Server(env) as running:
        yield running


@pytest.fixture
def local(provider: FakeProvider) -> Iterator[LocalClient]:
    provider.play(answer())
    settings = Settings.read(
        {
            "OPENAI_BASE_URL": provider.url + "/v1",
            "OPENAI_API_KEY": "sk-test",
            "FRESHET_RETRIES": "0",
            "FRESHET_MODEL": "gpt-4.1",
        }
    )
    with LocalClient(settings=settings) as client:
        yield client

"""Servers as operators run them, one provider behind all, and devices that come to them."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.access.device import KEY, PASSWORD, SECRET_KEY
from tests.support.dialects import openai
from tests.support.fake_provider import FakeProvider
from tests.support.postgres import Postgres
from tests.support.script import Answer
from tests.support.server import Server
from webapp.store.database import Database

Start = Callable[..., Server]


@pytest.fixture(scope="module")
def provider() -> Iterator[FakeProvider]:
    """The provider behind `openai`, which answers "Hello"."""
    with FakeProvider(Answer(steps=openai(["Hello"]))) as fake:
        yield fake


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with Postgres() as server:
        yield server


@pytest.fixture(scope="session")
def migrated(postgres: Postgres) -> Callable[[], str]:
    """Make databases whose tables are there."""

    def make() -> str:
        url = postgres.new_url()
        Database(url, "unused").migrate()
        return url

    return make


@pytest.fixture(scope="module")
def module_stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def start(provider: FakeProvider) -> Iterator[Start]:
    """Start servers that end with the test; the variables are added to those of the provider."""
    with ExitStack() as stack:

        def started(**env: str) -> Server:
            return stack.enter_context(made(provider, **env))

        yield started


def made(provider: FakeProvider, **env: str) -> Server:
    """Make a server that asks the provider; nothing of its secrets may be in its log."""
    base = {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": f"{provider.url}/v1", "FRESHET_RETRIES": "0"}
    return Server(base | env, secrets=(KEY, PASSWORD, SECRET_KEY))

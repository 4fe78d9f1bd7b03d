"""Fixtures: servers as operators configure them, and the fake provider behind them."""

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
    """Yield the fake OpenAI server; it answers "Hello"."""
    with FakeProvider(Answer(steps=openai(["Hello"]))) as fake:
        yield fake


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with Postgres() as server:
        yield server


@pytest.fixture(scope="session")
def new_migrated_url(postgres: Postgres) -> Callable[[], str]:
    """Return a function that creates a migrated database and returns its URL."""

    def create() -> str:
        url = postgres.new_url()
        Database(url, "unused").migrate()
        return url

    return create


@pytest.fixture(scope="module")
def module_stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def start(provider: FakeProvider) -> Iterator[Start]:
    """Yield a function that starts a server with more settings; the servers stop after the test."""
    with ExitStack() as stack:

        def start_server(**env: str) -> Server:
            return stack.enter_context(make_server(provider, **env))

        yield start_server


def make_server(provider: FakeProvider, **env: str) -> Server:
    """Return a server that uses the fake provider, and fails if a secret appears in its log."""
    base = {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": f"{provider.url}/v1", "FRESHET_RETRIES": "0"}
    return Server(base | env, secrets=(KEY, PASSWORD, SECRET_KEY))

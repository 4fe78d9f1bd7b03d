"""Servers with two workers on what hosts offer: servers of the package index, and Debian's with TLS (marked `managed`)."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.faults.answers import KEY, SECRET_KEY
from tests.support.fake_provider import FakeProvider
from tests.support.hosted import PASSWORD
from tests.support.processes import workers_of
from tests.support.server import Server, wait_for

KINDS = ("index", pytest.param("debian", marks=pytest.mark.managed))
Start = Callable[..., Server]


@pytest.fixture
def provider() -> Iterator[FakeProvider]:
    with FakeProvider() as fake:
        yield fake


def settings(provider: FakeProvider) -> dict[str, str]:
    """Return the variables of a server with two workers."""
    return {
        "OPENAI_API_KEY": KEY,
        "OPENAI_BASE_URL": f"{provider.url}/v1",
        "SECRET_KEY": SECRET_KEY,
        "WEB_CONCURRENCY": "2",
    }


@pytest.fixture
def start(provider: FakeProvider) -> Iterator[Start]:
    """Return a function that starts a server with two workers, and with these variables besides."""
    with ExitStack() as stack:

        def started(**env: str) -> Server:
            server = stack.enter_context(
                Server(settings(provider) | env, secrets=(KEY, SECRET_KEY, PASSWORD))
            )
            wait_for(lambda: len(workers_of(server)) == 2, 10.0, "two workers")
            return server

        yield started

"""Clients that nobody here wrote get the whole answer."""

from collections.abc import Iterator

import pytest

from tests.clients.runner import ANSWER, CLIENTS, Client, prepare, run, server
from tests.support.server import Server


@pytest.fixture(scope="module")
def running() -> Iterator[Server]:
    prepare()
    with server() as started:
        yield started


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
def test_a_client_gets_the_whole_answer(client: Client, running: Server) -> None:
    assert run(client, running.url) == "".join(ANSWER)

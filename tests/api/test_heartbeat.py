"""Clients are told how long the server may be silent, and wait accordingly."""

from collections.abc import Iterator

import pytest
import requests

from tests.support.dialects import openai
from tests.support.fake_provider import FakeProvider
from tests.support.script import Answer
from tests.support.server import Server
from webapp.client import create_query_client, remote
from webapp.frames import new_run

SILENCE_S = 4.0


@pytest.fixture(scope="module")
def provider() -> Iterator[FakeProvider]:
    with FakeProvider(Answer(steps=openai(["Hello"]))) as fake:
        yield fake


@pytest.fixture(scope="module")
def server(provider: FakeProvider) -> Iterator[Server]:
    env = {
        "OPENAI_API_KEY": "k",
        "OPENAI_BASE_URL": f"{provider.url}/v1",
        "FRESHET_MODEL": "gpt-4.1",
        "FRESHET_HEARTBEAT_S": "40",
    }
    with Server(env) as running:
        yield running


def test_n31_every_stream_names_its_heartbeat(server: Server) -> None:
    run = new_run()
    for reply in (
        requests.post(f"{server.url}/stream", json={"query": "x", "run": run}, timeout=20),
        requests.get(f"{server.url}/stream", params={"query": "x"}, timeout=20),
        requests.get(f"{server.url}/stream/{run}", timeout=20),
    ):
        assert reply.headers["Freshet-Heartbeat"] == "40"


def test_n31_the_page_is_told_the_heartbeat(server: Server) -> None:
    assert '"heartbeat_ms": 40000' in requests.get(server.url, timeout=20).text


def test_n31_the_client_waits_for_a_slow_heartbeat(
    server: Server, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It took 25 seconds of silence for a dead connection, whatever the server's heartbeat was."""
    monkeypatch.setattr(remote, "_SILENCE_S", SILENCE_S / 4)
    connects = []
    connect = remote._StreamCall._connect

    def counted(self: remote._StreamCall) -> requests.Response:
        connects.append(self._silence_s)
        return connect(self)

    monkeypatch.setattr(remote._StreamCall, "_connect", counted)
    provider.play(Answer(steps=[SILENCE_S, *openai(["Hello"])]))
    with create_query_client(url=server.url) as client:
        assert client.query("x") == "Hello"
    assert connects == [SILENCE_S / 4, 100.0]

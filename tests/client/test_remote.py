"""The client of a running server: it resumes after a broken connection, and the provider is called once."""

import hashlib
import json
import random
import threading
import time
from collections.abc import Iterator

import pytest

from tests.client.conftest import TEXT, answer
from tests.support.dialects import openai_delta
from tests.support.fake_provider import FakeProvider, closed_port
from tests.support.proxy import Proxy
from tests.support.script import CLOSE, Answer, Call, refusal, silent
from tests.support.server import Server
from webapp import StreamStats, create_query_client
from webapp.client import QueryClient
from webapp.errors import (
    AnswerError,
    ConfigurationError,
    InvalidRequest,
    NotFound,
    NotSignedIn,
    UpstreamError,
)


@pytest.fixture
def remote(server: Server, provider: FakeProvider) -> Iterator[QueryClient]:
    provider.play(answer())
    with create_query_client(url=server.url) as client:
        yield client


def test_each_frame_calls_the_callback(remote: QueryClient) -> None:
    received: list[tuple[str, str]] = []
    assert remote.query_streaming("Hello", lambda *arguments: received.append(arguments)) == TEXT
    assert "".join(delta for delta, _ in received) == TEXT
    assert 3 < len(received) < 60
    assert all(full.endswith(delta) for delta, full in received)


def test_the_last_response_is_available(remote: QueryClient) -> None:
    assert remote.query("Hello") == TEXT
    response = remote.last_response
    assert response is not None
    assert (response.usage.input_tokens, response.usage.output_tokens) == (7, 60)
    assert f"{response.cost:f}" == "0.000494"
    assert (response.provider, response.model, response.finish_reason) == ("openai", "gpt-4.1", "stop")


def test_an_answer_over_broken_connections_is_complete_and_paid_for_once(
    server: Server, provider: FakeProvider, dice: random.Random
) -> None:
    for _ in range(5):
        provider.play(answer())
        with Proxy(server.address, cut_after_bytes=dice.randrange(800, 1300)) as proxy:
            with create_query_client(url=f"http://127.0.0.1:{proxy.address[1]}") as client:
                received: list[str] = []
                text = client.query_streaming("Hello", lambda delta, _, into=received: into.append(delta))
            assert proxy.cuts, "nothing was cut"
        assert text == TEXT
        assert "".join(received) == TEXT
        assert len(provider.calls) == 1


def test_a_request_without_a_response_joins_its_run(server: Server, provider: FakeProvider) -> None:
    provider.play(answer())
    with Proxy(server.address, cut_after_bytes=0) as proxy:

        def restore() -> None:
            provider.wait_calls(1)
            proxy.habits.cut_after_bytes = None

        restorer = threading.Thread(target=restore)
        restorer.start()
        with create_query_client(url=f"http://127.0.0.1:{proxy.address[1]}") as client:
            assert client.query("Hello") == TEXT
        restorer.join(10)
    assert len(provider.calls) == 1


def test_closing_stops_the_provider(remote: QueryClient, provider: FakeProvider) -> None:
    with remote.stream("Hello") as stream:
        next(stream)
    provider.wait_left()
    assert stream.response.finish_reason == "cancelled"


def test_an_exception_in_the_callback_stops_the_provider(remote: QueryClient, provider: FakeProvider) -> None:
    def fail(delta: str, full: str) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        remote.query_streaming("Hello", fail)
    provider.wait_left()


def test_a_failed_answer_keeps_its_text(remote: QueryClient, provider: FakeProvider) -> None:
    provider.play(Answer(steps=[openai_delta("one"), CLOSE]))
    with pytest.raises(AnswerError) as caught:
        remote.query("Hello")
    assert caught.value.code == "interrupted"
    assert caught.value.retryable
    assert remote.last_response is not None
    assert remote.last_response.content == "one"


def test_an_error_of_the_provider_keeps_its_code(remote: QueryClient, provider: FakeProvider) -> None:
    provider.play(refusal(401))
    with pytest.raises(AnswerError) as caught:
        remote.query("Hello")
    assert caught.value.code == "upstream_auth"


def test_a_failed_stream_falls_back_to_a_query(remote: QueryClient, provider: FakeProvider) -> None:
    provider.play([refusal(503), answer()])
    received: list[tuple[str, str]] = []
    text = remote.query_streaming(
        "Hello", lambda *arguments: received.append(arguments), fallback_to_query=True
    )
    assert text == TEXT
    assert received == [(TEXT, TEXT)]


def test_an_invalid_request_names_its_field(remote: QueryClient) -> None:
    with pytest.raises(InvalidRequest) as caught:
        remote.query("Hello", provider="nobody")
    assert caught.value.param == "provider"


def test_a_timeout_ends_a_slow_answer(remote: QueryClient, provider: FakeProvider) -> None:
    provider.play(answer(per_s=10))
    with pytest.raises(UpstreamError) as caught:
        remote.query("Hello", timeout_s=0.5)
    assert caught.value.code == "upstream_timeout"
    provider.wait_left()


def test_a_timeout_ends_an_answer_with_only_heartbeats(provider: FakeProvider) -> None:
    """Each heartbeat used to restart the timeout, so that the client waited until the server's own limit."""
    provider.play(silent())
    env = {"OPENAI_BASE_URL": provider.url + "/v1", "OPENAI_API_KEY": "sk-test", "FRESHET_HEARTBEAT_S": "0.3"}
    with Server(env) as lively, create_query_client(url=lively.url) as client:
        began = time.monotonic()
        with pytest.raises(UpstreamError) as caught:
            client.query("Hello", timeout_s=1)
        assert caught.value.code == "upstream_timeout"
        assert time.monotonic() - began < 15
        provider.wait_left()


def test_an_unreachable_server_fails_soon_and_names_its_address() -> None:
    began = time.monotonic()
    with (
        create_query_client(url=f"http://127.0.0.1:{closed_port()}") as client,
        pytest.raises(UpstreamError, match=r"127\.0\.0\.1:\d"),
    ):
        client.query("Hello")
    assert time.monotonic() - began < 15


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://example.org", "", "http://"])
def test_an_invalid_url_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="http://"):
        create_query_client(url=url)


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_gateway_error_is_retried(server: Server, status: int) -> None:
    """A gateway error while resuming used to end the answer with a `RequestError`."""
    run_ids: list[str] = []

    def proxy_answer(call: Call) -> Answer:
        if call.method == "POST":
            run_ids.append(call.json["run"])
            return Answer(steps=(record(run_ids[0], 1, {"text": "one "}), CLOSE))
        if call.number < 3:
            return refusal(status, b"<html>away</html>")
        digest = hashlib.sha256(b"one two").hexdigest()
        end = {"done": True, "finish_reason": "stop", "usage": {}, "cost": None, "sha256": digest}
        return Answer(steps=(record(run_ids[0], 2, {"text": "two"}), record(run_ids[0], 3, end)))

    with FakeProvider(proxy_answer) as proxy, create_query_client(url=proxy.url) as client:
        assert client.query("Hello") == "one two"
        assert [call.method for call in proxy.calls] == ["POST", "GET", "GET", "GET"]


def record(run: str, seq: int, frame: dict[str, object]) -> bytes:
    return f"id: {run}:1:{seq}\ndata: {json.dumps(frame)}\n\n".encode()


def test_the_password_is_sent_as_a_bearer_token(provider: FakeProvider) -> None:
    provider.play(answer())
    env = {
        "OPENAI_BASE_URL": provider.url + "/v1",
        "FRESHET_ACCESS_PASSWORD": "pass",
        "FRESHET_HOST": "0.0.0.0",
    }
    with Server(env) as locked:
        with create_query_client(url=locked.url, key="pass") as client:
            assert client.query("Hello") == TEXT
        with create_query_client(url=locked.url, key="wrong") as client, pytest.raises(NotSignedIn):
            client.query("Hello")


def test_stats_use_the_usage_reported_by_the_server(remote: QueryClient) -> None:
    stats = StreamStats()
    remote.query_streaming("Hello", stats)
    assert (stats.tokens, stats.estimated, stats.words) == (60, False, 60)


def test_passages_of_the_server_s_documents(provider: FakeProvider) -> None:
    env = {
        "OPENAI_BASE_URL": provider.url + "/v1",
        "OPENAI_API_KEY": "sk-test",
        "FRESHET_ACCESS_PASSWORD": "open sesame, please",
    }
    key = env["FRESHET_ACCESS_PASSWORD"]
    documents = {"travel": b"Trains are paid for in second class.", "food": b"Fish on Fridays."}
    with Server(env) as server, create_query_client(url=server.url, key=key) as client:
        for name, body in documents.items():
            path = f"/documents?name={name}.md&collection={name}"
            assert server.request("POST", path, body, Authorization=f"Bearer {key}")[0] == 201
        (found,) = client.retrieve_only("Which class do trains have?", collection="travel")
        assert found["content"] == "Trains are paid for in second class."
        assert found["metadata"]["source"] == "travel.md"
        assert client.retrieve_only("trains", collection="food") == []
        assert client.retrieve_only(" ") == []
        with pytest.raises(NotFound, match="nowhere"):
            client.retrieve_only("trains", collection="nowhere")
        with pytest.raises(InvalidRequest, match="limit"):
            client.retrieve_only("trains", limit=0)
        provider.play(answer())
        client.query("Which class do trains have?", retrieve=True)
        assert '<passage n="1" file="travel.md">' in provider.calls[-1].json["messages"][-1]["content"]
        assert client.last_response is not None
        assert client.last_response.sources[0].source == "travel.md"


def test_a_search_at_a_server_that_is_away() -> None:
    client = create_query_client(url="http://127.0.0.1:9")
    with client, pytest.raises(UpstreamError, match="No server responds"):
        client.retrieve_only("trains")

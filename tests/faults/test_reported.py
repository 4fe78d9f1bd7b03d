"""Regressions: faults that were found by trial."""

import json
import time
from collections.abc import Iterator

import pytest

from tests.faults.answers import KEY, refusal_of
from tests.support.dialects import openai, openai_delta
from tests.support.fake_provider import FakeProvider
from tests.support.rawhttp import Response, dial
from tests.support.script import RESET, Answer
from tests.support.server import Server
from tests.support.ws import Refused, WsClient

PASSWORD = "open sesame \N{EURO SIGN} canary"
TRIES = 8
QUIET_S = 1.0
WHOLE_S = 10.0


@pytest.fixture(scope="module")
def settings() -> dict[str, str]:
    return {"FRESHET_RETRIES": "0", "FRESHET_HEARTBEAT_S": "0.5", "FRESHET_WRITE_S": str(QUIET_S)}


@pytest.fixture(scope="module")
def guarded(provider: FakeProvider) -> Iterator[Server]:
    """A server with a password, behind a proxy."""
    env = {
        "OPENAI_API_KEY": KEY,
        "OPENAI_BASE_URL": f"{provider.url}/v1",
        "FRESHET_ACCESS_PASSWORD": PASSWORD,
        "FRESHET_TRUSTED_PROXIES": "127.0.0.1",
    }
    with Server(env, secrets=(KEY, PASSWORD)) as running:
        yield running


def ask_as(server: Server, path: str, token: str, address: str) -> int:
    headers = {"Authorization": f"Bearer {token}".encode().decode("latin-1"), "X_Forwarded_For": address}
    return server.request("GET", path, **headers)[0]


@pytest.mark.parametrize(("path", "address"), [("/", "192.0.2.1"), ("/v1/models", "192.0.2.2")])
def test_no_endpoint_lets_tokens_be_guessed(guarded: Server, path: str, address: str) -> None:
    """The page once checked tokens without a limit."""
    guesses = [ask_as(guarded, path, f"guess {number}", address) for number in range(TRIES + 2)]
    assert guesses == [401] * TRIES + [429] * 2
    assert ask_as(guarded, path, PASSWORD, address) == 429
    assert ask_as(guarded, path, PASSWORD, "192.0.2.9") == 200


def test_a_websocket_lets_no_tokens_be_guessed(guarded: Server) -> None:
    """Neither by the first message nor by a header of the handshake."""
    codes = []
    for number in range(TRIES + 1):
        with WsClient(guarded.address, headers={"X-Forwarded-For": "192.0.2.3"}) as client:
            client.send_json(type="auth", token=f"guess {number}")
            codes.append(client.read_close())
    assert codes == [4401] * TRIES + [4429]
    statuses = []
    for number in range(TRIES + 1):
        headers = {"X-Forwarded-For": "192.0.2.4", "Authorization": f"Bearer guess{number}"}
        with pytest.raises(Refused) as refused:
            WsClient(guarded.address, headers=headers)
        statuses.append(refused.value.status)
    assert statuses == [401] * TRIES + [429]


@pytest.mark.parametrize("path", ["/stream//x", "/v1//models", "//v1/models", "/v1/models//"])
def test_no_unknown_path_gets_html(server: Server, path: str) -> None:
    """Two slashes once got a redirect in HTML."""
    status, headers, body = server.request("GET", path)
    assert headers["content-type"] == "application/json"
    if status != 200:
        assert refusal_of(status, body)


def test_a_foreign_origin_is_refused_at_every_endpoint(server: Server) -> None:
    """/healthz once answered every site."""
    for path in ("/healthz", "/readyz"):
        status, _, body = server.request("GET", path, Origin="https://evil.example")
        assert status == 403
        assert json.loads(body)["error"]["code"] == "origin"


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/chat/completions"])
def test_a_completion_that_fails_half_way_has_an_error_status(
    server: Server, provider: FakeProvider, path: str
) -> None:
    """It was a 200 with an error in it, which clients took for an answer without choices."""
    provider.play(Answer(steps=(openai_delta("half of "), RESET)))
    status, _, body = server.request("POST", path, {"prompt": "x"})
    assert status == 502
    assert refusal_of(status, body)["code"] == "interrupted"


def test_a_completion_gets_heartbeats_after_earlier_wake_ups(server: Server, provider: FakeProvider) -> None:
    """Once the only wake-up came while the status was awaited, and no heartbeat followed."""
    provider.play(Answer(steps=(WHOLE_S + 3, *openai(["Hello"]))))
    body = json.dumps({"prompt": "x"}).encode()
    head = "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    with dial(server.address) as sock:
        sock.sendall(f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)
        began = time.monotonic()
        response = Response(sock, timeout_s=WHOLE_S + 2)
        assert time.monotonic() - began < WHOLE_S + 2
        assert response.status == 200
        told = response.read_all()
    assert told.startswith(b"  ")
    assert json.loads(told)["choices"][0]["message"]["content"] == "Hello"


@pytest.mark.parametrize(
    "rest", [b'Content-Length: 500\r\n\r\n{"query"', b"Transfer-Encoding: chunked\r\n\r\n5\r\n{"]
)
def test_a_body_that_never_arrives_is_not_awaited(
    server: Server, provider: FakeProvider, rest: bytes
) -> None:
    """Such a request once held its connection for good."""
    provider.play(Answer(steps=openai(["Hello"])))
    head = b"POST /stream HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    with dial(server.address) as sock:
        began = time.monotonic()
        sock.sendall(head + rest)
        response = Response(sock, timeout_s=QUIET_S + 4)
        assert time.monotonic() - began > QUIET_S * 0.8
        assert refusal_of(response.status, response.read_all())
        assert response.status == 408
        sock.settimeout(4)
        assert sock.recv(1) == b"", "the connection is held"
    assert not provider.calls

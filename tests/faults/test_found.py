"""Faults that nobody listed: each was found by trying, and is kept from coming back."""

import json
from collections.abc import Iterator

import pytest

from tests.faults.asking import KEY, refusal_of
from tests.support.fake_provider import FakeProvider
from tests.support.server import Server
from tests.support.ws import Refused, WsClient

PASSWORD = "open sesame \N{EURO SIGN} canary"
TRIES = 8


@pytest.fixture(scope="module")
def guarded(provider: FakeProvider) -> Iterator[Server]:
    """Give a server that asks everybody who comes by a proxy for a pass phrase."""
    env = {
        "OPENAI_API_KEY": KEY,
        "OPENAI_BASE_URL": f"{provider.url}/v1",
        "FRESHET_ACCESS_PASSWORD": PASSWORD,
    }
    with Server(env, secrets=(KEY, PASSWORD)) as running:
        yield running


def ask_as(server: Server, path: str, token: str, address: str) -> int:
    headers = {"Authorization": f"Bearer {token}".encode().decode("latin-1"), "X_Forwarded_For": address}
    return server.request("GET", path, **headers)[0]


@pytest.mark.parametrize(("path", "address"), [("/", "192.0.2.1"), ("/v1/models", "192.0.2.2")])
def test_no_door_lets_tokens_be_guessed(guarded: Server, path: str, address: str) -> None:
    """The page told right from wrong as often as it was asked."""
    guesses = [ask_as(guarded, path, f"guess {number}", address) for number in range(TRIES + 2)]
    assert guesses == [401] * TRIES + [429] * 2
    assert ask_as(guarded, path, PASSWORD, address) == 429
    assert ask_as(guarded, path, PASSWORD, "192.0.2.9") == 200


def test_a_websocket_lets_no_tokens_be_guessed(guarded: Server) -> None:
    """Neither by its first message nor by a header of its handshake."""
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
def test_no_address_is_answered_with_a_page(server: Server, path: str) -> None:
    """Two slashes were answered with a redirect in HTML."""
    status, headers, body = server.request("GET", path)
    assert headers["content-type"] == "application/json"
    if status != 200:
        assert refusal_of(status, body)


def test_a_foreign_origin_is_refused_at_every_door(server: Server) -> None:
    """Health said that it was well to every site."""
    for path in ("/healthz", "/readyz"):
        status, _, body = server.request("GET", path, Origin="https://evil.example")
        assert status == 403
        assert json.loads(body)["error"]["code"] == "origin"
